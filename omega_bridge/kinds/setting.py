"""A setting that a database has, or a role in it; but for the bridge's own, the mark of a scratch database."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import EQUALS, HERE, Counted, both
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import NONE, Statements, unnamed
from omega_bridge.tags import Tag

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
    only="x.setdatabase = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND c.value !~ '^application_name=omega_bridge scratch '",
    comment="",
    statements=Statements(
        create=unnamed(Tag.ALTER_ROLE_SET, Tag.ALTER_DATABASE_SET, leaves=()),
        alter=unnamed(Tag.ALTER_ROLE_SET, Tag.ALTER_DATABASE_SET, leaves=()),
        drop=unnamed(Tag.ALTER_ROLE_SET, Tag.ALTER_DATABASE_SET, leaves=()),
        comment=NONE,
        rename=NONE,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(
        Counted(
            "pg_db_role_setting", both("setdatabase", "setrole::pg_catalog.int8"), f"setdatabase {EQUALS} ANY (ARRAY[0, {HERE}])"
        ),
    ),
)
