"""Canonical text and checksum of a step: deaf to white space, comments and keyword case, not to a literal.

The lexer is PostgreSQL's own. The body of a ``DO`` block is canonical too; other string constants are kept exactly.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from omega_bridge.sql.lexer import COMMENTS, DOLLAR_QUOTED
from omega_bridge.sql.lexer import tokens as scan
from omega_bridge.sql.libpg_query import pb

ALGORITHM = "c1"
"""The tag of the checksum's format: a later format gets another, and this one stays readable."""

_BLANKS = " \t\n\r\f\v"
"""What PostgreSQL's lexer takes for white space, and nothing else of Unicode."""
_IDENT = pb.Token.Value("IDENT")
_SCONST = pb.Token.Value("SCONST")
_DO = pb.Token.Value("DO")
_LANGUAGE = pb.Token.Value("LANGUAGE")
_LOWER = {c: c + 32 for c in range(ord("A"), ord("Z") + 1)}  # PostgreSQL folds ASCII only in UTF-8 databases


@lru_cache(maxsize=16384)
def checksum(sql: str) -> str:
    """``c1:`` and the SHA-256 of the canonical text, in hexadecimal."""
    return f"{ALGORITHM}:{hashlib.sha256(canonical(sql).encode('utf-8', 'surrogatepass')).hexdigest()}"


def canonical(sql: str) -> str:
    """One line of tokens. A text that the lexer rejects is its own canonical form, stripped."""
    scanned = scan(sql)
    if scanned is None:
        return sql.strip(_BLANKS)
    tokens = [t for t in scanned if t.token not in COMMENTS]
    raw = sql.encode()
    texts = [raw[t.start : t.end].decode() for t in tokens]
    block = bool(tokens) and tokens[0].token == _DO and _is_plpgsql(tokens, texts)
    parts = []
    for token, text in zip(tokens, texts, strict=True):
        if token.keyword_kind or (token.token == _IDENT and not text.startswith('"') and text[:2] not in ("U&", "u&")):
            parts.append(text.translate(_LOWER))
        elif block and token.token == _SCONST and (body := DOLLAR_QUOTED.match(text)):
            parts.append(f"$${canonical(body[2])}$$")
        else:
            parts.append(text)
    while parts and parts[-1] == ";":
        parts.pop()
    return " ".join(parts)


def on_one_line(sql: str) -> str:
    """The text with every run of white space and comments between tokens as one blank; as it is where a token is longer.

    A function's body or a literal over several lines keeps the text as written.
    """
    tokens = scan(sql)
    if tokens is None:
        return sql
    raw = sql.encode()
    parts: list[str] = []
    end = 0
    for token in tokens:
        if token.token in COMMENTS:
            continue
        text = raw[token.start : token.end].decode()
        if "\n" in text:
            return sql
        parts.append((" " if parts and token.start > end else "") + text)
        end = token.end
    return "".join(parts)


def _is_plpgsql(tokens: list[pb.ScanToken], texts: list[str]) -> bool:
    for token, following in zip(tokens, texts[1:], strict=False):
        if token.token == _LANGUAGE:
            return following.strip("'\"").lower() == "plpgsql"
    return True
