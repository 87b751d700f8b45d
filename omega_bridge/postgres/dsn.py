"""Database URLs: libpq's and SQLAlchemy's forms in, libpq's out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.regexes import regex

_FOREIGN = {
    "prepared_statement_cache_size", "async_fallback", "prepared_statement_name_func", "statement_cache_size",
    "server_settings", "command_timeout", "timeout", "pool_size",
}  # fmt: skip
_PLAIN = regex(
    rf"(?:(?!(?:ssl|{'|'.join(sorted(_FOREIGN))})=)\w+=[\w.~:/@,*-]+(?:&(?!$)|$))*", re.ASCII
)  # fmt: skip
"""A query that libpq takes as it is: its own names, and values without an escape. What it would refuse is written anew."""


ESCAPES = (
    "Write postgresql://user:password@host:5432/database, and what is special in user and password as in a URL: "
    "/ is %2F, : %3A, @ %40, # %23, ? %3F, % %25, a space %20."
)


def normalise(database: object) -> str:
    """A libpq URL or conninfo string from a URL, an ``Engine``, an ``AsyncEngine`` or SQLAlchemy's ``URL``.

    Raises ``ConfigurationInvalid`` for another database's URL.
    """
    text = _text(database)
    scheme, mark, rest = text.partition("://")
    if not mark or not _is_scheme(scheme):
        if "=" in text:
            return text
        from omega_bridge.redaction import redact

        raise ConfigurationInvalid(
            f"{redact(text)!r} is no database URL",
            hint="Use postgresql://user@host:5432/database, or a libpq string (host=... dbname=...).",
        )
    kind, _, driver = scheme.lower().partition("+")
    if kind not in ("postgres", "postgresql") or (kind != scheme.lower() and not _is_driver(driver)):
        raise ConfigurationInvalid(
            f"the database URL begins with {text.partition('://')[0]}://, which is not PostgreSQL",
            hint="omega-bridge speaks to PostgreSQL only: postgresql://user@host:5432/database.",
        )
    before, at, _ = rest.partition("@")  # libpq takes a "?" in a password as it is
    start = rest.find("?", len(before) + 1 if at and "/" not in before else 0)
    base, query = (rest[:start], rest[start + 1 :]) if start >= 0 else (rest, "")
    if not query or _PLAIN.fullmatch(query):
        return f"postgresql://{rest}"
    pairs = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "ssl":
            pairs.append(
                (
                    "sslmode",
                    {"true": "require", "false": "disable", "1": "require", "0": "disable"}.get(value.lower(), value),
                )
            )
        elif name not in _FOREIGN:
            pairs.append((name, value))
    return f"postgresql://{base}" + (f"?{urlencode(pairs, quote_via=quote)}" if pairs else "")


def _is_scheme(text: str) -> bool:
    """A letter, then letters, digits and ``+.-``."""
    return text.isascii() and text[:1].isalpha() and text.translate(_WITHOUT).isalnum()


def _is_driver(text: str) -> bool:
    """Letters, digits and underscores."""
    return text.isascii() and text.replace("_", "a").isalnum()


_WITHOUT = dict.fromkeys(map(ord, "+.-"))


def _text(database: Any) -> str:
    if isinstance(database, str):
        return database
    url = getattr(getattr(database, "sync_engine", database), "url", database)
    render = getattr(url, "render_as_string", None)
    if render is None:
        raise ConfigurationInvalid(
            f"a database is given as {type(database).__name__}", hint="Pass a URL, an Engine or an AsyncEngine."
        )
    return str(render(hide_password=False))


def connection_parameters(dsn: str) -> dict[str, object]:
    """libpq's parameters by name, from a URL or conninfo string. They hold the password: for a driver, not for a log.

    The encoding is UTF-8 whatever the DSN says: in a database of SQL_ASCII psycopg would give bytes for text.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {**conninfo_to_dict(dsn), "client_encoding": "utf8"}
    except (ProgrammingError, ValueError):  # its words may quote a part of the password
        raise unreadable(dsn) from None


def unreadable(dsn: str) -> ConfigurationInvalid:
    """The error of a URL or conninfo string that libpq does not take."""
    from omega_bridge.redaction import redact

    return ConfigurationInvalid(f"the database URL makes no sense to libpq: {redact(dsn)}", hint=ESCAPES)


def conninfo(parameters: Mapping[str, object]) -> str:
    r"""libpq's parameters as one string: each value in quotes, with a backslash before its quotes and backslashes.

    Source: PostgreSQL's documentation, "Keyword/Value Connection Strings". psycopg's own reads all again, to check it.
    """
    return " ".join(f"{name}='{_escaped(str(value))}'" for name, value in parameters.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
