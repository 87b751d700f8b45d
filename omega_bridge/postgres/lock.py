"""Keeps two starting replicas apart: a session-level advisory lock, polled, and proven before anything is committed.

``pg_advisory_lock`` would wait inside a statement, and ``CREATE INDEX CONCURRENTLY`` of the holder waits for every
running statement: the two would wait for each other. So the lock is tried, and tried again after a short sleep: shared,
while another start is at work, so that all who wait see at once that it has ended, and exclusively where work is left.
Source: PostgreSQL's manual, "Explicit Locking", and rails issue 31190.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from omega_bridge import errors
from omega_bridge.postgres import settings
from omega_bridge.postgres.session import Session, read_only

CLASS, OBJECT = 0x6F6D6567, 0x61627267
"""The two halves of the key ("omeg", "abrg"); advisory locks are per database."""

POLL = 0.1
"""Mean seconds between two tries."""

_IS = "OPERATOR(pg_catalog.=)"
_OURS = (
    f"l.locktype {_IS} 'advisory' AND l.classid {_IS} {CLASS}::pg_catalog.oid AND l.objid {_IS} {OBJECT}::pg_catalog.oid "
    f"AND l.objsubid {_IS} 2 AND l.granted AND l.database {_IS} "
    f"(SELECT oid FROM pg_catalog.pg_database WHERE datname {_IS} pg_catalog.current_database())"
)
_MINE = f"pg_catalog.pg_locks l WHERE l.pid {_IS} pg_catalog.pg_backend_pid() AND l.mode {_IS} 'ExclusiveLock' AND {_OURS}"
_PROOF = f"SELECT 1 OPERATOR(pg_catalog./) pg_catalog.count(*) FROM {_MINE}"
"""Fails where the lock is lost, so that the COMMIT behind it in one round trip is not reached."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Ours, after ``waited`` seconds; or nobody's need any more, and ``instead`` is what ``meanwhile`` found."""

    waited: float
    instead: Any = None


@contextmanager
def exclusive(
    session: Session,
    timeout: float,
    sleep: Callable[[float], None] = time.sleep,
    *,
    budget: float = 30.0,
    keeps_sessions: bool = False,
    meanwhile: Callable[[], object] | None = None,
) -> Iterator[Turn]:
    """Hold the lock. Raises ``LockNotAcquired``, naming the holder, after ``timeout`` seconds.

    ``meanwhile`` is asked when another start has let go; where it finds something, the lock is not needed, and may not be
    held. A server that takes no writes is refused with ``ReadOnlyDatabase``, a pooler in between with ``PoolerDetected``
    unless ``keeps_sessions`` says that it gives each client a server connection of its own. Who waits behind such a pooler
    gives the server connection back between two tries: otherwise those who wait would take them all. ``budget``: seconds that
    one statement of ours may wait for what other sessions hold.
    """
    session.is_pooled, is_read_only = _look(session)
    if is_read_only:
        raise read_only()
    if session.is_pooled and not keeps_sessions:
        raise errors.PoolerDetected(
            "the connection goes through a pooler (such as PgBouncer), which may not keep a session lock",
            hint="Give the repair a direct URL: boot(direct_url=...), OMEGA_BRIDGE_DIRECT_URL, or direct-url in the"
            " configuration. Where the pooler is known to keep sessions: boot(pooler_keeps_sessions=True), or"
            " pooler-keeps-sessions = true.",
        )
    started, is_free = time.monotonic(), True
    while not (is_free and _take(session)):
        waited = time.monotonic() - started
        if waited >= timeout:
            raise errors.LockNotAcquired(
                f"another start holds the lock and did not release it in {timeout:g} s: {_holder(session)}",
                hint="Look at that session in pg_stat_activity; raise lock_timeout (--lock-timeout) if it is at work.",
            )
        _pause(session, min(POLL * random.uniform(0.5, 1.5), max(timeout - waited, 0.001)), sleep)
        is_free = _is_free(session)
        if is_free and meanwhile is not None and (instead := meanwhile()) is not None:
            yield Turn(time.monotonic() - started, instead)
            return
    try:
        if not session.is_pooled:
            settings.keep(session, budget)
        yield Turn(time.monotonic() - started)
    except psycopg.Error as exc:
        _explain(session, exc)
        raise
    finally:
        _give_back(session)


def committing(session: Session) -> str:
    """What commits where the lock is still ours, and fails with ``DivisionByZero`` where it is not."""
    return f"{_PROOF}; COMMIT" if session.lock_taken_by is not None else "COMMIT"


def commit(session: Session) -> None:
    """Commit what a step has done, if the lock is still ours: one round trip. Raises ``LockLost``; nothing is written then."""
    try:
        session.execute(committing(session))
    except psycopg.errors.DivisionByZero:  # or that of a trigger that was deferred
        session.rollback()
        prove(session)
        raise


def prove(session: Session) -> None:
    """Raises ``LockLost`` where the lock that ``exclusive`` took is not held any more."""
    taken_by = session.lock_taken_by
    if taken_by is None:
        return
    ((pid, is_held),) = session.ask(f"SELECT pg_catalog.pg_backend_pid(), EXISTS (SELECT FROM {_MINE})")
    if is_held == "t" and pid == str(taken_by):
        return
    if session.is_pooled:
        raise _no_sessions(f"the lock was taken by server process {taken_by}, and process {pid} answers now")
    raise errors.LockLost(
        "the lock that keeps two starts apart was lost while this one was at work: something released it",
        hint="Look for pg_advisory_unlock_all() or DISCARD ALL in the list and in the functions that it calls, take it out,"
        " and start again: what was not recorded is rolled back.",
    )


def _explain(session: Session, exc: psycopg.Error) -> None:
    """Without the lock others write what we write: what the server says then is no more than a consequence."""
    if session.is_closed:
        return
    session.rollback()
    try:
        prove(session)
    except errors.OmegaBridgeError as lost:
        raise lost from exc


def _take(session: Session) -> bool:
    """Try once. Behind a pooler it is a transaction of its own: where even that is not kept together, we must not go on."""
    if not session.is_pooled:
        if taken := _ask(session, "pg_try_advisory_lock"):
            session.lock_taken_by = session.pid
        return taken
    try:
        session.ask("BEGIN")
        ((pid, is_held),) = session.ask(f"SELECT pg_catalog.pg_backend_pid(), EXISTS (SELECT FROM {_MINE})")
        if is_held == "t":
            session.ask("ROLLBACK")
            raise _no_sessions(f"server process {pid}, which it gave to this start, holds the lock for another one")
        taken = _ask(session, "pg_try_advisory_lock")
        session.ask("COMMIT")
    except errors.ConnectionLost as exc:
        raise _no_sessions("it ended the connection when a transaction began") from exc
    if taken:
        session.lock_taken_by = int(str(pid))
    return taken


def _is_free(session: Session) -> bool:
    """Shared, and given back at once: behind a pooler in the same statement, so that it cannot be left behind."""
    if session.is_pooled:
        return _ask(session, "pg_try_advisory_xact_lock_shared")
    return _ask(session, "pg_try_advisory_lock_shared") and _ask(session, "pg_advisory_unlock_shared")


def _pause(session: Session, seconds: float, sleep: Callable[[float], None]) -> None:
    if session.is_pooled:
        session.close()
    sleep(seconds)
    if session.is_pooled:
        session.reopen()


def _give_back(session: Session) -> None:
    taken_by, session.lock_taken_by = session.lock_taken_by, None
    if session.is_closed:
        return
    session.rollback()
    if taken_by is None:
        return
    unlock = (
        f"SELECT CASE WHEN pg_catalog.pg_backend_pid() {_IS} {taken_by} THEN pg_catalog.pg_advisory_unlock({CLASS}, {OBJECT}) END"
    )
    for _ in range(20 if session.is_pooled else 1):
        if session.ask(unlock)[0][0] == "t" or not _is_stranded(session, taken_by):
            return
        time.sleep(POLL)


def _is_stranded(session: Session, pid: int) -> bool:
    """Whether a server process that we lost holds our lock: it is ended when it is idle. A pooler does not keep sessions then."""
    return session.is_pooled and bool(
        session.ask(
            f"SELECT a.state {_IS} 'idle' AND pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a "
            f"JOIN pg_catalog.pg_locks l ON l.pid {_IS} a.pid WHERE a.pid {_IS} {pid} AND {_OURS}"
        )
    )


def _no_sessions(seen: str) -> errors.PoolerDetected:
    return errors.PoolerDetected(
        f"the pooler is said to keep sessions, and does not: {seen}",
        hint="Give a direct URL and take pooler-keeps-sessions away, or set pool_mode = session in the pooler.",
    )


def _ask(session: Session, function: str) -> bool:
    return session.ask(f"SELECT pg_catalog.{function}({CLASS}, {OBJECT})")[0][0] == "t"


def _look(session: Session) -> tuple[bool, bool]:
    """Whether a pooler stands between us and the server, and whether the server takes no writes.

    The process id that came with the connection is the pooler's invention; the server's own says so. In transaction mode
    a session lock would be taken on one server connection and released on another.
    """
    ((pid, is_read_only),) = session.ask(
        "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('transaction_read_only')"
    )
    return pid != str(session.pid), is_read_only == "on"


def _holder(session: Session) -> str:
    rows = session.ask(
        "SELECT a.pid, coalesce(a.client_addr::text, 'local socket'), a.application_name, "
        "pg_catalog.round(extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) "
        "coalesce(a.xact_start, a.state_change)))::pg_catalog.int4 "
        f"FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid {_IS} l.pid WHERE {_OURS}"
    )
    if not rows:
        return "the holder has just let go"
    pid, host, application, age = rows[0]
    return f"pid {pid} on {host}, {application or 'no application name'}, at it for {age} s"
