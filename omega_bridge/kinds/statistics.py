"""Extended statistics."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, SET_SCHEMA, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.STATISTICS,
    Stored("pg_statistic_ext", "x.stxname", namespace="stxnamespace", owner="stxowner"),
    {
        "definition": "pg_get_statisticsobjdef(x.oid)",
        "target": "CASE WHEN x.stxstattarget >= 0 THEN x.stxstattarget END",
    },
    named="STATISTICS {object}",
    again="{definition}",
    alter={
        "definition": "DROP STATISTICS {object}; {definition}",
        "target": "ALTER STATISTICS {object} SET STATISTICS {value}",
    },
    statements=Statements(
        create=unnamed(Tag.CREATE_STATS, leaves=("pg_statistic_ext",), names_tables=True),
        alter=unnamed(Tag.ALTER_STATS, leaves=("pg_statistic_ext",)),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_statistic_ext"),),
)
