"""A conversion between encodings."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.CONVERSION,
    Stored("pg_conversion", "x.conname", namespace="connamespace", owner="conowner"),
    {
        "from": "pg_encoding_to_char(x.conforencoding)",
        "to": "pg_encoding_to_char(x.contoencoding)",
        "function": "x.conproc::regproc::text",
        "default": "x.condefault",
    },
    named="CONVERSION {object}",
)
