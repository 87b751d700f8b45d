"""A trigger of a table or view."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.TRIGGER,
    Stored("pg_trigger", "x.tgname", table="tgrelid"),
    {
        "definition": "pg_get_triggerdef(x.oid)",
        "enabled": "x.tgenabled",
    },
    rows="tables t JOIN pg_trigger x ON x.tgrelid = t.oid AND NOT x.tgisinternal",
    is_common=True,
    named="TRIGGER {name} ON {owner}",
    again="{definition}",
    alter={
        "definition": "DROP TRIGGER {name} ON {owner}; {definition}",
        "enabled": "ALTER TABLE {owner} {enabled} TRIGGER {name}",
    },
)
