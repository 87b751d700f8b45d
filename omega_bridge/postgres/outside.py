"""Steps that refuse a transaction, such as ``CREATE INDEX CONCURRENTLY``: each statement by itself, and journalled.

Where one fails, or a start is killed, the next start goes on there: what the catalog shows, or the journal says, is done.
``CREATE INDEX CONCURRENTLY`` waits for older transactions, and nobody but other DDL waits for it: it gets all that is left of
the budget. What it leaves INVALID when it is stopped goes again, at once or at the next start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from omega_bridge.analysis.keeping import is_script
from omega_bridge.analysis.program import Sql
from omega_bridge.outcomes import ServerError
from omega_bridge.planning import PlannedStep
from omega_bridge.postgres import guarding, indexes, lock, waiting
from omega_bridge.postgres.driver_errors import server_error
from omega_bridge.postgres.indexes import Index, drop_invalid, index_of
from omega_bridge.postgres.journal import Journal
from omega_bridge.postgres.limits import Limits, Patience
from omega_bridge.postgres.session import Session
from omega_bridge.tags import Tag

_NO_TRANSACTION = (psycopg.errors.ActiveSqlTransaction, psycopg.errors.InvalidTransactionTermination)
"""A statement that refuses a transaction, and one that ends it itself (a procedure, a ``DO`` block with ``COMMIT``)."""


class Stopped(Exception):
    """A statement of several failed; those before it are done. ``error`` is what the server said."""

    def __init__(self, number: int, of: int, error: ServerError, told: str = "") -> None:
        self.error = error
        told = told or str(error)
        told = f"statement {number} of {of}: {told}" if of > 1 else told
        super().__init__(f"{told}; the statements before it are done" if number > 1 else told)


def send(
    session: Session, planned: PlannedStep, limits: Limits, patience: Patience, journal: Journal, guard: guarding.Guard
) -> None:
    """Send the statements of a step that are not done. Raises ``Stopped`` at the first one that the server rejects, and ``Refused``."""
    texts = planned.analysis.texts()
    if is_script(planned.analysis.step.sql):  # it says itself what belongs together
        _script(session, texts, limits, guard)
        return
    known = {s.text: s for s in planned.analysis.program if isinstance(s, Sql)}
    is_one_by_one = len(texts) > 1
    done = journal.done() if is_one_by_one else frozenset()
    pending = {s.text for s in planned.statements}
    for number, text in enumerate(texts, 1):
        statement = known.get(text)
        if is_one_by_one and statement is not None and _is_done(statement, number in done, text in pending):
            continue
        if is_one_by_one and statement is None and number in done:
            continue
        try:
            if is_one_by_one and (statement is None or statement.transactional):
                _in_transaction(session, planned, text, limits, patience, journal, guard, (number, len(texts)))
            else:
                _by_itself(session, statement, text, limits, patience, journal, guard, (number, len(texts)))
        except waiting.Busy as busy:
            raise Stopped(number, len(texts), busy.error, waiting.told(session, busy, planned.analysis.names)) from busy
        except psycopg.Error as exc:
            if session.is_closed:
                raise
            session.rollback()
            raise Stopped(number, len(texts), server_error(exc)) from exc


def _script(session: Session, texts: tuple[str, ...], limits: Limits, guard: guarding.Guard) -> None:
    with _limited(session, limits, limits.lock_timeout):
        for number, text in enumerate(texts, 1):
            try:
                guard.alone(session, text, lambda: lock.commit(session))
            except psycopg.Error as exc:
                if session.is_closed:
                    raise
                session.rollback()
                raise Stopped(number, len(texts), server_error(exc)) from exc


def _is_done(statement: Sql, is_journalled: bool, is_pending: bool) -> bool:
    """Schema by the catalog, rows by the journal; a setting is made for the statements after it each time."""
    if statement.tag == Tag.VARIABLE_SET:
        return False
    if statement.data or statement.opaque:
        return is_journalled
    return bool(statement.effects) and not is_pending


def _in_transaction(
    session: Session,
    planned: PlannedStep,
    text: str,
    limits: Limits,
    patience: Patience,
    journal: Journal,
    guard: guarding.Guard,
    place: tuple[int, int],
) -> None:
    def attempt(lock_timeout: float) -> None:
        waiting.begin(session, planned.analysis.id, limits, lock_timeout)
        guard.inside(session, text)

    try:
        waiting.had_in_time(session, patience.afresh(), limits.lock_timeout, attempt)
    except _NO_TRANSACTION:
        session.rollback()
        _by_itself(session, None, text, limits, patience, journal, guard, place)
        return
    tip = journal.applied(*place)
    lock.commit(session)
    journal.tip = tip


def _by_itself(
    session: Session,
    statement: Sql | None,
    text: str,
    limits: Limits,
    patience: Patience,
    journal: Journal,
    guard: guarding.Guard,
    place: tuple[int, int],
) -> None:
    """Without a transaction around it; the entry, where there are several statements, comes after it."""
    index = index_of(session, statement)
    is_patient = index is not None or (statement is not None and statement.tag in (Tag.DROP, Tag.REINDEX))
    wait = patience.left if is_patient else limits.lock_timeout
    with _limited(session, limits, wait):
        if index is not None:
            _build(session, index, text, limits, patience, journal, place)
        else:
            for table in indexes.tables_of(session, statement) if is_patient and statement is not None else ():
                _table_is_had(session, table, limits, patience)
            _patiently(session, text, patience, wait, guard)
        lock.prove(session)
    if place[1] > 1:
        journal.tip = journal.applied(*place)


def _build(
    session: Session, index: Index, text: str, limits: Limits, patience: Patience, journal: Journal, place: tuple[int, int]
) -> None:
    """Build an index, tried again while the budget lasts. An INVALID one that is ours goes first, and last."""
    is_ours = journal.is_ours(index.name)
    if index.is_invalid and not is_ours:
        session.execute(text)  # IF NOT EXISTS takes it for done, and what is judged by the catalog says so
        return
    if not is_ours:
        journal.begun(*place, index.name)

    def attempt(_lock_timeout: float) -> None:
        session.execute(f"SET lock_timeout = {_milliseconds(patience.left)}")
        drop_invalid(session, index.name)
        session.execute(text)

    try:
        _table_is_had(session, index.table, limits, patience)
        waiting.had_in_time(session, patience.afresh(), patience.left, attempt)
    except (waiting.Busy, psycopg.Error):
        if not session.is_closed:
            session.rollback()
            session.execute(f"SET lock_timeout = {_milliseconds(limits.lock_timeout)}")
            _leave_nothing(session, index)
        raise


def _table_is_had(session: Session, table: str, limits: Limits, patience: Patience) -> None:
    """The lock that a statement takes on a table, in short tries ahead of it: autovacuum gives way to them, or is named at once."""

    def attempt(lock_timeout: float) -> None:
        session.execute(f"BEGIN; SET LOCAL lock_timeout = {_milliseconds(lock_timeout)}")
        session.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        session.rollback()

    waiting.had_in_time(session, patience.afresh(), limits.lock_timeout, attempt)


def _patiently(session: Session, text: str, patience: Patience, wait: float, guard: guarding.Guard) -> None:
    def attempt(lock_timeout: float) -> None:
        session.execute(f"SET lock_timeout = {_milliseconds(lock_timeout)}")
        guard.alone(session, text, lambda: lock.commit(session))

    waiting.had_in_time(session, patience.afresh(), wait, attempt)


def _leave_nothing(session: Session, index: Index) -> None:
    """Where its lock does not come in time either, the journal names it, and the next start takes it away."""
    try:
        drop_invalid(session, index.name)
    except waiting.BUSY:
        session.rollback()


@contextmanager
def _limited(session: Session, limits: Limits, lock_timeout: float) -> Iterator[None]:
    """The limits of a step, for the session: there is no transaction to set them for."""
    names = ("lock_timeout", "statement_timeout")
    before = session.rows(
        "SELECT pg_catalog.current_setting(name) FROM pg_catalog.unnest(%s::pg_catalog.text[]) name", (list(names),)
    )
    wanted = (_milliseconds(lock_timeout), int(limits.statement_timeout * 1000))
    session.execute("; ".join(f"SET {n} = {v}" for n, v in zip(names, wanted, strict=True)))
    try:
        yield
    finally:
        if not session.is_closed:
            session.rollback()
            session.execute("; ".join(f"SET {n} = '{v}'" for n, (v,) in zip(names, before, strict=True)))


def _milliseconds(seconds: float) -> int:
    """For ``lock_timeout``, where 0 would be without end."""
    return max(int(seconds * 1000), 1)
