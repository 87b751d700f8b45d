"""A subscription of logical replication. Its connection string may hold a password, and is not read."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.SUBSCRIPTION,
    Stored("pg_subscription", "x.subname", owner="subowner"),
    {
        "enabled": "x.subenabled",
        "slot": "x.subslotname",
        "synchronous_commit": "x.subsynccommit",
        "publications": "(SELECT array_agg(p ORDER BY p) FROM unnest(x.subpublications) p)",
    },
    only="x.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())",
    named="SUBSCRIPTION {name}",
)
