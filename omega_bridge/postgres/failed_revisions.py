"""Revisions that stand failed: something of them was rejected when they ran last, and neither has a start been clean since nor a
further pass of the history, which runs the same step once more, been taken.
"""

from __future__ import annotations

from typing import Any

import psycopg

_FAILING = """
SELECT last.subject FROM (SELECT DISTINCT ON (l.subject) l.subject, l.checksum, l.outcome, l.seq FROM omega_bridge.omega_bridge_ledger l
    WHERE l.driver OPERATOR(pg_catalog.=) 'alembic' AND l.event OPERATOR(pg_catalog.=) ANY ('{upgrade,downgrade,stamp}'::pg_catalog.text[])
    ORDER BY l.subject, l.seq DESC) last
WHERE last.outcome OPERATOR(pg_catalog.=) 'failed'
  AND NOT EXISTS (SELECT FROM omega_bridge.omega_bridge_ledger clean WHERE clean.event OPERATOR(pg_catalog.=) 'boot'
    AND clean.outcome OPERATOR(pg_catalog.=) ANY ('{current,repaired}'::pg_catalog.text[])
    AND NOT clean.detail OPERATOR(pg_catalog.?) 'standing' AND clean.seq OPERATOR(pg_catalog.>) last.seq)
  AND NOT EXISTS (SELECT FROM omega_bridge.omega_bridge_ledger again WHERE again.driver OPERATOR(pg_catalog.=) 'alembic'
    AND again.event OPERATOR(pg_catalog.=) 'upgrade' AND again.checksum OPERATOR(pg_catalog.=) last.checksum
    AND again.seq OPERATOR(pg_catalog.>) last.seq AND again.outcome OPERATOR(pg_catalog.<>) 'failed')
ORDER BY last.seq
"""


def failing(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Their ids. The ledger is there."""
    return tuple(row[0] for row in connection.execute(_FAILING))
