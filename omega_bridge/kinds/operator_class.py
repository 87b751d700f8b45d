"""An operator class of an index access method."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, SET_SCHEMA, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.OPERATOR_CLASS,
    Stored(
        "pg_opclass",
        "format('%s using %s', x.opcname, (SELECT a.amname FROM pg_am a WHERE a.oid = x.opcmethod))",
        namespace="opcnamespace",
        owner="opcowner",
    ),
    {
        "family": "(SELECT f.opfname FROM pg_opfamily f WHERE f.oid = x.opcfamily)",
        "type": "format_type(x.opcintype, NULL)",
        "default": "x.opcdefault",
        "storage": "format_type(nullif(x.opckeytype, 0::oid), NULL)",
    },
    named="OPERATOR CLASS {plain}",
    statements=Statements(
        create=unnamed(Tag.CREATE_OP_CLASS),
        alter=NONE,
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_opclass"),),
)
