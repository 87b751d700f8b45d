"""An operator family of an index access method, with its members."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, SET_SCHEMA, Statements, unnamed
from omega_bridge.kinds.values import ordered
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.OPERATOR_FAMILY,
    Stored(
        "pg_opfamily",
        "format('%s using %s', x.opfname, (SELECT a.amname FROM pg_am a WHERE a.oid = x.opfmethod))",
        namespace="opfnamespace",
        owner="opfowner",
    ),
    {
        "operators": ordered("format('%s %s', o.amopstrategy, o.amopopr::regoperator)", "pg_amop o WHERE o.amopfamily = x.oid"),
        "functions": ordered(
            "format('%s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL), format_type(p.amprocrighttype, NULL), "
            "p.amproc::oid::regprocedure)",
            "pg_amproc p WHERE p.amprocfamily = x.oid",
        ),
    },
    named="OPERATOR FAMILY {plain}",
    statements=Statements(
        create=unnamed(Tag.CREATE_OP_FAMILY),
        alter=unnamed(Tag.ALTER_OP_FAMILY),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_opfamily"), Counted("pg_amop"), Counted("pg_amproc")),
)
