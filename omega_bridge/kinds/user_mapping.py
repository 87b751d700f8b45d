"""A user mapping of a foreign server. Of options that may be a secret the name is read alone."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import NONE, Statements, unnamed
from omega_bridge.kinds.values import options
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.USER_MAPPING,
    Stored("pg_user_mappings", "format('%s at %s', x.usename, x.srvname)"),
    {
        "options": options("unnest(x.umoptions) o"),
    },
    rows="pg_user_mappings x",
    comment="",
    statements=Statements(
        create=unnamed(Tag.CREATE_USER_MAPPING),
        alter=unnamed(Tag.ALTER_USER_MAPPING),
        drop=unnamed(Tag.DROP_USER_MAPPING),
        comment=NONE,
        rename=NONE,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(
        Counted(
            "pg_user_mappings",
            "umid::pg_catalog.int8",
            version="pg_catalog.hashtextextended(pg_catalog.concat(usename, umoptions), 0)",
            condition="",
        ),
    ),
)
