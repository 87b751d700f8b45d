"""Keeps two starting replicas apart: a session-level advisory lock, polled.

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

from omega_bridge import errors
from omega_bridge.postgres.session import Session, open_session, read_only

CLASS, OBJECT = 0x6F6D6567, 0x61627267
"""The two halves of the key ("omeg", "abrg"); advisory locks are per database."""

POLL = 0.1
"""Mean seconds between two tries."""


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
    through_pooler: bool = False,
    meanwhile: Callable[[], object] | None = None,
) -> Iterator[Turn]:
    """Hold the lock. Raises ``LockNotAcquired``, naming the holder, after ``timeout`` seconds.

    ``meanwhile`` is asked when another start has let go; where it finds something, the lock is not needed, and may not be
    held. A server that takes no writes is refused with ``ReadOnlyDatabase``, a pooler in between with ``PoolerDetected``.
    ``through_pooler`` takes the caller's word that it keeps sessions, and does not lean on it: the lock is then that of an
    open transaction on a connection of its own, which every mode of pooling keeps on one server connection, and which ends
    with its client.
    """
    session.is_pooled, is_read_only = _look(session)
    if is_read_only:
        raise read_only()
    if not session.is_pooled:
        _stay(session)
        with _held(session, _Session, timeout, sleep, meanwhile) as turn:
            yield turn
        return
    if not through_pooler:
        raise errors.PoolerDetected(
            "the connection goes through a pooler (such as PgBouncer), which may not keep a session lock",
            hint="Give the repair a direct URL: boot(direct_url=...), OMEGA_BRIDGE_DIRECT_URL, or direct-url in the"
            " configuration. Where the pooler keeps sessions, the same URL will do.",
        )
    with open_session(session.dsn) as keeper:
        # Read committed: between its statements such a transaction has no snapshot for CREATE INDEX CONCURRENTLY to wait for.
        keeper.execute("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0", statements=2)
        with _held(keeper, _Transaction, timeout, sleep, meanwhile) as turn:
            yield turn


class _Session:
    """The lock of a session: it outlasts transactions, and is given back."""

    @staticmethod
    def take(session: Session) -> bool:
        return _ask(session, "pg_try_advisory_lock")

    @staticmethod
    def is_free(session: Session) -> bool:
        return _ask(session, "pg_try_advisory_lock_shared") and _ask(session, "pg_advisory_unlock_shared")

    @staticmethod
    def give_back(session: Session) -> None:
        _ask(session, "pg_advisory_unlock")


class _Transaction:
    """The lock of a transaction, which ends with it: shared, it could not be given back, so it is not asked for."""

    @staticmethod
    def take(session: Session) -> bool:
        return _ask(session, "pg_try_advisory_xact_lock")

    @staticmethod
    def is_free(session: Session) -> bool:
        return True

    @staticmethod
    def give_back(session: Session) -> None:
        """Nothing to do."""


@contextmanager
def _held(
    session: Session,
    lock: type[_Session | _Transaction],
    timeout: float,
    sleep: Callable[[float], None],
    meanwhile: Callable[[], object] | None,
) -> Iterator[Turn]:
    started, is_free = time.monotonic(), True
    while not (is_free and lock.take(session)):
        waited = time.monotonic() - started
        if waited >= timeout:
            raise errors.LockNotAcquired(
                f"another start holds the lock and did not release it in {timeout:g} s: {_holder(session)}",
                hint="Look at that session in pg_stat_activity; raise lock_timeout (--lock-timeout) if it is at work.",
            )
        sleep(min(POLL * random.uniform(0.5, 1.5), max(timeout - waited, 0.001)))
        is_free = lock.is_free(session)
        if is_free and meanwhile is not None and (instead := meanwhile()) is not None:
            yield Turn(time.monotonic() - started, instead)
            return
    try:
        yield Turn(time.monotonic() - started)
    finally:
        if not session.connection.closed:
            session.rollback()
            lock.give_back(session)


def _ask(session: Session, function: str) -> bool:
    return bool(session.rows(f"SELECT {function}({CLASS}, {OBJECT})")[0][0])


def _look(session: Session) -> tuple[bool, bool]:
    """Whether a pooler stands between us and the server, and whether the server takes no writes.

    The process id that came with the connection is the pooler's invention; the server's own says so. In transaction mode
    a session lock would be taken on one server connection and released on another.
    """
    (pid, is_read_only), *_ = session.rows("SELECT pg_backend_pid(), current_setting('transaction_read_only') = 'on'")
    return pid != session.connection.info.backend_pid, is_read_only


def _stay(session: Session) -> None:
    """Whoever holds the lock thinks between statements: the server's patience with idle sessions must outlast that.

    ``idle_session_timeout`` came with PostgreSQL 14.
    """
    text = "SET idle_in_transaction_session_timeout = '60s'"
    if session.connection.info.server_version >= 140000:
        text += "; SET idle_session_timeout = 0"
    session.execute(text)


def _holder(session: Session) -> str:
    rows = session.rows(
        "SELECT a.pid, coalesce(a.client_addr::text, 'local socket'), a.application_name, "
        "round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change)))::int "
        "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        f"WHERE l.locktype = 'advisory' AND l.classid = {CLASS} AND l.objid = {OBJECT} AND l.objsubid = 2 AND l.granted "
        "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    if not rows:
        return "the holder has just let go"
    pid, host, application, age = rows[0]
    return f"pid {pid} on {host}, {application or 'no application name'}, at it for {age} s"
