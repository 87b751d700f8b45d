"""A transform of a type for a language."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.TRANSFORM,
    Stored(
        "pg_transform",
        "format('%s for %s', format_type(x.trftype, NULL), (SELECT l.lanname FROM pg_language l WHERE l.oid = x.trflang))",
    ),
    {
        "from_sql": "nullif(x.trffromsql, 0::oid)::regprocedure::text",
        "to_sql": "nullif(x.trftosql, 0::oid)::regprocedure::text",
    },
    statements=Statements(
        create=unnamed(Tag.CREATE_TRANSFORM),
        alter=NONE,
        drop=DROP,
        comment=COMMENT,
        rename=NONE,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_transform"),),
)
