"""A text's tokens, by PostgreSQL's own lexer, and the text as it goes to the server."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from omega_bridge.errors import StepSyntaxError
from omega_bridge.regexes import regex
from omega_bridge.sql import libpg_query
from omega_bridge.sql.libpg_query import pb

COMMENTS = frozenset({pb.Token.Value("SQL_COMMENT"), pb.Token.Value("C_COMMENT")})
DOLLAR_QUOTED = regex(r"\A(\$[^$]*\$)(.*)\1\Z", re.S)
_PLAIN_NAME = regex(r"[a-z_][a-z0-9_]*")
_IDENT = pb.Token.Value("IDENT")
_SCONST = pb.Token.Value("SCONST")


def sendable(text: str) -> bytes:
    """The text in UTF-8. Raises ``StepSyntaxError`` for what no server can be sent alone: what ``encoded`` raises it for, and a ``COPY``
    whose rows the client gives or takes: the server would wait for them for ever.
    """
    raw = encoded(text)
    if _WITH_CLIENT.search(text) is not None and _copies_with_client([word.upper() for word in words(text)]):
        raise StepSyntaxError(
            "COPY ... FROM STDIN and TO STDOUT exchange rows with the client, and a step has none to give or to take",
            hint="Write the rows as INSERT ... VALUES, or COPY from a file of the server's.",
        )
    return raw


_WITH_CLIENT = regex(r"\bcopy\b.*\bstd(in|out)\b", re.IGNORECASE | re.DOTALL, only_with=("copy",))


def _copies_with_client(found: list[str]) -> bool:
    starts = [n for n in range(len(found)) if n == 0 or found[n - 1] == ";"]
    ends = [*starts[1:], len(found)]
    return any(
        found[start] == "COPY" and any(pair in (("FROM", "STDIN"), ("TO", "STDOUT")) for pair in pairwise(found[start:end]))
        for start, end in zip(starts, ends, strict=True)
    )


def encoded(text: str) -> bytes:
    """The text in UTF-8. Raises ``StepSyntaxError`` for NUL, which would cut it short, and for half a surrogate pair."""
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
        encoded(text)
        return list(libpg_query.scan(text).tokens)
    except (libpg_query.PgQueryError, StepSyntaxError):
        return None


def words(text: str) -> list[str]:
    """The text's tokens as they are written, without comments; none of a text that the lexer rejects."""
    raw = text.encode("utf-8", "surrogatepass")
    return [raw[t.start : t.end].decode("utf-8", "replace") for t in tokens(text) or () if t.token not in COMMENTS]


def ends_transaction(text: str) -> bool:
    """Whether a statement of a text begins like one that ends a transaction; also of a text that only a newer server can read."""
    found = [word.upper() for word in words(text)]
    starts = [n for n in range(len(found)) if n == 0 or found[n - 1] == ";"]
    return any(
        found[n] in ("COMMIT", "END", "ROLLBACK", "ABORT") or found[n : n + 2] == ["PREPARE", "TRANSACTION"] for n in starts
    )


_OPENING = (";", "BEGIN", "THEN", "ELSE", "LOOP")
"""What stands before a statement of PL/pgSQL."""


def commits_within(text: str) -> bool:
    """Whether a block in a text holds a ``COMMIT`` or ``ROLLBACK`` of its own: inside a transaction PostgreSQL rejects it (2D000)."""
    return any(_begins(body, ("COMMIT", "ROLLBACK")) for body in _bodies(words(text)))


def may_commit(text: str) -> bool:
    """Whether a text commits as it goes, or may do so by a procedure that it calls. Among several statements none may: they are one transaction."""
    found = words(text)
    verb = found[0].upper() if found and ";" not in found[:-1] else ""
    return verb == "CALL" or (verb == "DO" and any(_begins(body, ("CALL",)) for body in _bodies(found))) or commits_within(text)


def _bodies(found: Iterable[str]) -> Iterator[list[str]]:
    """What dollar quotes hold, as words."""
    for written in found:
        if body := DOLLAR_QUOTED.match(written):
            yield [word.upper() for word in words(body[2])]


def _begins(body: Sequence[str], verbs: Collection[str]) -> bool:
    """Whether a statement of a body begins with one of the ``verbs``."""
    return any(word in verbs and body[n - 1] in _OPENING for n, word in enumerate(body) if n)


def comments(text: str) -> Iterator[str]:
    """The text's comments, those inside dollar-quoted bodies too; none of a text that the lexer rejects."""
    raw = text.encode("utf-8", "surrogatepass")
    for token in tokens(text) or ():
        if token.token in COMMENTS:
            yield raw[token.start : token.end].decode()
        elif token.token == _SCONST and (body := DOLLAR_QUOTED.match(raw[token.start : token.end].decode())):
            yield from comments(body[2])


def identifier(*parts: str) -> str:
    """A name as SQL, each part quoted where it has to be; empty parts are left out."""
    return ".".join(_quoted(part) for part in parts if part)


@lru_cache(maxsize=4096)
def _quoted(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name):
        (token,) = libpg_query.scan(name).tokens
        if token.keyword_kind in (pb.NO_KEYWORD, pb.UNRESERVED_KEYWORD):
            return name
    return '"' + name.replace('"', '""') + '"'


def is_reserved(name: str) -> bool:
    """Whether a name is a reserved word (the manual's appendix "SQL Key Words"): it needs quotes wherever it stands."""
    if not _PLAIN_NAME.fullmatch(name):
        return False
    (token,) = libpg_query.scan(name).tokens
    return bool(token.keyword_kind == pb.RESERVED_KEYWORD)


def long_names(text: str, most: int) -> Iterator[str]:
    """The identifiers of a text that have more bytes than ``most``, as they are written, without their quotes."""
    raw = text.encode("utf-8", "surrogatepass")
    for token in tokens(text) or ():
        if token.token == _IDENT and len(name := raw[token.start : token.end].decode().strip('"')) and len(name.encode()) > most:
            yield name
