"""Tries for what other sessions hold: short waits, so that no reader queues behind us, until the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from omega_bridge import errors
from omega_bridge.outcomes import ServerError
from omega_bridge.postgres import settings
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


@contextmanager
def nothing_waits_for_ever(budget: float) -> Iterator[None]:
    """A lock that a statement of our own did not get in ``budget`` seconds, as ``RelationBusy``."""
    try:
        yield
    except BUSY as exc:
        raise errors.RelationBusy(
            f"other sessions kept locked for {budget:g} s what a start reads or records: {server_error(exc)}",
            hint="Find the long transaction (SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start), and start again.",
        ) from exc


def begin(session: Session, name: str, limits: Limits, question: str = "") -> list[tuple[str | None, ...]]:
    """Open the transaction of a step, under the limits of a boot, whatever the role's own settings are.

    The answer to a ``question`` that goes along, as texts.
    """
    label = name.encode("ascii", "replace").decode()[:40].replace("'", "")
    limited = settings.local(session, limits.lock_timeout, limits.statement_timeout)
    texts = ["BEGIN", *limited, f"SET LOCAL application_name = 'omega-bridge {label}'"]
    if question:
        session.cost.statements += len(texts)
        return session.ask("; ".join([*texts, question]))
    session.execute("; ".join(texts), statements=len(texts))
    return []
