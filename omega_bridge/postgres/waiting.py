"""Tries for what other sessions hold: short waits, so that no reader queues behind us, until the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from omega_bridge.outcomes import ServerError
from omega_bridge.postgres.patience import Limits, Patience
from omega_bridge.postgres.session import Session, server_error

Found = TypeVar("Found")

BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
"""A lock that was not had in time, a deadlock, and rows that others changed meanwhile (where
``default_transaction_isolation`` is stricter than read committed)."""


class Busy(Exception):
    """Others kept what a step needs for the whole budget; ``error`` is what the server said last."""

    def __init__(self, error: ServerError) -> None:
        super().__init__(str(error))
        self.error = error


def had_in_time(session: Session, patience: Patience, attempt: Callable[[], Found]) -> Found:
    """What ``attempt`` gives, tried again while others are in its way. Raises ``Busy`` when the budget is spent."""
    while True:
        started = time.perf_counter()
        try:
            return attempt()
        except BUSY as exc:
            session.rollback()
            patience.spend(time.perf_counter() - started)
            if not patience.again():
                raise Busy(server_error(exc)) from exc


def begin(session: Session, name: str, limits: Limits) -> None:
    """Open the transaction of a step, under the limits of a boot, whatever the role's own settings are."""
    label = name.encode("ascii", "replace").decode()[:40].replace("'", "")
    session.execute(
        f"BEGIN; SET LOCAL lock_timeout = {int(limits.lock_timeout * 1000)}; "
        f"SET LOCAL statement_timeout = {int(limits.statement_timeout * 1000)}; "
        f"SET LOCAL idle_in_transaction_session_timeout = 60000; SET LOCAL application_name = 'omega-bridge {label}'",
        statements=5,
    )
