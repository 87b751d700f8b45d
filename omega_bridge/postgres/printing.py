"""Values read as PostgreSQL prints them by default, whatever ``DateStyle``, ``IntervalStyle`` and their like the database or role has set.

The session keeps its own settings for the steps: a list may mean them. Both are reported by the server, so that knowing
them costs nothing (PostgreSQL's manual, "Asynchronous Operations" of the frontend/backend protocol).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import pq, sql
from psycopg.rows import TupleRow

_DEFAULTS = {"DateStyle": "ISO", "IntervalStyle": "postgres"}


def is_default(connection: psycopg.Connection[TupleRow]) -> bool:
    """Whether dates and intervals are printed in their default form as it is."""
    return all((connection.info.parameter_status(n) or d).split(",")[0] == d for n, d in _DEFAULTS.items())


@contextmanager
def by_default(connection: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """Inside the block, dates and intervals are printed in their default form. Two statements more where they are not anyway."""
    found = {name: connection.info.parameter_status(name) or default for name, default in _DEFAULTS.items()}
    changed = {name: value for name, value in found.items() if value.split(",")[0] != _DEFAULTS[name]}
    if not changed:
        yield
        return
    _set(connection, {name: _DEFAULTS[name] for name in changed})
    try:
        yield
    finally:
        if connection.info.transaction_status != pq.TransactionStatus.INERROR:  # a rollback takes it back by itself
            _set(connection, changed)


def _set(connection: psycopg.Connection[TupleRow], values: dict[str, str]) -> None:
    for name, value in values.items():
        connection.execute(sql.SQL("SELECT set_config({}, {}, false)").format(name, value))


_ALIKE = {
    **_DEFAULTS, "TimeZone": "UTC", "bytea_output": "hex", "extra_float_digits": "1", "lc_monetary": "C", "quote_all_identifiers": "off",
}  # fmt: skip
"""Whatever changes how PostgreSQL prints a type, a name or a constant."""


@contextmanager
def alike(connection: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """Inside the block, everything is printed as on any other server of the release: what is read is held against another database."""
    found = {name: str(value) for name, value in connection.execute(_SETTINGS, (list(_ALIKE),)).fetchall()}
    changed = {name: value for name, value in found.items() if value != _ALIKE[name]}
    _set(connection, {name: _ALIKE[name] for name in changed})
    try:
        yield
    finally:
        if connection.info.transaction_status != pq.TransactionStatus.INERROR:
            _set(connection, changed)


_SETTINGS = b"SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.unnest(%s::pg_catalog.text[]) AS asked(name)"


def takes_escapes(connection: psycopg.Connection[TupleRow]) -> bool:
    """Whether a backslash in an ordinary literal is an escape here (``standard_conforming_strings = off``)."""
    return connection.info.parameter_status("standard_conforming_strings") == "off"
