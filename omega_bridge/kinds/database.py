"""The database that the list runs in, whatever its name. Its comment is not compared: a scratch database carries a mark there."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import GRANT, NONE, OWNER, SHARED, Opaque, Statements
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.DATABASE,
    Stored("pg_database", "'current_database()'", acl="datacl"),
    {"connection_limit": "nullif(x.datconnlimit, -1)"},
    rows="pg_database x",
    only="x.datname = current_database()",
    comment="",
    is_of_server=True,
    statements=Statements(
        create=NONE,
        alter=Opaque(SHARED, (Tag.ALTER_DATABASE,), leaves=()),
        drop=NONE,
        comment=NONE,
        rename=NONE,
        owner=OWNER,
        grant=GRANT,
        set_schema=NONE,
    ),
    counted=(),
)
