"""A foreign-data wrapper."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, GRANT, NONE, OWNER, RENAME, Statements, unnamed
from omega_bridge.kinds.values import options
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.FOREIGN_DATA_WRAPPER,
    Stored("pg_foreign_data_wrapper", "x.fdwname", owner="fdwowner", acl="fdwacl"),
    {
        "handler": "nullif(x.fdwhandler, 0::oid)::regproc::text",
        "validator": "nullif(x.fdwvalidator, 0::oid)::regproc::text",
        "options": options("unnest(x.fdwoptions) o"),
    },
    named="FOREIGN DATA WRAPPER {name}",
    statements=Statements(
        create=unnamed(Tag.CREATE_FDW, leaves=("pg_foreign_data_wrapper",)),
        alter=unnamed(Tag.ALTER_FDW),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=GRANT,
        set_schema=NONE,
    ),
    counted=(Counted("pg_foreign_data_wrapper"),),
)
