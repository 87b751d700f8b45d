"""A cast between two types."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.CAST,
    Stored("pg_cast", "format('(%s AS %s)', format_type(x.castsource, NULL), format_type(x.casttarget, NULL))"),
    {
        "function": "nullif(x.castfunc, 0::oid)::regprocedure::text",
        "context": "x.castcontext",
        "method": "x.castmethod",
    },
    named="CAST {plain}",
    statements=Statements(
        create=unnamed(Tag.CREATE_CAST, leaves=("pg_cast",)),
        alter=NONE,
        drop=DROP,
        comment=COMMENT,
        rename=NONE,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_cast"),),
)
