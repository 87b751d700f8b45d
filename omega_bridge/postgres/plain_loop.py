"""The loop that the bridge takes the place of: each text on its own in autocommit, errors forgotten."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import sendable


def send(connection: psycopg.Connection[TupleRow], texts: Iterable[str]) -> list[str | None]:
    """Send each text; what went wrong with it, or ``None``."""
    before = connection.autocommit
    if not before:
        connection.commit()
        connection.autocommit = True
    try:
        return [_one(connection, text) for text in texts]
    finally:
        if connection.info.transaction_status != TransactionStatus.IDLE:  # a text that begins, and leaves the end to a later one
            connection.rollback()
        if not before:
            connection.autocommit = False


def rehearse(connection: psycopg.Connection[TupleRow], texts: Iterable[str]) -> bool:
    """The same inside the caller's transaction: an error takes back its own text only. Whether all were taken."""
    taken = True
    for text in texts:
        try:
            with connection.transaction():
                connection.execute(sendable(text))
        except (psycopg.Error, StepSyntaxError):
            taken = False
    return taken


def _one(connection: psycopg.Connection[TupleRow], text: str) -> str | None:
    try:
        connection.execute(sendable(text))
    except (psycopg.Error, StepSyntaxError) as exc:
        return str(exc).strip()
    return None
