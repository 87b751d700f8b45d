"""A trigger of a table or view."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Asked, Compared, Guards, Room, Stored
from omega_bridge.kinds.statements import COMMENT, DEPENDS, NONE, RENAME, Read, Statements, altered_unread, dropped
from omega_bridge.kinds.values import extensions
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.TRIGGER,
    Stored("pg_trigger", "x.tgname", table="tgrelid"),
    {
        "definition": "pg_get_triggerdef(x.oid)",
        "enabled": "x.tgenabled",
        "depends_on": extensions("pg_trigger"),
    },
    rows="tables t JOIN pg_trigger x ON x.tgrelid = t.oid"
    " AND (NOT x.tgisinternal OR (x.tgparentid <> 0::oid AND x.tgconstrrelid = 0::oid))",  # before 15 a partition's counts as internal
    is_common=True,
    named="TRIGGER {name} ON {owner}",
    again="{definition}",
    alter={
        "definition": "DROP TRIGGER {name} ON {owner}; {definition}",
        "enabled": "ALTER TABLE {owner} {enabled} TRIGGER {name}",
    },
    asked=Asked(
        there="EXISTS (SELECT FROM pg_trigger WHERE tgrelid = {of} AND tgname = {literal} AND NOT tgisinternal)",
        gone="DROP TRIGGER {name} ON {owner}",
    ),
    compared={"definition": Compared.ROUTINE},
    guards=Guards(
        columns={"tgisinternal": "always false"},
        views={
            "triggers": {
                "trigger_name": "name",
                "event_object_table": "table",
                "trigger_schema": "schema",
                "event_object_schema": "schema",
            },
        },
    ),
    statements=Statements(
        create=Read(
            Tag.CREATE_TRIG,
            "routines.create_trigger",
            twice="duplicate_object",
            unless="replace",
            lock="SHARE ROW EXCLUSIVE",
            is_batched=True,
        ),
        alter=(altered_unread("pg_trigger"), DEPENDS),
        drop=dropped("OBJECT_TRIGGER"),
        comment=COMMENT,
        rename=RENAME,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_trigger"),),
)
