"""Extended statistics."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

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
)
