"""A transform of a type for a language."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

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
)
