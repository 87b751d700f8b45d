"""An operator."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, SET_SCHEMA, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.OPERATOR,
    Stored(
        "pg_operator",
        (
            "format('%s(%s,%s)', x.oprname, coalesce(format_type(nullif(x.oprleft, 0::oid), NULL), 'NONE'), "
            "coalesce(format_type(nullif(x.oprright, 0::oid), NULL), 'NONE'))"
        ),
        namespace="oprnamespace",
        owner="oprowner",
    ),
    {
        "function": "nullif(x.oprcode::oid, 0::oid)::regprocedure::text",
        "commutator": "nullif(x.oprcom, 0::oid)::regoperator::text",
        "negator": "nullif(x.oprnegate, 0::oid)::regoperator::text",
        "restrict": "nullif(x.oprrest::oid, 0::oid)::regproc::text",
        "join": "nullif(x.oprjoin::oid, 0::oid)::regproc::text",
        "hashes": "x.oprcanhash",
        "merges": "x.oprcanmerge",
    },
    only="x.oprcode::oid <> 0::oid",
    named="OPERATOR {plain}",
    statements=Statements(
        create=unnamed(Tag.DEFINE),
        alter=unnamed(Tag.ALTER_OPERATOR),
        drop=DROP,
        comment=COMMENT,
        rename=NONE,
        owner=OWNER,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_operator"),),
)
