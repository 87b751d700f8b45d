"""Keeps two starting replicas apart: session-level advisory locks, polled, and proven before anything is committed.

A start locks the schema that it works in, so that the tenants of a database start beside one another. What reaches beyond that
schema holds the lock of the whole database as well, for as long as it takes. An older release knows one lock for everything:
who locks a schema holds that one shared, so that neither works beside the other.

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

import psycopg
from psycopg.rows import TupleRow

from omega_bridge import errors
from omega_bridge.postgres import settings
from omega_bridge.postgres.lock_keys import (
    CLASS,
    DATABASE,
    EVERY_START,
    EVERYTHING,
    HERE,
    IS,
    OBJECT,
    SCHEMA,
    Held,
    Wanted,
    all_of,
    among,
    number,
    of_schemas,
    signed,
    to_lock,
)
from omega_bridge.postgres.session import Session
from omega_bridge.values import dataclass

POLL = 0.1
"""Mean seconds between two tries."""

IN_TRANSACTION = f"pg_catalog.pg_try_advisory_xact_lock({CLASS}, {DATABASE})"
"""Tries for the lock of the whole database, until the transaction ends."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Ours, after ``waited`` seconds; or nobody's need any more, and ``instead`` is what ``meanwhile`` found."""

    waited: float
    instead: object = None


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
    """Hold the lock of the schema that the session works in. Raises ``LockNotAcquired``, naming the holder, after ``timeout`` seconds.

    ``meanwhile`` is asked when another start has let go; where it finds something, the lock is not needed, and may not be
    held. A server that takes no writes is refused with ``ReadOnlyDatabase``, a pooler in between with ``PoolerDetected``
    unless ``keeps_sessions`` says that it gives each client a server connection of its own. Who waits behind such a pooler
    gives the server connection back between two tries: otherwise those who wait would take them all. ``budget``: seconds that
    one statement of ours may wait for what other sessions hold.
    """
    session.is_pooled, is_read_only, wanted = _look(session)
    if is_read_only:
        from omega_bridge.postgres.driver_errors import read_only

        raise read_only()
    if session.is_pooled and not keeps_sessions:
        raise errors.PoolerDetected(
            "the connection goes through a pooler (such as PgBouncer), which may not keep a session lock",
            hint="Give the repair a direct URL: boot(direct_url=...), OMEGA_BRIDGE_DIRECT_URL, or direct-url in the"
            " configuration. Where the pooler is known to keep sessions: boot(pooler_keeps_sessions=True), or"
            " pooler-keeps-sessions = true.",
        )
    started, is_free = time.monotonic(), True
    while not (is_free and _take(session, wanted)):
        waited = time.monotonic() - started
        if waited >= timeout:
            raise _not_had(session, timeout, f"{of_schemas((*wanted.schemas, *wanted.ahead))} OR {EVERYTHING}")
        _pause(session, min(POLL * random.uniform(0.5, 1.5), max(timeout - waited, 0.001)), sleep)
        is_free = _is_free(session, wanted)
        if is_free and meanwhile is not None and (instead := meanwhile()) is not None:
            yield Turn(time.monotonic() - started, instead)
            return
    try:
        settings.keep(session, budget)
        yield Turn(time.monotonic() - started)
    except psycopg.Error as exc:
        _explain(session, exc)
        raise
    finally:
        _give_back(session)


@contextmanager
def database(session: Session, timeout: float) -> Iterator[None]:
    """Hold the lock of the whole database, within ``exclusive``, for what no transaction holds together. Raises ``LockNotAcquired``."""
    held = session.held
    if held is None or held.database:
        yield
        return
    in_turn(session, timeout, lambda: _take_database(session, held))
    held.database = True
    try:
        yield
    finally:
        if not session.is_closed and not session.in_transaction:
            held.database = not _has(session, held.where_taken(f"pg_catalog.pg_advisory_unlock({CLASS}, {DATABASE})"))


def in_turn(session: Session, timeout: float, take: Callable[[], bool], sleep: Callable[[float], None] = time.sleep) -> None:
    """Until ``take`` has the lock of the whole database. Raises ``LockNotAcquired``, naming the holder, after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not take():
        if time.monotonic() >= deadline:
            raise _not_had(session, timeout, f"{among(CLASS, [DATABASE])}")
        sleep(min(POLL * random.uniform(0.2, 0.8), max(deadline - time.monotonic(), 0.001)))


def in_transaction(connection: psycopg.Connection[TupleRow], timeout: float = 60.0) -> None:
    """Take the lock of the whole database until the transaction that is open ends. Raises ``LockNotAcquired``."""
    session = Session.over(connection, "")
    in_turn(session, timeout, lambda: _has(session, IN_TRANSACTION))


def committing(session: Session) -> str:
    """What commits where the lock is still ours, and fails with ``DivisionByZero`` where it is not."""
    return f"{session.held.proof}; COMMIT" if session.held is not None else "COMMIT"


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
    held = session.held
    if held is None:
        return
    ((pid, is_whole),) = session.ask(f"SELECT pg_catalog.pg_backend_pid(), {held.is_whole}")
    if is_whole == "t" and pid == str(held.pid):
        return
    if session.is_pooled:
        raise _no_sessions(f"the lock was taken by server process {held.pid}, and process {pid} answers now")
    raise errors.LockLost(
        "the lock that keeps two starts apart was lost while this one was at work: something released it",
        hint="Look for pg_advisory_unlock_all() in the list and in the functions that it calls, take it out,"
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


def _take(session: Session, wanted: Wanted) -> bool:
    """Try once. Behind a pooler it is a transaction of its own: where even that is not kept together, we must not go on."""
    if not session.is_pooled:
        if taken := _has(session, all_of(wanted)):
            session.held = Held(session.pid, wanted)
        return taken
    try:
        session.ask("BEGIN")
        held = f"EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.pid {IS} pg_catalog.pg_backend_pid() AND {EVERY_START})"
        ((pid, is_held),) = session.ask(f"SELECT pg_catalog.pg_backend_pid(), {held}")
        if is_held == "t":
            session.ask("ROLLBACK")
            raise _no_sessions(f"server process {pid}, which it gave to this start, holds the lock for another one")
        taken = _has(session, all_of(wanted))
        session.ask("COMMIT")
    except errors.ConnectionLost as exc:
        raise _no_sessions("it ended the connection when a transaction began") from exc
    if taken:
        session.held = Held(int(str(pid)), wanted)
    return taken


def _take_database(session: Session, held: Held) -> bool:
    """Try once, in the server process that holds the others, so that none is left in another one."""
    ((taken,),) = session.ask(f"SELECT {held.where_taken(f'pg_catalog.pg_try_advisory_lock({CLASS}, {DATABASE})')}")
    if taken is None:
        prove(session)
    return taken == "t"


def _is_free(session: Session, wanted: Wanted) -> bool:
    """Shared, and given back at once: behind a pooler in the same statement, so that it cannot be left behind."""
    keys = [(CLASS, OBJECT), *((SCHEMA, signed(number(name))) for name in (*wanted.schemas, *wanted.ahead))]
    if session.is_pooled:
        return all(_ask(session, "pg_try_advisory_xact_lock_shared", *key) for key in keys)
    return all(
        _ask(session, "pg_try_advisory_lock_shared", *key) and _ask(session, "pg_advisory_unlock_shared", *key) for key in keys
    )


def _pause(session: Session, seconds: float, sleep: Callable[[float], None]) -> None:
    if session.is_pooled:
        session.close()
    sleep(seconds)
    if session.is_pooled:
        session.reopen()


def _give_back(session: Session) -> None:
    held, session.held = session.held, None
    session.deferred.forget()  # what is left of it concerns nobody, and must not stand in the way
    if session.is_closed:
        return
    session.rollback()
    if held is None:
        return
    if session.is_pooled:
        settings.give_back(session, held.pid)
    given_back = [*held.wanted.keys.values(), *([f"pg_catalog.pg_advisory_unlock({CLASS}, {DATABASE})"] if held.database else [])]
    each = ", ".join(given_back)
    unlock = f"SELECT {held.where_taken(f'true {IS} ALL (ARRAY[{each}])')}"
    for _ in range(20 if session.is_pooled else 1):
        if session.ask(unlock)[0][0] == "t" or not _is_stranded(session, held):
            return
        time.sleep(POLL)


def _is_stranded(session: Session, held: Held) -> bool:
    """Whether a server process that we lost holds our lock: it is ended when it is idle. A pooler does not keep sessions then."""
    return session.is_pooled and bool(
        session.ask(
            f"SELECT a.state {IS} 'idle' AND pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a "
            f"WHERE a.pid {IS} {held.pid} AND EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.pid {IS} a.pid AND {HERE}"
            f" AND (l.classid {IS} {CLASS}::pg_catalog.oid OR {of_schemas((*held.schemas, *held.wanted.ahead))}))"
        )
    )


def _no_sessions(seen: str) -> errors.PoolerDetected:
    return errors.PoolerDetected(
        f"the pooler is said to keep sessions, and does not: {seen}",
        hint="Give a direct URL and take pooler-keeps-sessions away, or set pool_mode = session in the pooler.",
    )


def _ask(session: Session, function: str, first: int, second: int) -> bool:
    return _has(session, f"pg_catalog.{function}({first}, {second})")


def _has(session: Session, condition: str) -> bool:
    return session.ask(f"SELECT {condition}")[0][0] == "t"


def _look(session: Session) -> tuple[bool, bool, Wanted]:
    """Whether a pooler stands between us and the server, whether the server takes no writes, and what to lock.

    The process id that came with the connection is the pooler's invention; the server's own says so. In transaction mode
    a session lock would be taken on one server connection and released on another.
    """
    ((pid, is_read_only, path, role, schema),) = session.ask(
        "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('transaction_read_only'),"
        " pg_catalog.current_setting('search_path'), current_user, pg_catalog.current_schema()"
    )
    return pid != str(session.pid), is_read_only == "on", to_lock(path or "", role or "", schema)


def _not_had(session: Session, timeout: float, locks: str) -> errors.LockNotAcquired:
    return errors.LockNotAcquired(
        f"another start holds the lock and did not release it in {timeout:g} s: {_holder(session, locks)}",
        hint="Look at that session in pg_stat_activity; raise lock_timeout (--lock-timeout) if it is at work.",
    )


def _holder(session: Session, locks: str) -> str:
    rows = session.ask(
        "SELECT a.pid, coalesce(a.client_addr::text, 'local socket'), a.application_name, "
        "pg_catalog.round(extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) "
        "coalesce(a.xact_start, a.state_change)))::pg_catalog.int4 "
        f"FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid {IS} l.pid WHERE {locks}"
        f" ORDER BY l.mode {IS} 'ExclusiveLock' DESC"
    )
    if not rows:
        return "the holder has just let go"
    pid, host, application, age = rows[0]
    return f"pid {pid} on {host}, {application or 'no application name'}, at it for {age} s"
