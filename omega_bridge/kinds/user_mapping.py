"""A user mapping of a foreign server. Its options may hold a password: their names are read alone."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.USER_MAPPING,
    Stored("pg_user_mappings", "format('%s at %s', x.usename, x.srvname)"),
    {
        "options": "(SELECT array_agg(split_part(o, '=', 1) ORDER BY 1) FROM unnest(x.umoptions) o)",
    },
    rows="pg_user_mappings x",
    comment="",
)
