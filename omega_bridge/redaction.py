"""Database URLs without their secrets, and texts of others that may quote them. Loaded where something went wrong.

What is certain to be read as libpq reads it is shown but for its secrets; of anything else is shown what stands before the first
``:`` and behind the last ``@``. So a password is not shown whatever stands in it, escaped or not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

MASK = "***"

_KNOWN = {
    "application_name", "authtype", "channel_binding", "client_encoding", "connect_timeout", "dbname",
    "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname", "load_balance_hosts",
    "max_protocol_version", "min_protocol_version", "oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope",
    "options", "passfile", "password", "port", "replication", "require_auth", "requirepeer", "requiressl",
    "scram_client_key", "scram_server_key", "service", "servicefile", "sslcert", "sslcertmode", "sslcompression", "sslcrl",
    "sslcrldir", "sslkey", "sslkeylogfile", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslmode",
    "sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "tty", "user",
    "async_fallback", "command_timeout", "pool_size", "prepared_statement_cache_size", "prepared_statement_name_func",
    "server_settings", "ssl", "statement_cache_size", "timeout",
}  # fmt: skip
"""Names of libpq (18) and of SQLAlchemy's drivers. A text with another one may be a secret with ``&`` or a space in it."""

_SECRET = re.compile(r"pass|pwd|secret|token|key|credential|auth(?!type)|\.pw", re.I)
"""In the name of a setting whose value is not shown; ``options`` may hold such names in its value."""
_SETTING = re.compile(r"[\w.%-]*(?:pass|pwd|secret|token|key|credential)[\w.%-]*\s*=", re.I)

_NAME = re.compile(r"(\w+)\s*=")

_QUERY = re.compile(r"\?[\w.%-]+=")
_URL = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.S)
_HOSTS = re.compile(r"(?:\[[0-9A-Fa-f:.%]*\]|[\w.%~-]*)(?::\d{0,5})?(?:,(?:\[[0-9A-Fa-f:.%]*\]|[\w.%~-]*)(?::\d{0,5})?)*\Z")
_PAIR = re.compile(r"\s*(\w+)\s*=\s*('(?:\\.|[^'\\])*'|(?:\\.|[^\s'\\])*)(?=\s|\Z)", re.S)


def redact(database: str) -> str:
    """A URL or conninfo string for messages and records: without a password, and whatever else may be a secret."""
    url = _URL.fullmatch(database)
    if url is None:
        return _redacted_pairs(database)
    scheme, rest = url.groups()
    read = _read(rest)
    if read is None:
        return f"{scheme}://{_guessed(rest)}"
    user, _, place, query = read
    shown = "&".join(f"{name}={_shown(name, value)}" for name, value in query)
    return f"{scheme}://{user}{'@' if user else ''}{place}" + (f"?{shown}" if shown else "")


def is_clear(database: str) -> bool:
    """Whether its parts are certain: then libpq's words about one of them do not quote another one."""
    url = _URL.fullmatch(database)
    return _pairs(database) is not None if url is None else _read(url[2]) is not None


def without_secrets(text: str, databases: Iterable[str]) -> str:
    """A text that may quote the URLs or their secrets, without these."""
    secrets = {s for database in databases for s in (database, *_secrets(database)) if s}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def known_here(arguments: Iterable[str]) -> list[str]:
    """What may hold a secret, of the environment and of the arguments, for ``without_secrets``."""
    given = list(arguments)
    values = (*os.environ.values(), *given, *(g.partition("=")[2] for g in given))
    return [os.environ.get("PGPASSWORD", ""), *(v for v in values if "://" in v or "password" in v.lower())]


def _secrets(database: str) -> Iterator[str]:
    """What must not be quoted, as written and as it is meant."""
    url = _URL.fullmatch(database)
    read = _read(url[2]) if url else None
    found = [read[1]] if read else []
    pairs = read[3] if read else _pairs(database) or ()
    found += [value for name, value in pairs if _is_secret(name, value)]
    if not read and not pairs:
        rest = url[2] if url else database
        found.append(rest.partition(":")[2].rpartition("@")[0])
    for secret in found:
        plain = re.sub(r"\\(.)", r"\1", secret[1:-1] if secret[:1] == "'" else secret)
        yield from (secret, unquote(secret), plain)


def _read(rest: str) -> tuple[str, str, str, list[tuple[str, str]]] | None:
    """User, password, hosts with the database, and the query of what follows ``://``; ``None`` where that is not certain."""
    before, at, behind = rest.partition("@")
    if not at or ("?" in before and _query(before.partition("?")[2] + at + behind) is not None):
        before, behind = "", rest
    user, _, password = before.partition(":")
    place, mark, asked = behind.partition("?")
    query = _query(asked) if mark else []
    hosts, _, name = place.partition("/")
    strange = re.search(r"[\s/?#@\[\]]", before) or re.search(r"[\s@#/]", name)
    ports = (int(port) for port in re.findall(r":(\d+)(?=,|\Z)", hosts))
    if strange or query is None or not _HOSTS.match(hosts) or any(port > 65535 for port in ports):
        return None
    return user, password, place, query


def _query(text: str) -> list[tuple[str, str]] | None:
    found = []
    for part in text.split("&") if text else ():
        name, equals, value = part.partition("=")
        if part and (not equals or unquote(name).lower() not in _KNOWN):
            return None
        if part:
            found.append((unquote(name), value))
    return found


def _pairs(text: str) -> list[tuple[str, str]] | None:
    found, place = [], 0
    while text[place:].strip():
        pair = _PAIR.match(text, place)
        if pair is None or pair[1].lower() not in _KNOWN:
            return None
        found.append((pair[1], pair[2]))
        place = pair.end()
    return found or None


def _redacted_pairs(text: str) -> str:
    pairs = _pairs(text)
    return _guessed(text) if pairs is None else " ".join(f"{name}={_shown(name, value)}" for name, value in pairs)


def _shown(name: str, value: str) -> str:
    if _is_secret(name, value):
        return MASK
    plain = value[1:-1] if value[:1] == "'" else value
    return redact(plain) if name.lower() == "dbname" and re.search(r"[:=@]", plain) else value


def _is_secret(name: str, value: str) -> bool:
    return name.lower() not in ("require_auth", "sslrootcert") and bool(
        _SECRET.search(name) or (name.lower() in ("options", "server_settings") and _SECRET.search(unquote(value)))
    )


def _strange(text: str) -> int | None:
    """Where the value begins of the first setting whose name nobody knows: it may be the end of a secret's name, or of a secret."""
    return next((found.end() for found in _NAME.finditer(text) if found[1].lower() not in _KNOWN), None)


def _guessed(text: str) -> str:
    """What is shown of a text that is not understood."""
    query = _QUERY.search(text)
    if query is not None:
        return f"{_guessed(text[: query.start()])}?{MASK}"
    setting = _SETTING.search(text)
    if setting is not None:
        text = text[: setting.start()]
        if ":" not in text and "@" not in text:
            return f"{text}{setting[0]}{MASK}"
    elif (
        "@" not in text and (cut := _strange(text)) is not None and ":" not in text[:cut]
    ):  # behind a colon the name may be a password's
        return f"{text[:cut]}{MASK}"
    before, colon, _ = text.partition(":")
    if setting is None and "@" in text:
        user = f"{before}:" if colon and "@" not in before else ""
        return f"{user}{MASK}@{text.rpartition('@')[2]}"
    if colon and "@" not in before:
        return f"{before}:{MASK}"
    return text if "=" in text and "@" not in text else MASK


_LITERAL = re.compile(r"([\"»«“„](?:(?:[EBXN]|U&)?'|\$\w*\$))[\s\S]*([\"«»”“])")


def without_literal(message: str) -> str:
    """A syntax error without the string at which PostgreSQL stopped: of one without an end that is all that follows, of one behind a word
    that is spelled wrongly it may be a password.
    """
    return _LITERAL.sub(rf"\1{MASK}\2", message)
