"""A rewrite rule of a table or view; the one that makes a view is part of it."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, RENAME, Statements, altered_unread, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.RULE,
    Stored("pg_rewrite", "x.rulename", table="ev_class"),
    {
        "definition": "pg_get_ruledef(x.oid)",
        "enabled": "x.ev_enabled",
    },
    rows="tables t JOIN pg_rewrite x ON x.ev_class = t.oid AND x.rulename <> '_RETURN'",
    named="RULE {name} ON {owner}",
    again="{definition}",
    alter={
        "definition": "DROP RULE {name} ON {owner}; {definition}",
        "enabled": "ALTER TABLE {owner} {enabled} RULE {name}",
    },
    statements=Statements(
        create=unnamed(Tag.RULE, leaves=("pg_rewrite",), names_tables=True),
        alter=altered_unread("pg_rewrite"),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=NONE,
        grant=NONE,
        set_schema=NONE,
    ),
    counted=(Counted("pg_rewrite"),),
)
