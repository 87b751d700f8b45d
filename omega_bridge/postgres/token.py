"""The token of a schema: hashes over ``oid`` and ``xmin`` of the catalog rows behind a list's promises, as SQL.

Source of the premise: every DDL writes new catalog rows, with a new ``xmin``; ANALYZE and VACUUM update
``pg_class`` in place and keep it (PostgreSQL, ``vac_update_relstats`` in src/backend/commands/vacuum.c). ``SET DEFAULT``
writes ``pg_attribute``, ``CHECK`` and triggers write ``pg_class``, a unique constraint is its index in ``pg_class``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from omega_bridge.postgres.encoding import storable
from omega_bridge.postgres.watched import Watched

Connection = psycopg.Connection[Any]

_TABLE_OIDS = (
    "SELECT coalesce(array_agg(c.oid::int8 ORDER BY c.oid), '{{}}') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relname = ANY ({}) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') "
    "AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND n.nspname <> 'omega_bridge'"
)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one catalog that count. ``key`` tells them apart; ``scan``: read the whole catalog for them."""

    catalog: str
    key: str
    condition: str = ""
    scan: bool = False

    def __str__(self) -> str:
        """Their hash. A condition in ``FILTER`` is none that the planner would weigh."""
        found = f"SELECT sum(hashint8extended({self.key}, xmin::text::int8))"
        if not self.condition:
            return f"({found} FROM {self.catalog})"
        if self.scan:
            return f"({found} FILTER (WHERE {self.condition}) FROM {self.catalog})"
        return f"({found} FROM {self.catalog} WHERE {self.condition})"


def expressions(connection: Connection, watched: Watched) -> str:
    """The token's columns: what to select to get it."""
    tables = _one(connection, _TABLE_OIDS.format(f"{_literal(connection, watched.relations)}::name[]"))
    return ", ".join(f"{rows} AS token_{n}" for n, rows in enumerate(_rows(connection, watched, tables), start=1))


def _rows(connection: Connection, watched: Watched, tables: Sequence[int]) -> Iterable[_Rows]:
    sizes = Sizes.of(connection, tables)
    oids = "'{" + ",".join(map(str, tables)) + "}'::oid[]"
    scan = scans_classes(sizes, len(watched.relations))
    yield _Rows("pg_class", "oid::int8", _among(connection, "relname", watched.relations, hashed=scan), scan)
    attributes = f"attrelid = ANY ({oids}) AND attnum > 0"
    yield _Rows("pg_attribute", "(attrelid::int8 << 16) + attnum", attributes, scans_attributes(sizes))
    for catalog, owner, name in (
        ("pg_constraint", "conrelid", "conname"),
        ("pg_trigger", "tgrelid", "tgname"),
        ("pg_policy", "polrelid", "polname"),
    ):
        if catalog in watched.catalogs:
            loose = watched.loose.get(catalog)
            also = f" OR {_among(connection, name, loose)}" if loose else ""
            yield _Rows(catalog, "oid::int8", f"{owner} = ANY ({oids}){also}")
    if "pg_description" in watched.catalogs:
        named = [("pg_class", _among(connection, "relname", watched.relations))]
        named += [("pg_type", _among(connection, "typname", watched.types))] if watched.types else []
        named += [("pg_proc", _among(connection, "proname", watched.functions))] if watched.functions else []
        objects = " UNION ALL ".join(f"SELECT oid FROM {catalog} WHERE {condition}" for catalog, condition in named)
        yield _Rows("pg_description", "(objoid::int8 << 16) + objsubid", f"objoid = ANY (ARRAY({objects}))")
    if watched.types:
        types = _among(connection, "typname", watched.types)
        yield _Rows("pg_type", "oid::int8", types)
        if "pg_enum" in watched.catalogs:
            yield _Rows("pg_enum", "oid::int8", f"enumtypid = ANY (ARRAY(SELECT t.oid FROM pg_type t WHERE {types}))")
    if watched.functions:
        yield _Rows("pg_proc", "oid::int8", _among(connection, "proname", watched.functions))
    if "pg_extension" in watched.catalogs:
        yield _Rows("pg_extension", "oid::int8")
    if "pg_namespace" in watched.catalogs:
        yield _Rows("pg_namespace", "oid::int8", "nspname !~ '^pg_'")


def _among(connection: Connection, column: str, names: Iterable[str], *, hashed: bool = False) -> str:
    """A name is one of these. Hashed: four bytes a name, and not 64; another name of the same hash does no harm."""
    literal = f"{_literal(connection, names)}::name[]"
    if not hashed:
        return f"{column} = ANY ({literal})"
    hashes = _one(connection, f"SELECT coalesce(array_agg(DISTINCT hashname(n)), '{{}}') FROM unnest({literal}) n")
    return f"hashname({column}) = ANY ('{{{','.join(map(str, hashes))}}}'::int4[])"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows ``pg_class`` and ``pg_attribute`` have, and how many of the latter are of our tables."""

    classes: int
    attributes: int
    ours: int
    can_hash: bool
    """PostgreSQL 13 compares a row with every element of an array; later versions hash the array."""

    @classmethod
    def of(cls, connection: Connection, tables: Sequence[int]) -> Sizes:
        """Count them."""
        row = connection.execute(
            "SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute), "
            "(SELECT count(*) FROM pg_attribute WHERE attrelid = ANY (%s::int8[]::oid[]))",
            [list(tables)],
        ).fetchone()
        assert row is not None  # it has no FROM
        classes, attributes, ours = row
        return cls(classes, attributes, ours, connection.info.server_version >= 140000)


def scans_classes(sizes: Sizes, names: int) -> bool:
    """Whether reading all of ``pg_class`` beats looking up so many names, in a server process that has just started.

    Measured there: a condition that the planner weighs costs it 0.35 ms, a look-up 1.5 us, a row that is read 0.25 us.
    """
    return sizes.can_hash and sizes.classes < 1400 + 6 * names


def scans_attributes(sizes: Sizes) -> bool:
    """The same for ``pg_attribute`` and the rows of our tables."""
    return sizes.can_hash and sizes.attributes < 1700 + 1.5 * sizes.ours


def _literal(connection: Connection, names: Iterable[str]) -> str:
    return sql.Literal(storable(connection, names)).as_string(connection)


def _one(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # an aggregate always gives one row
    return row[0]
