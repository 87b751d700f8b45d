"""A text search parser."""

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room, Stored

ROOM = Room(
    Kind.TEXT_SEARCH_PARSER,
    Stored("pg_ts_parser", "x.prsname", namespace="prsnamespace"),
    {
        "functions": (
            "concat_ws(', ', x.prsstart::regproc, x.prstoken::regproc, x.prsend::regproc, x.prsheadline::regproc, "
            "x.prslextype::regproc)"
        ),
    },
    named="TEXT SEARCH PARSER {object}",
)
