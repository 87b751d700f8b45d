"""A text search template."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.TEXT_SEARCH_TEMPLATE,
    Stored("pg_ts_template", "x.tmplname", namespace="tmplnamespace"),
    {
        "functions": "concat_ws(', ', x.tmplinit::regproc, x.tmpllexize::regproc)",
    },
    named="TEXT SEARCH TEMPLATE {object}",
)
