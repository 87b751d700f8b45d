"""Revisions that stand failed: something of them was rejected when they ran last, and neither has a start been clean since nor a
further pass of the history, which runs the same step once more, been taken.
"""

from __future__ import annotations

from typing import Any

import psycopg

_FAILING = (
    "SELECT subject FROM (SELECT DISTINCT ON (subject) subject, checksum, outcome, seq FROM omega_bridge.ledger "
    "WHERE driver = 'alembic' AND event IN ('upgrade', 'downgrade', 'stamp') ORDER BY subject, seq DESC) last "
    "WHERE outcome = 'failed' AND seq > (SELECT coalesce(pg_catalog.max(seq), 0) FROM omega_bridge.ledger "
    "WHERE event = 'boot' AND outcome IN ('current', 'repaired')) "
    "AND NOT EXISTS (SELECT FROM omega_bridge.ledger again WHERE again.driver = 'alembic' AND again.event = 'upgrade' "
    "AND again.checksum = last.checksum AND again.seq > last.seq AND again.outcome <> 'failed') ORDER BY seq"
)


def failing(connection: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Their ids. The ledger is there."""
    return tuple(row[0] for row in connection.execute(_FAILING))
