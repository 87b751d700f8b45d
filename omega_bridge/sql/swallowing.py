"""Makes a step tell what its exception handlers hide. PL/pgSQL has no deparser: this works on the text, by tokens."""

from __future__ import annotations

import re

from omega_bridge.sql import libpg_query
from omega_bridge.sql.lexer import COMMENTS, DOLLAR_QUOTED
from omega_bridge.sql.lexer import tokens as scan
from omega_bridge.sql.libpg_query import pb


def unswallowed(sql: str) -> str | None:
    """The step's text with ``RAISE;`` first in every exception handler of its ``DO`` blocks; ``None`` without handlers."""
    tokens = scan(sql)
    if tokens is None:
        return None
    raw = sql.encode()
    parts: list[bytes] = []
    done = 0
    for token in tokens:
        if token.token != pb.Token.Value("SCONST"):
            continue
        body = DOLLAR_QUOTED.match(raw[token.start : token.end].decode())
        changed = _raising(body[2]) if body else None
        if body and changed is not None:
            parts += [raw[done : token.start], f"{body[1]}{changed}{body[1]}".encode()]
            done = token.end
    if not parts:
        return None
    text = b"".join([*parts, raw[done:]]).decode()
    try:
        libpg_query.parse(text)
    except libpg_query.PgQueryError:
        return None
    return text


def _raising(body: str) -> str | None:
    """The body with its handlers raising; a handler is ``WHEN <conditions> THEN`` after a bare ``EXCEPTION``."""
    tokens = [t for t in scan(body) or () if t.token not in COMMENTS]
    raw = body.encode()
    words = [raw[t.start : t.end].decode().upper() for t in tokens]
    places, inside, position = [], False, 0
    while position < len(words):
        if (
            words[position] == "EXCEPTION"
            and words[position - 1 : position] != ["RAISE"]
            and words[position + 1 : position + 2] == ["WHEN"]
        ):
            inside = True
        if inside and words[position] == "WHEN" and words[position - 1] in ("EXCEPTION", ";", "THEN"):
            end = position + 1
            while end < len(words) and words[end] not in ("THEN", ";", "WHEN"):
                end += 1
            if end < len(words) and words[end] == "THEN" and _are_conditions(words[position + 1 : end]):
                places.append(tokens[end].end)
                position = end
        position += 1
    if not places:
        return None
    for place in reversed(places):
        raw = raw[:place] + b" RAISE;" + raw[place:]
    return raw.decode()


def _are_conditions(words: list[str]) -> bool:
    return bool(words) and all(re.fullmatch(r"[A-Z_]+|'[0-9A-Z]{5}'", w) for w in words)
