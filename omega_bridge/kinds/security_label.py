"""A security label of an object."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.SECURITY_LABEL,
    Stored("pg_seclabels", "format('%s on %s %s', x.provider, x.objtype, x.objname)"),
    {
        "label": "x.label",
    },
    rows="pg_seclabels x",
    only="x.objoid >= 16384::oid",
    comment="",
)
