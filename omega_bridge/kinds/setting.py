"""A setting that a database has, or a role in it."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.SETTING,
    Stored(
        "pg_db_role_setting",
        "concat(split_part(c.value, '=', 1), ' of ' || nullif(pg_get_userbyid(nullif(x.setrole, 0::oid)), ''))",
    ),
    {
        "value": "substr(c.value, strpos(c.value, '=') + 1)",
    },
    rows="pg_db_role_setting x CROSS JOIN LATERAL unnest(x.setconfig) AS c (value)",
    only="x.setdatabase = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())",
    comment="",
)
