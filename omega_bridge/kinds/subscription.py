"""A subscription of logical replication. Its connection string may hold a password, and is not read.

Before 14 a role that is no superuser may read neither its ``oid`` nor how it commits (src/backend/catalog/system_views.sql).
"""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import EQUALS, HERE, Counted
from omega_bridge.kinds.room import Room, Since, Stored
from omega_bridge.kinds.statements import COMMENT, NONE, OWNER, RENAME, Statements, unnamed
from omega_bridge.tags import Tag

_FURTHER = (
    (140000, "subsynccommit"),
    (140000, "subbinary"),
    (140000, "substream"),
    (150000, "subdisableonerr"),
    (160000, "suborigin"),
    (160000, "subpasswordrequired"),
    (160000, "subrunasowner"),
    (170000, "subfailover"),
)
"""What every role may read, from which version on. Whether it prepares transactions changes by itself, and does not count."""

ROOM = Room(
    Kind.SUBSCRIPTION,
    Stored("pg_subscription", "x.subname", owner="subowner"),
    {
        "enabled": "x.subenabled",
        "slot": "x.subslotname",
        "synchronous_commit": Since(140000, "x.subsynccommit"),
        "binary": Since(140000, "x.subbinary"),
        "streaming": Since(140000, "x.substream::text"),
        "disabled_on_error": Since(150000, "x.subdisableonerr"),
        "origin": Since(160000, "x.suborigin"),
        "password_required": Since(160000, "x.subpasswordrequired"),
        "run_as_owner": Since(160000, "x.subrunasowner"),
        "failover": Since(170000, "x.subfailover"),
        "publications": "(SELECT array_agg(p ORDER BY p) FROM unnest(x.subpublications) p)",
        "comment": Since(140000, "obj_description(x.oid, 'pg_subscription')"),
    },
    rows="pg_subscription x",
    comment="",
    only="x.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())",
    named="SUBSCRIPTION {name}",
    statements=Statements(
        create=unnamed(Tag.CREATE_SUBSCRIPTION),
        alter=unnamed(Tag.ALTER_SUBSCRIPTION),
        drop=unnamed(Tag.DROP_SUBSCRIPTION),
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(
        Counted(
            "pg_subscription",
            "pg_catalog.hashtext(subname::pg_catalog.text)::pg_catalog.int8",
            condition=f"subdbid {EQUALS} {HERE}",
            version=(
                "pg_catalog.hashtextextended(pg_catalog.concat(subname, subowner, subenabled, subslotname, subpublications, further), 0)"
            ),
            further=_FURTHER,
        ),
    ),
)
