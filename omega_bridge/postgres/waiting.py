"""Tries for what other sessions hold: short waits, so that no reader queues behind us, until the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from omega_bridge import errors
from omega_bridge.outcomes import ServerError
from omega_bridge.postgres import lock, settings
from omega_bridge.postgres.blockers import Blocked, holders, suspects, watching
from omega_bridge.postgres.limits import Limits, Patience
from omega_bridge.postgres.session import Session

Found = TypeVar("Found")

BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
"""A lock that was not had in time, a deadlock, and rows that others changed meanwhile (where
``default_transaction_isolation`` is stricter than read committed)."""


ENOUGH = 0.5
"""Seconds beyond ``deadlock_timeout`` after which PostgreSQL has cancelled an autovacuum that is in somebody's way."""


class Busy(Exception):
    """Others kept what a step needs for the whole budget; ``error`` is what the server said last, ``blocked`` for whom we waited."""

    def __init__(self, error: ServerError, blocked: Blocked) -> None:
        super().__init__(f"{error}; {blocked}" if blocked.by else str(error))
        self.error = error
        self.is_named = bool(blocked.by)


def told(session: Session, busy: Busy, names: Collection[str]) -> str:
    """Why a step was not had in time. Where nobody could be seen in the way while it waited, who holds what bears these ``names``."""
    if busy.is_named or session.is_closed or session.in_transaction:
        return f"its table stayed busy: {busy}"
    return f"its table stayed busy: {Busy(busy.error, holders(session, names))}"


def had_in_time(session: Session, patience: Patience, lock_timeout: float, attempt: Callable[[float], Found]) -> Found:
    """What ``attempt`` gives, tried again while others are in its way. It is told how long it may wait for a lock, in seconds.

    Where only autovacuum is in the way, one try waits until PostgreSQL has cancelled it; one that prevents wraparound is not
    cancelled, so it is not waited for. Raises ``Busy`` when the budget is spent.
    """
    wait, has_waited_longer = lock_timeout, False
    with watching(session, lock_timeout) as watcher:
        while True:
            started = time.perf_counter()
            try:
                return attempt(wait)
            except BUSY as exc:
                session.rollback()
                patience.spend(time.perf_counter() - started)
                blocked = watcher.take() if watcher else Blocked()
                wait, longer = lock_timeout, blocked.deadlock_timeout + ENOUGH
                if blocked.is_by_autovacuum and any(b.prevents_wraparound for b in blocked.by):
                    raise _busy(exc, blocked) from exc
                if blocked.is_by_autovacuum and not has_waited_longer and longer <= patience.left:
                    wait, has_waited_longer = longer, True
                elif not patience.again():
                    raise _busy(exc, blocked) from exc


def _busy(error: psycopg.Error, blocked: Blocked) -> Busy:
    from omega_bridge.postgres.driver_errors import server_error

    return Busy(server_error(error), blocked)


@contextmanager
def nothing_waits_for_ever(session: Session, budget: float) -> Iterator[None]:
    """A lock that a statement of our own did not get in ``budget`` seconds, as ``RelationBusy``."""
    try:
        yield
    except BUSY as exc:
        raise errors.RelationBusy(
            f"other sessions kept locked for {budget:g} s what a start reads or records: {_busy(exc, _suspects(session))}",
            hint="Find the long transaction (SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start), and start again.",
        ) from exc


def _suspects(session: Session) -> Blocked:
    if session.is_closed:
        return Blocked()
    session.rollback()
    return suspects(session)


def begin(
    session: Session, name: str, limits: Limits, lock_timeout: float | None = None, *, question: str = ""
) -> list[tuple[str | None, ...]]:
    """Open the transaction of a step, under the limits of a boot, whatever the role's own settings are.

    The answer to a ``question`` that goes along, as texts.
    """
    wait = limits.lock_timeout if lock_timeout is None else lock_timeout
    label = name.encode("ascii", "replace").decode()[:40].replace("'", "")
    limited = settings.local(session, wait, limits.statement_timeout)
    texts = ["BEGIN", *limited, f"SET LOCAL application_name = 'omega-bridge {label}'"]
    if question:
        return session.ask("; ".join([*texts, question]))
    session.execute("; ".join(texts))
    return []


def begin_in_turn(
    session: Session, name: str, limits: Limits, lock_timeout: float | None = None, *, question: str = "", reaches: bool
) -> list[tuple[str | None, ...]]:
    """``begin``; for what ``reaches`` beyond the schemas of its start with the lock of the whole database, until the transaction ends.

    ``question``: one that has one answer. Raises ``LockNotAcquired``.
    """
    if not reaches:
        return begin(session, name, limits, lock_timeout, question=question)
    asked = f"SELECT CASE WHEN {lock.IN_TRANSACTION} THEN coalesce(({question or 'SELECT true'})::pg_catalog.text, '') END"
    found: list[tuple[str | None, ...]] = []

    def take() -> bool:
        found[:] = begin(session, name, limits, lock_timeout, question=asked)
        if found == [(None,)]:
            session.rollback()
        return found != [(None,)]

    lock.in_turn(session, limits.turn, take)
    return [("t" if answer == "true" else answer,) for (answer,) in found]
