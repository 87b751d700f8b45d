"""A subscription of logical replication. Its connection string may hold a password, and is not read."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import EQUALS, HERE, Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, NONE, OWNER, RENAME, Statements, unnamed

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
    statements=Statements(
        create=unnamed("create_subscription_stmt"),
        alter=unnamed("alter_subscription_stmt"),
        drop=unnamed("drop_subscription_stmt"),
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(
        Counted(
            "pg_subscription",
            condition=f"subdbid {EQUALS} {HERE}",
            version=(
                "pg_catalog.hashtextextended(pg_catalog.concat(subname, subowner, subenabled, subslotname, subsynccommit, "
                "subpublications), 0)"
            ),
        ),
    ),
)
