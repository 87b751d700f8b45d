"""Keeps two starting replicas apart: a session-level advisory lock, polled.

``pg_advisory_lock`` would wait inside a statement, and ``CREATE INDEX CONCURRENTLY`` of the holder waits for every
running statement: the two would wait for each other. So the lock is tried, and tried again after a short sleep.
Source: PostgreSQL's manual, "Explicit Locking", and rails issue 31190.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from omega_bridge import errors
from omega_bridge.postgres.session import Session

CLASS, OBJECT = 0x6F6D6567, 0x61627267
"""The two halves of the key ("omeg", "abrg"); advisory locks are per database."""

POLL = 0.1
"""Mean seconds between two tries."""


@contextmanager
def exclusive(session: Session, timeout: float, sleep: Callable[[float], None] = time.sleep) -> Iterator[float]:
    """Hold the lock. Yields the seconds waited. Raises ``LockNotAcquired``, naming the holder, after ``timeout`` seconds."""
    started = time.monotonic()
    while not session.rows(f"SELECT pg_try_advisory_lock({CLASS}, {OBJECT})")[0][0]:
        waited = time.monotonic() - started
        if waited >= timeout:
            raise errors.LockNotAcquired(
                f"another start holds the lock and did not release it in {timeout:g} s: {_holder(session)}",
                hint="Look at that session in pg_stat_activity; raise lock_timeout (--lock-timeout) if it is at work.",
            )
        sleep(min(POLL * random.uniform(0.5, 1.5), max(timeout - waited, 0.001)))
    try:
        yield time.monotonic() - started
    finally:
        if not session.connection.closed:
            session.rollback()
            session.execute(f"SELECT pg_advisory_unlock({CLASS}, {OBJECT})")


def refuse_pooler(session: Session) -> None:
    """Raise ``PoolerDetected`` where a pooler stands between us and the server.

    The process id that came with the connection is the pooler's invention; the server's own says so. In transaction mode
    a session lock would be taken on one server connection and released on another.
    """
    own = session.connection.info.backend_pid
    theirs = session.rows("SELECT pg_backend_pid()")[0][0]
    if own != theirs:
        raise errors.PoolerDetected(
            "the connection goes through a pooler (such as PgBouncer), which may not keep a session lock",
            hint="Give the repair a direct URL: boot(direct_url=...), OMEGA_BRIDGE_DIRECT_URL, or direct-url in the"
            " configuration. Where the pooler keeps sessions, the same URL will do.",
        )


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
