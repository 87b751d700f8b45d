"""A cast between two types."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.CAST,
    Stored("pg_cast", "format('(%s AS %s)', format_type(x.castsource, NULL), format_type(x.casttarget, NULL))"),
    {
        "function": "nullif(x.castfunc, 0::oid)::regprocedure::text",
        "context": "x.castcontext",
        "method": "x.castmethod",
    },
    named="CAST {plain}",
)
