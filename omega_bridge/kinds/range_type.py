"""A range type, with the multirange that comes with it."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Since, Stored
from omega_bridge.kinds.statements import GRANT, OWNER, RENAME, SET_SCHEMA, ReadAs, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.RANGE,
    Stored("pg_type", "x.typname", namespace="typnamespace", owner="typowner", acl="typacl"),
    {
        "subtype": "format_type(g.rngsubtype, NULL)",
        "collation": "nullif(g.rngcollation, 0::oid)::regcollation::text",
        "operator_class": "(SELECT c.opcname FROM pg_opclass c WHERE c.oid = g.rngsubopc)",
        "canonical": "nullif(g.rngcanonical::oid, 0::oid)::regproc::text",
        "difference": "nullif(g.rngsubdiff::oid, 0::oid)::regproc::text",
        "multirange": Since(
            140000,
            "format_type(nullif(g.rngmultitypid, 0::oid), NULL)",
        ),
    },
    joins="JOIN pg_range g ON g.rngtypid = x.oid",
    only="x.typtype = 'r'",
    named="TYPE {object}",
    statements=Statements(
        create=unnamed(Tag.CREATE_RANGE),
        alter=unnamed(Tag.ALTER_TYPE),
        drop=ReadAs(Kind.ENUM, "the statement does not say which kind of type"),
        comment=ReadAs(Kind.ENUM, "the statement does not say which kind of type"),
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=SET_SCHEMA,
    ),
    counted=(),
)
