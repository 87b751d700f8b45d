"""A security label of an object."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted, both
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import NONE, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.SECURITY_LABEL,
    Stored("pg_seclabels", "format('%s on %s %s', x.provider, x.objtype, x.objname)"),
    {
        "label": "x.label",
    },
    rows="pg_seclabels x",
    only="x.objoid >= 16384::oid",
    comment="",
    statements=Statements(
        create=unnamed(Tag.SEC_LABEL),
        alter=unnamed(Tag.SEC_LABEL),
        drop=unnamed(Tag.SEC_LABEL),
        comment=NONE,
        rename=NONE,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_seclabel", both("objoid", "objsubid"), ""),),
)
