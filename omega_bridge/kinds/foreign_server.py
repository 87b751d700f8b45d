"""A foreign server. Of options that may be a secret the name is read alone."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, GRANT, NONE, OWNER, RENAME, Statements, unnamed
from omega_bridge.kinds.values import options
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.FOREIGN_SERVER,
    Stored("pg_foreign_server", "x.srvname", owner="srvowner", acl="srvacl"),
    {
        "wrapper": "(SELECT f.fdwname FROM pg_foreign_data_wrapper f WHERE f.oid = x.srvfdw)",
        "type": "x.srvtype",
        "version": "x.srvversion",
        "options": options("unnest(x.srvoptions) o"),
    },
    named="SERVER {name}",
    statements=Statements(
        create=unnamed(Tag.CREATE_FOREIGN_SERVER, leaves=("pg_foreign_server",)),
        alter=unnamed(Tag.ALTER_FOREIGN_SERVER, leaves=("pg_foreign_server",)),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=NONE,
    ),
    counted=(Counted("pg_foreign_server"),),
)
