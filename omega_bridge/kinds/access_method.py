"""An access method."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.ACCESS_METHOD,
    Stored("pg_am", "x.amname"),
    {
        "type": "x.amtype",
        "handler": "x.amhandler::regproc::text",
    },
    named="ACCESS METHOD {name}",
    statements=Statements(
        create=unnamed(Tag.CREATE_AM),
        alter=NONE,
        drop=DROP,
        comment=COMMENT,
        rename=NONE,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_am"),),
)
