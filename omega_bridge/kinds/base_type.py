"""A base type, or the shell of one."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import GRANT, OWNER, RENAME, SET_SCHEMA, ReadAs, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.BASE_TYPE,
    Stored("pg_type", "x.typname", namespace="typnamespace", owner="typowner", acl="typacl"),
    {
        "is_defined": "x.typisdefined",
        "input": "nullif(x.typinput::oid, 0::oid)::regproc::text",
        "output": "nullif(x.typoutput::oid, 0::oid)::regproc::text",
        "receive": "nullif(x.typreceive::oid, 0::oid)::regproc::text",
        "send": "nullif(x.typsend::oid, 0::oid)::regproc::text",
        "length": "x.typlen",
        "by_value": "x.typbyval",
        "alignment": "x.typalign",
        "storage": "x.typstorage",
        "category": "x.typcategory",
        "preferred": "x.typispreferred",
        "delimiter": "x.typdelim",
        "default": "x.typdefault",
        "like": "format_type(nullif(x.typelem, 0::oid), NULL)",
        "collatable": "x.typcollation <> 0::oid",
    },
    only="x.typtype IN ('b', 'p') AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.typarray = x.oid)",
    named="TYPE {object}",
    statements=Statements(
        create=unnamed(Tag.DEFINE),
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
