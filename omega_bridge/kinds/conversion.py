"""A conversion between encodings."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, SET_SCHEMA, Statements, unnamed
from omega_bridge.tags import Tag

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
    statements=Statements(
        create=unnamed(Tag.CREATE_CONVERSION),
        alter=NONE,
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_conversion"),),
)
