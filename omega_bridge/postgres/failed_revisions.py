"""Revisions that stand failed: something of them was rejected when they ran last, and neither has a start been clean since nor a
further pass of the history, which runs the same step once more, been taken.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.postgres.own_tables import There

_FAILING = """
SELECT last.subject, last.detail FROM (SELECT DISTINCT ON (l.subject) l.subject, l.checksum, l.outcome, l.seq, l.at, l.detail FROM {ledger} l
    WHERE l.driver OPERATOR(pg_catalog.=) 'alembic' AND l.event OPERATOR(pg_catalog.=) ANY ('{{upgrade,downgrade,stamp}}'::pg_catalog.text[])
    ORDER BY l.subject, l.seq DESC) last
WHERE last.outcome OPERATOR(pg_catalog.=) 'failed'
  AND NOT EXISTS (SELECT FROM {ledger} clean WHERE clean.event OPERATOR(pg_catalog.=) 'boot'
    AND clean.outcome OPERATOR(pg_catalog.=) ANY ('{{current,repaired}}'::pg_catalog.text[])
    AND NOT clean.detail OPERATOR(pg_catalog.?) 'standing' AND clean.seq OPERATOR(pg_catalog.>) last.seq)
  AND NOT EXISTS (SELECT FROM {ledger} again WHERE again.driver OPERATOR(pg_catalog.=) 'alembic'
    AND again.event OPERATOR(pg_catalog.=) 'upgrade' AND again.checksum OPERATOR(pg_catalog.=) last.checksum
    AND again.seq OPERATOR(pg_catalog.>) last.seq AND again.outcome OPERATOR(pg_catalog.<>) 'failed')
ORDER BY last.seq
"""


def failing(connection: psycopg.Connection[TupleRow]) -> tuple[str, ...]:
    """Their ids. The ledger is there."""
    return tuple(str(subject) for subject, _ in connection.execute(_FAILING.format(ledger=There.of(connection).ledger).encode()))


def failed_steps(connection: psycopg.Connection[TupleRow]) -> tuple[tuple[str, str, str], ...]:
    """The steps of those that ran in the current schema: id, checksum, and what the server said."""
    there = There.of(connection)
    if there.ledger is None:
        return ()
    rows = connection.execute(_FAILING.format(ledger=there.ledger).encode()).fetchall()
    return tuple(
        (str(step), str(checksum), _told(_object(detail.get("error"))))
        for detail in (_object(row[1]) for row in rows)
        if _object(detail.get("by")).get("schema") in (None, there.here)
        for step, checksum in zip(_list(detail.get("steps")), _list(detail.get("checksums")), strict=False)
    )


def _object(value: object) -> dict[str, Any]:
    """Nothing where a hand has put there what is none."""
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _told(error: dict[str, Any]) -> str:
    return ": ".join(str(error[key]) for key in ("sqlstate", "message") if error.get(key)) or "it was rejected"
