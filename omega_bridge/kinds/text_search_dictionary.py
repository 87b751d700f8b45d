"""A text search dictionary."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, OWNER, RENAME, SET_SCHEMA, Statements, unnamed
from omega_bridge.tags import Tag

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
    statements=Statements(
        create=unnamed(Tag.DEFINE),
        alter=unnamed(Tag.ALTER_TSDICTIONARY),
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=OWNER,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_ts_dict"),),
)
