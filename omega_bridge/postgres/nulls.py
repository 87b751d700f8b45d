"""How many rows stand in the way of a ``SET NOT NULL``: asked of the server before the step is sent, read-only."""

from __future__ import annotations

import psycopg
from psycopg import sql

from omega_bridge.analysis.program import VISIBLE
from omega_bridge.catalog import Key
from omega_bridge.postgres.session import Session

MOST = 1000
"""Rows that are counted; more are told as more."""
_WITHIN = "2s"
_QUESTION = "SELECT pg_catalog.count(*) FROM (SELECT FROM {} WHERE {} IS NULL LIMIT {}) found"


def without_value(session: Session, column: Key) -> int | None:
    """The rows whose column is NULL, up to one more than ``MOST``; ``None`` where the server does not say so in two seconds."""
    table = sql.Identifier(*([] if column.schema == VISIBLE else [column.schema]), column.table)
    question = sql.SQL(_QUESTION).format(table, sql.Identifier(column.name), sql.Literal(MOST + 1))
    try:
        with session.connection.transaction(force_rollback=True):
            session.connection.execute(f"SET LOCAL statement_timeout = '{_WITHIN}'; SET LOCAL lock_timeout = '{_WITHIN}'")
            row = session.connection.execute(question).fetchone()
    except psycopg.Error:
        return None
    return int(row[0]) if row is not None else None
