"""Our own catalog query with each function named in full.

It is read under the search path of who starts, because names are printed by it. PostgreSQL takes the function that fits the types
best, wherever the path leads (PostgreSQL's manual, "Function Type Resolution"): one that takes ``anyelement``, or any number of
arguments, fits worse than what a stranger may have put into a schema of the path.
"""

from __future__ import annotations

import re
from functools import lru_cache

from omega_bridge.regexes import regex

_WORDS = {
    "all", "and", "any", "array", "as", "by", "case", "cast", "coalesce", "distinct", "else", "exists", "extract", "filter", "from",
    "greatest", "having", "in", "is", "join", "lateral", "least", "like", "materialized", "not", "nullif", "on", "only", "operator", "or",
    "over", "partition", "row", "select", "then", "union", "using", "values", "when", "where", "with", "within", "except",
}  # fmt: skip
"""What may stand before a parenthesis and is no function."""

_PARTS = regex(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|([A-Za-z_][\w$]*)(?=\s*\()", re.ASCII)
_BEFORE = regex(r"(?:\.|\bas|\)\s*(?:as)?)\s*\Z", re.I)


@lru_cache(maxsize=8)
def qualified(text: str) -> str:
    """The text with ``pg_catalog.`` before the name of each function that has no schema."""

    def full(match: re.Match[str]) -> str:
        name = match[1]
        if name is None or name.lower() in _WORDS or _is_named_otherwise(text, match.start(), match.end()):
            return match[0]
        return f"pg_catalog.{name}"

    return _PARTS.sub(full, text)


def _is_named_otherwise(text: str, start: int, end: int) -> bool:
    """Whether the name has a schema, or is that of a column, an alias or a ``WITH`` query."""
    before = text[max(start - 12, 0) : start]
    return before.rstrip(" ").endswith(".") or bool(_BEFORE.search(before))
