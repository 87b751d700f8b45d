"""What the last start saw in a schema, beside its state: written where a start records one anyway, and read by ``drift``.

The text is the one that the catalog's digest was made of, so it costs a start next to nothing. An older release, which knows
nothing of it, writes the state alone: then the digests differ, and there is nothing to read.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.own_tables import There
from omega_bridge.postgres.printing import by_default
from omega_bridge.values import dataclass

Connection = psycopg.Connection[TupleRow]

KEPT = (
    "WITH kept AS (INSERT INTO omega_bridge.omega_bridge_catalogs (schema, digest, catalog)"
    " VALUES (coalesce(pg_catalog.current_schema(), ''), %s, %s) ON CONFLICT (schema) DO UPDATE SET digest = excluded.digest,"
    " catalog = excluded.catalog) "
)
"""Ahead of the statement that writes the state."""
_FOUND = (
    "SELECT c.catalog, c.digest, s.names, s.at FROM {catalogs} c JOIN {states} s"
    " ON s.schema OPERATOR(pg_catalog.=) c.schema AND s.catalog_digest OPERATOR(pg_catalog.=) c.digest"
    " WHERE c.schema OPERATOR(pg_catalog.=) %s::pg_catalog.text"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """``catalog``: the objects that carry one of ``names``, as the last start left them. ``at``: when, in ISO format. ``made``: by the
    checksum of a step of unknown effect, the schema and name of what it made or changed; its names are among them.
    """

    catalog: Catalog
    names: tuple[str, ...]
    at: str
    made: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)


_AND_MADE = b"\n"
"""Between the text of the catalog, which has none, and what steps of unknown effect made."""


def text(
    connection: Connection, catalog: Catalog, names: Collection[str], made: Mapping[str, Sequence[tuple[str, str]]]
) -> bytes:
    """What is kept of a ``catalog`` that was read by ``names``: its text; behind it what steps made, and that as it is, where it is no
    part of the catalog.
    """
    if not any(made.values()):
        return catalog.text()
    further = {name for objects in made.values() for _, name in objects} - {*names}
    objects = read_catalog(connection, further).objects if further else {}
    more = Catalog({key: attributes for key, attributes in objects.items() if key not in catalog})
    told = {"made": made, "names": sorted(further)}
    return _AND_MADE.join([catalog.text(), json.dumps(told).encode(), more.text()])


def row(digest: str, catalog: bytes) -> tuple[str, bytes]:
    """The values that ``KEPT`` takes."""
    return digest, zlib.compress(catalog, 1)


def recall(connection: Connection) -> Seen | None:
    """What the last start saw in the current schema; ``None`` where no release left it, or this role may not read it, or a hand has changed it."""
    there = There.of(connection)
    if there.catalogs is None or there.states is None:
        return None
    may = connection.execute("SELECT pg_catalog.has_table_privilege(%s::pg_catalog.text, 'SELECT')", (there.catalogs,)).fetchone()
    if may is None or not may[0]:
        return None
    with by_default(connection):
        asked = _FOUND.format(catalogs=there.catalogs, states=there.states)
        try:
            found = connection.execute(asked.encode(), (there.here,)).fetchone()
        except psycopg.DataError as exc:
            if exc.sqlstate is not None:
                raise
            return None  # a time that Python has no value for
    try:
        return None if found is None else _seen(*found)
    except (zlib.error, ValueError, TypeError, LookupError, AttributeError):
        return None  # somebody has changed it


def _seen(kept: bytes, digest: str, names: Sequence[str], at: datetime) -> Seen | None:
    plain, *more = zlib.decompress(kept).split(_AND_MADE)
    if hashlib.sha256(plain).hexdigest() != digest:
        return None
    told = json.loads(more[0]) if more else {"made": {}, "names": []}
    objects = {
        Key(Kind(kind), *where): attributes for part in (plain, *more[1:]) for kind, *where, attributes in json.loads(part)
    }
    made = {checksum: frozenset(tuple(one) for one in those) for checksum, those in told["made"].items()}
    every = (*names, *told["names"])
    if not all(isinstance(name, str) for name in every) or not all(isinstance(has, dict) for has in objects.values()):
        raise TypeError
    return Seen(Catalog(objects), every, at.isoformat(timespec="seconds"), made)
