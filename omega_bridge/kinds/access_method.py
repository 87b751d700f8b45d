"""An access method."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.ACCESS_METHOD,
    Stored("pg_am", "x.amname"),
    {
        "type": "x.amtype",
        "handler": "x.amhandler::regproc::text",
    },
    named="ACCESS METHOD {name}",
)
