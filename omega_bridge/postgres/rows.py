"""What rows two databases hold, compared by digests that the server makes: of each column, and of whole rows, in any order.

Left out are the bridge's own tables and, if it is asked for, what a sequence may have given: serial and identity columns, what refers to them,
and what a materialized view has under such a column's name. Where a sequence stands is read apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from omega_bridge.postgres.session import Session

Table = tuple[str, str]
"""Schema and name."""

_COLUMNS = """
WITH counted AS MATERIALIZED (
    SELECT o.attrelid, o.attnum
    FROM pg_catalog.pg_attribute o
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = o.attrelid AND d.adnum = o.attnum
    WHERE o.attrelid >= 16384 AND (o.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE '%%nextval(%%')
), a AS MATERIALIZED (
    SELECT a.attrelid, a.attname, (a.attrelid, a.attnum) IN (SELECT attrelid, attnum FROM counted) OR EXISTS (
        SELECT FROM pg_catalog.pg_constraint k
        JOIN counted o ON o.attrelid = k.confrelid AND o.attnum = k.confkey[pg_catalog.array_position(k.conkey, a.attnum)]
        WHERE k.contype = 'f' AND k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey)
    ) AS is_counted
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT n.nspname, c.relname, c.relkind = 'm', c.relispopulated, array_agg(a.attname::text ORDER BY a.attname) FILTER (
    WHERE %s OR NOT a.is_counted AND NOT (c.relkind = 'm' AND a.attname IN (SELECT o.attname FROM a o WHERE o.is_counted)))
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relname <> 'alembic_version'
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'omega_bridge', 'omega_bridge_sentinel')
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2
"""
_SEQUENCES = """
SELECT n.nspname, c.relname, ARRAY(
    SELECT o.relname::text FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class o ON o.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't'
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'omega_bridge', 'omega_bridge_sentinel')
ORDER BY 1, 2
"""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """A table's rows: how many, a digest of each column's values, and one of whole rows.

    ``count`` is ``None`` for a materialized view that was never filled.
    """

    count: int | None
    columns: Mapping[str, str]
    whole: str = ""
    is_view: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sequence stands. ``of``: the table to whose column it belongs."""

    last_value: int
    is_called: bool
    of: str

    def __str__(self) -> str:
        return f"{self.last_value}{'' if self.is_called else ', not called yet'}"


def digests(session: Session, *, counted: bool = False) -> dict[Table, Rows]:
    """Every table and materialized view that can be read. ``counted``: with what a sequence may have given."""
    every: dict[Table, Rows] = {}
    for schema, name, is_view, is_filled, columns in session.rows(_COLUMNS, (counted,)):
        found = _rows(session, (schema, name), tuple(columns or ())) if is_filled else Rows(None, {})
        if found is not None:
            every[schema, name] = replace(found, is_view=is_view)
    return every


def _rows(session: Session, table: Table, columns: tuple[str, ...]) -> Rows | None:
    each = [_digest(sql.SQL("ROW(t.{})").format(sql.Identifier(column))) for column in columns]
    whole = _digest(sql.SQL("ROW({})").format(sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(c)) for c in columns)))
    query = sql.SQL("SELECT {} FROM {} t").format(sql.SQL(", ").join([sql.SQL("count(*)"), whole, *each]), sql.Identifier(*table))
    try:
        ((count, whole_digest, *found),) = session.rows(query.as_bytes(session.connection))
    except psycopg.Error:  # a foreign server, or a policy's function: what cannot be read is not compared
        session.rollback()
        return None
    return Rows(count, dict(zip(columns, map(str, found), strict=True)), str(whole_digest))


def sequences(session: Session) -> dict[Table, Standing]:
    """Every sequence that can be read."""
    found: dict[Table, Standing] = {}
    for schema, name, tables in session.rows(_SEQUENCES):
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(schema, name))
        try:
            ((last_value, is_called),) = session.rows(query.as_bytes(session.connection))
        except psycopg.Error:  # another role's
            session.rollback()
            continue
        found[schema, name] = Standing(last_value, is_called, tables[0] if tables else "")
    return found


def only_in(one: Session, other: Session, table: Table, columns: Collection[str]) -> tuple[list[str], list[str]]:
    """Rows, as text, that one of both databases has more often than the other; no more than three of each."""
    left, right = (Counter(_texts(session, table, columns)) for session in (one, other))
    return sorted(left - right)[:_SHOWN], sorted(right - left)[:_SHOWN]


def _texts(session: Session, table: Table, columns: Collection[str]) -> Iterator[str]:
    listed = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(column)) for column in sorted(columns))
    query = sql.SQL("SELECT ROW({})::text FROM {} t").format(listed, sql.Identifier(*table))
    rows: list[Any] = session.rows(query.as_bytes(session.connection))
    return (text for (text,) in rows)


def _digest(row: sql.Composable) -> sql.Composable:
    """The same for the same values in any order; one value more or less makes another."""
    return sql.SQL('coalesce(sum(hashtextextended({}::text COLLATE "C", 0)::numeric), 0)').format(row)
