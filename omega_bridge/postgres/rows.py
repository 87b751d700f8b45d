"""What rows two databases hold, compared by digests that the server makes: of each column, and of whole rows, in any order.

Left out are values that a sequence gave (serial and identity columns, and what refers to them), and the bridge's own tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from omega_bridge.postgres.session import Session

Table = tuple[str, str]
"""Schema and name."""

_COLUMNS = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attname) FILTER (WHERE NOT s.is_counted)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(o.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%'), false) AS is_counted
    FROM pg_catalog.pg_attribute o
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = o.attrelid AND d.adnum = o.attnum
    WHERE (o.attrelid, o.attnum) = (a.attrelid, a.attnum) OR EXISTS (
        SELECT FROM pg_catalog.pg_constraint k
        WHERE k.contype = 'f' AND k.conrelid = a.attrelid AND k.confrelid = o.attrelid AND a.attnum = ANY (k.conkey)
        AND k.confkey[pg_catalog.array_position(k.conkey, a.attnum)] = o.attnum)
) s
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.relname <> 'alembic_version'
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'omega_bridge', 'omega_bridge_sentinel')
GROUP BY 1, 2 ORDER BY 1, 2
"""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """A table's rows: how many, and a digest of each column's values."""

    count: int
    columns: Mapping[str, str]


def digests(session: Session) -> dict[Table, Rows]:
    """Every table that can be read."""
    return {
        (schema, name): found
        for schema, name, columns in session.rows(_COLUMNS)
        if (found := _rows(session, (schema, name), tuple(columns or ()))) is not None
    }


def _rows(session: Session, table: Table, columns: tuple[str, ...]) -> Rows | None:
    each = [_digest(sql.SQL("ROW(t.{})").format(sql.Identifier(column))) for column in columns]
    query = sql.SQL("SELECT {} FROM {} t").format(sql.SQL(", ").join([sql.SQL("count(*)"), *each]), sql.Identifier(*table))
    try:
        ((count, *found),) = session.rows(query.as_bytes(session.connection))
    except psycopg.Error:  # a foreign server, or a policy's function: what cannot be read is not compared
        session.rollback()
        return None
    return Rows(count, dict(zip(columns, map(str, found), strict=True)))


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
