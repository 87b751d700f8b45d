"""A text search dictionary."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.TEXT_SEARCH_DICTIONARY,
    Stored("pg_ts_dict", "x.dictname", namespace="dictnamespace", owner="dictowner"),
    {
        "template": (
            "(SELECT format('%I.%I', n.nspname, p.tmplname) FROM pg_ts_template p JOIN pg_namespace n ON n.oid = "
            "p.tmplnamespace WHERE p.oid = x.dicttemplate)"
        ),
        "options": "x.dictinitoption",
    },
    named="TEXT SEARCH DICTIONARY {object}",
)
