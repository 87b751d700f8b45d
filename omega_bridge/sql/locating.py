"""Where in a ``DO`` block does PL/pgSQL's complaint arise? libpg_query gives the message without a place.

The text is cut short behind one token after the other, in bisection: the complaint comes as soon as its token is there.
"""

from __future__ import annotations

import re

from omega_bridge.regexes import regex
from omega_bridge.sql import libpg_query
from omega_bridge.sql.lexer import DOLLAR_QUOTED, tokens
from omega_bridge.sql.libpg_query import pb

_NEAR = regex(r'at or near "(.*)"\Z', re.S)


def in_block(text: str, message: str) -> int | None:
    """The offset, in characters, of the token that ``message`` is about; ``None`` where it is not inside a dollar-quoted body."""
    raw = text.encode()
    for token in tokens(text) or ():
        quoted = raw[token.start : token.end].decode()
        body = DOLLAR_QUOTED.match(quoted) if token.token == pb.Token.Value("SCONST") else None
        if body is not None:
            before, after = raw[: token.start].decode() + body[1], body[1] + raw[token.end :].decode()
            return _first(before, body[2], after, message)
    return None


def _first(before: str, body: str, after: str, message: str) -> int | None:
    raw, found = body.encode(), tokens(body)
    if not found:
        return None
    low, high = 0, len(found) - 1
    while low < high:
        middle = (low + high) // 2
        cut = raw[: found[middle].end].decode()
        if _complaint(before + cut + after) == message:
            high = middle
        else:
            low = middle + 1
    named = _NEAR.search(message)
    if named is not None:  # an inner statement is read to its end before it is found wrong
        while low > 0 and raw[found[low].start : found[low].end].decode().lower() != named[1].lower():
            low -= 1
    return len(before) + len(raw[: found[low].start].decode())


def _complaint(text: str) -> str | None:
    try:
        libpg_query.parse_plpgsql(text)
    except libpg_query.PgQueryError as exc:
        return str(exc.message)
    except ValueError:
        return None
    return None
