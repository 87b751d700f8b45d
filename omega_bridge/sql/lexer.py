"""A text's tokens, by PostgreSQL's own lexer, and the text as it goes to the server."""

from __future__ import annotations

import postgast
from postgast import pg_query_pb2 as pb

from omega_bridge.errors import StepSyntaxError


def sendable(text: str) -> bytes:
    """The text in UTF-8. Raises ``StepSyntaxError`` for what no server can be sent: NUL (it would cut the text short), half a pair."""
    try:
        raw = text.encode()
    except UnicodeEncodeError as exc:
        raise StepSyntaxError(
            f"the text holds {text[exc.start]!a}, half of a surrogate pair, which is no character",
            hint="Write the character itself, or its escape \\UXXXXXXXX.",
        ) from exc
    if 0 in raw:
        raise StepSyntaxError("the text holds a NUL character, which PostgreSQL cannot take", hint="Remove it.")
    return raw


def tokens(text: str) -> list[pb.ScanToken] | None:
    """The tokens, comments among them; offsets are in bytes. ``None`` for a text that the lexer rejects."""
    try:
        sendable(text)
        return list(postgast.scan(text).tokens)
    except (postgast.PgQueryError, StepSyntaxError):
        return None
