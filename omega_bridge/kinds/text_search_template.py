"""A text search template."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.kinds.statements import COMMENT, DROP, NONE, RENAME, SET_SCHEMA, Statements, unnamed
from omega_bridge.tags import Tag

ROOM = Room(
    Kind.TEXT_SEARCH_TEMPLATE,
    Stored("pg_ts_template", "x.tmplname", namespace="tmplnamespace"),
    {
        "functions": "concat_ws(', ', x.tmplinit::regproc, x.tmpllexize::regproc)",
    },
    named="TEXT SEARCH TEMPLATE {object}",
    statements=Statements(
        create=unnamed(Tag.DEFINE),
        alter=NONE,
        drop=DROP,
        comment=COMMENT,
        rename=RENAME,
        owner=NONE,
        grant=NONE,
        set_schema=SET_SCHEMA,
    ),
    counted=(Counted("pg_ts_template"),),
)
