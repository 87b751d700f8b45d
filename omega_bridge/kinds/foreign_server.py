"""A foreign server."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.FOREIGN_SERVER,
    Stored("pg_foreign_server", "x.srvname", owner="srvowner", acl="srvacl"),
    {
        "wrapper": "(SELECT f.fdwname FROM pg_foreign_data_wrapper f WHERE f.oid = x.srvfdw)",
        "type": "x.srvtype",
        "version": "x.srvversion",
        "options": "x.srvoptions",
    },
)
