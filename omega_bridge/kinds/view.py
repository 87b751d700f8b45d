"""A view."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.VIEW,
    Stored("pg_class", "x.relname", namespace="relnamespace", owner="relowner", acl="relacl"),
    {
        "definition": "pg_get_viewdef(x.oid)",
        "options": "x.reloptions",
    },
    rows="relations x",
    joins="LEFT JOIN pg_description w ON w.objoid = x.oid AND w.classoid = 'pg_class'::regclass::oid AND w.objsubid = 0",
    only="x.relkind = 'v'",
    comment="w.description",
    is_common=True,
    named="VIEW {object}",
    again="CREATE OR REPLACE VIEW {object} AS {definition}",
    alter={
        "definition": "CREATE OR REPLACE VIEW {object} AS {definition}",
    },
)
