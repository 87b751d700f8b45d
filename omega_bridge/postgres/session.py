"""Connections, counted: every round trip of a boot goes through a ``Session``.

Driver errors cross one border here and become errors of our own family, without passwords.
"""

from __future__ import annotations

import math
import os
import re
import select
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from omega_bridge import errors
from omega_bridge.outcomes import Cost
from omega_bridge.postgres.deferred import Deferred
from omega_bridge.postgres.dsn import conninfo, unreadable
from omega_bridge.regexes import regex

if TYPE_CHECKING:
    from omega_bridge.postgres.lock_keys import Held


Opened: TypeAlias = "pq.abc.PGconn | psycopg.Connection[TupleRow]"

CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection where the DSN does not say."""

CANCEL_TIMEOUT = 10.0
"""Seconds to wait for the end of what was cancelled."""

ANSWER_TIMEOUT = 30.0
"""Seconds to wait for the answer to a question that the server answers at once: a pooler may have no connection for it."""


class Session:
    """One direct connection in autocommit, with the cost of what went through it.

    ``is_pooled``: one statement and the next may reach different server connections, where nothing holds a transaction.
    ``held``: the locks of a start, while we hold them. ``deferred``: what is done while the server is waited for.
    It begins as libpq's own connection: a start with nothing to do needs no more, and psycopg's costs it a quarter of
    the time. ``connection`` is psycopg's, over the same socket, from its first use on.
    """

    def __init__(self, opened: Opened, dsn: str, cost: Cost | None = None, deferred: Deferred | None = None) -> None:
        self.dsn = dsn
        self.deferred = Deferred() if deferred is None else deferred
        self.is_pooled = False
        self.held: Held | None = None
        self.cost = cost or Cost()
        self.notices: list[str] = []
        self.rows_changed: int | None = None
        """Rows that the texts sent by ``execute`` have changed, while somebody counts them."""
        self._take(opened)

    @classmethod
    def over(cls, connection: psycopg.Connection[TupleRow], dsn: str) -> Session:
        """Over a connection that somebody else opened and closes, in autocommit or not: for ``ask`` and for the lock."""
        session = cls(connection.pgconn, dsn)
        session._connection = connection
        return session

    def _take(self, opened: Opened) -> None:
        self._connection: psycopg.Connection[TupleRow] | None = None
        if isinstance(opened, psycopg.Connection):
            self._pgconn: pq.abc.PGconn = opened.pgconn
            self._connection = self._ours(opened)
        else:
            self._pgconn = opened

    def _ours(self, connection: psycopg.Connection[TupleRow]) -> psycopg.Connection[TupleRow]:
        connection.autocommit = True
        connection.cost = self.cost  # type: ignore[attr-defined]  # a CountedConnection, whose module a quiet start does not load
        connection.deferred = self.deferred  # type: ignore[attr-defined]
        connection.prepare_threshold = None  # after each DDL it would throw away what is prepared, ours too
        connection.add_notice_handler(lambda d: self.notices.append(f"{d.severity}: {d.message_primary}"))
        return connection

    @property
    def connection(self) -> psycopg.Connection[TupleRow]:
        """psycopg's connection."""
        if self._connection is None:
            from omega_bridge.postgres.counting import CountedConnection

            self._connection = self._ours(CountedConnection.over(self._pgconn))
        return self._connection

    def ask(self, query: str, within: float | None = ANSWER_TIMEOUT) -> list[tuple[str | None, ...]]:
        """The rows of the last statement as texts, by libpq alone: no transaction is begun. Raises psycopg's errors.

        Raises ``DatabaseUnreachable`` after ``within`` seconds: behind a pooler a question may wait for a server connection.
        """
        self.cost.round_trips += 1
        self.cost.statements += 1
        try:
            found = self._answer(query.encode(), within)
            if found.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
                raise psycopg.errors.error_from_result(found)
        except psycopg.Error:
            with border(self.dsn):
                raise
        return [tuple(_text(found.get_value(r, c)) for c in range(found.nfields)) for r in range(found.ntuples)]

    def _answer(self, query: bytes, within: float | None) -> pq.abc.PGresult:
        """The result of a query. The poll, unlike libpq's own waiting, ends, and lets other threads and signals in."""
        deadline = math.inf if within is None else time.monotonic() + within
        deferred = self.meanwhile
        poller = select.poll()
        poller.register(self._pgconn.socket, select.POLLIN)
        self._pgconn.send_query(query)
        found: pq.abc.PGresult | None = None
        try:
            while True:
                while self._pgconn.is_busy():
                    if not deferred.until(poller, deadline):
                        from omega_bridge.redaction import redact

                        raise errors.DatabaseUnreachable(
                            f"no answer in {within:g} s from {redact(self.dsn)}",
                            hint="Behind a pooler: are all its server connections in use? Else look at the server's load.",
                        )
                    self._pgconn.consume_input()
                result = self._pgconn.get_result()
                if result is None:
                    assert found is not None  # a query has a result, be it an error
                    return found
                if result.status in _COPYING:
                    raise psycopg.ProgrammingError("COPY waits for rows of the client, or gives it some")
                found = result
        except BaseException:
            self._stop()
            raise

    def _stop(self) -> None:
        """End what the server works on for us; without its answer the connection is of no more use."""
        if self._pgconn.status == pq.ConnStatus.OK and self._pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
            self._pgconn.get_cancel().cancel()
        self.close()

    def reopen(self) -> None:
        """Connect anew, after ``close``."""
        self._take(_connected(self.dsn, self.deferred))

    @property
    def meanwhile(self) -> Deferred:
        """What may be done while the server works on what it is sent next."""
        return Deferred() if self.in_transaction else self.deferred

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, be it one that has failed."""
        return self._pgconn.transaction_status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)

    @property
    def pid(self) -> int:
        """The process id that came with the connection: the server's, or a pooler's invention."""
        return self._pgconn.backend_pid

    @property
    def server_version(self) -> int:
        """As 180000 for PostgreSQL 18."""
        return self._pgconn.server_version

    @property
    def is_alone(self) -> bool:
        """Whether the next statement has no transaction around it."""
        return self.connection.autocommit and self.connection.info.transaction_status == pq.TransactionStatus.IDLE

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended."""
        return self._pgconn.status == pq.ConnStatus.BAD

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
        else:
            self._pgconn.finish()

    def execute(self, query: str | bytes, params: Sequence[object] | None = None) -> psycopg.Cursor[TupleRow]:
        """One query, one round trip. Without parameters the text goes out exactly as it is, ``%`` included."""
        with border(self.dsn):
            found = self.connection.execute(_bytes(query), params)
            if self.rows_changed is not None and found.description is None:
                self.rows_changed += changed(found)
            return found

    def rows(self, query: str | bytes, params: Sequence[object] | None = None) -> list[TupleRow]:
        """The rows of one query."""
        return self.execute(query, params).fetchall()

    @contextmanager
    def counted(self, statements: int = 0) -> Iterator[None]:
        """One round trip that is made by other means, such as a pipeline, with so many texts that nobody else counts."""
        self.cost.round_trips += 1
        self.cost.statements += statements
        yield

    def rollback(self) -> None:
        """End a transaction that may have failed, and what the server still works on; nothing where there is nothing."""
        if not self.is_closed and self._pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
            self._pgconn.get_cancel().cancel()
            self._drain()
        if self.connection.closed or self.connection.info.transaction_status == pq.TransactionStatus.IDLE:
            return
        self.execute("ROLLBACK")

    def _drain(self) -> None:
        """Take in what the server still sends after a cancel; where that does not end, the connection does."""
        deadline = time.monotonic() + CANCEL_TIMEOUT
        poller = select.poll()
        poller.register(self._pgconn.socket, select.POLLIN)
        while True:
            while self._pgconn.is_busy():
                if not poller.poll(max(deadline - time.monotonic(), 0.0) * 1000):
                    self.close()
                    return
                self._pgconn.consume_input()
            found = self._pgconn.get_result()
            if found is None:
                return
            if found.status in _COPYING:  # it would say so again and again
                self.close()
                return

    def abandon(self) -> None:
        """End the server's work and the connection, from another thread than the one that waits on it."""
        with suppress(psycopg.Error, OSError):
            self._pgconn.get_cancel().cancel()
            with socket.socket(fileno=os.dup(self._pgconn.socket)) as end:
                end.shutdown(socket.SHUT_RDWR)

    def drain_notices(self) -> tuple[str, ...]:
        """The notices since the last call."""
        found = tuple(self.notices)
        self.notices.clear()
        return found


_COPYING = (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH)


class Call:
    """The sessions of one call. Who waits for it may give it up, from another thread: what they do ends, and so does the call."""

    def __init__(self) -> None:
        self._sessions: list[Session] = []
        self._is_given_up = False

    def add(self, session: Session) -> None:
        """A session of the call."""
        self._sessions.append(session)
        if self._is_given_up:
            session.abandon()

    def give_up(self) -> None:
        """End what the server does for the call."""
        self._is_given_up = True
        for session in self._sessions:
            session.abandon()


CALL: ContextVar[Call | None] = ContextVar("omega_bridge_call", default=None)


@contextmanager
def open_session(dsn: str, cost: Cost | None = None, modules: Iterable[str] = ()) -> Iterator[Session]:
    """Connect, and close at the end. Raises ``DatabaseUnreachable``, ``AuthenticationFailed``.

    ``cost``: what was spent before on another connection, to go on counting. ``modules``: what is loaded while the server is waited for,
    from the beginning. A driver's error that nobody has judged leaves as ours: ``ConnectionLost``, ``StatementRejected``.
    """
    deferred = Deferred()
    deferred.load(modules)
    session = Session(_connected(dsn, deferred), dsn, cost, deferred)
    if (call := CALL.get()) is not None:
        call.add(session)
    try:
        with own_statements(dsn):
            yield session
    finally:
        session.close()


@contextmanager
def own_statements(dsn: str) -> Iterator[None]:
    """A driver's error that nobody has judged leaves as ours: ``ConnectionLost``, ``StatementRejected``."""
    try:
        yield
    except psycopg.Error as exc:
        from omega_bridge.postgres.driver_errors import lost_connection, quotable, rejected

        raise (lost_connection(exc, dsn) or rejected(exc, dsn)) from quotable(exc, dsn)


def _connected(dsn: str, deferred: Deferred) -> Opened:
    """libpq's connection, which carries our name where the DSN gives none; psycopg's where a name has to be looked up."""
    defaults: dict[str, Any] = {"application_name": "omega-bridge", "connect_timeout": CONNECT_TIMEOUT, **_KEPT_ALIVE}
    if _PLAIN.fullmatch(dsn) is not None:  # having libpq take it apart first costs as much as a statement
        given = {**defaults, "client_encoding": "utf8"}
        more = "&".join(f"{name}={value}" for name, value in given.items())
        with border(dsn):
            return _polled(f"{dsn}{'&' if '?' in dsn else '?'}{more}", CONNECT_TIMEOUT, deferred)
    try:
        given = {**defaults, **psycopg.conninfo.conninfo_to_dict(dsn), "client_encoding": "utf8"}
        with border(dsn):
            if _is_address(str(given.get("host") or "")):
                return _polled(conninfo(given), float(given["connect_timeout"]), deferred)
            from omega_bridge.postgres.counting import CountedConnection

            return CountedConnection.connect(**given, autocommit=True)  # it looks up names without stopping other threads
    except (psycopg.ProgrammingError, ValueError):  # their words may quote a part of the password
        raise unreadable(dsn) from None


_KEPT_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Where the network is cut while the server works for us, nobody tells: after a minute (in seconds, over TCP) the connection is lost."""

_PLAIN = regex(
    r"postgresql://([\w.~-]+(:[\w.~-]*)?@)?(\d+\.\d+\.\d+\.\d+(:\d+)?/[\w.~-]+|/[\w.~-]+\?host=/[\w./~-]*(&port=\d+)?)", re.ASCII
)
"""A URL with an address or a socket's folder, without escapes and without parameters of its own."""


def _is_address(host: str) -> bool:
    """A socket's folder or a number: nothing that has to be looked up."""
    return host.startswith(("/", "@")) or (host != "" and host.replace(".", "").isdigit())


def _polled(conninfo: str, timeout: float, deferred: Deferred) -> pq.abc.PGconn:
    """Connect step by step: libpq's own ``PQconnectdb`` would hold Python's lock, and with it an event loop, all the while."""
    deadline = time.monotonic() + max(timeout, 2.0)
    pgconn = pq.PGconn.connect_start(conninfo.encode())
    waiting = select.POLLOUT
    while pgconn.status != pq.ConnStatus.BAD:
        poller = select.poll()
        poller.register(pgconn.socket, waiting)
        if not deferred.until(poller, deadline):
            pgconn.finish()
            raise psycopg.OperationalError("connection failed: timeout expired")
        match pgconn.connect_poll():
            case pq.PollingStatus.OK:
                pgconn.nonblocking = 0
                return pgconn
            case pq.PollingStatus.READING:
                waiting = select.POLLIN
            case pq.PollingStatus.WRITING:
                waiting = select.POLLOUT
            case _:
                break
    told = pgconn.error_message.decode(errors="replace").strip()
    pgconn.finish()
    raise psycopg.OperationalError(told)


@contextmanager
def border(dsn: str) -> Iterator[None]:
    """Connection-level driver errors become ours; errors of a statement pass, for whoever sent it to judge."""
    try:
        yield
    except psycopg.Error as exc:
        from omega_bridge.postgres.driver_errors import lost_connection, quotable

        translated = lost_connection(exc, dsn)
        if translated is None:
            raise
        raise translated from quotable(exc, dsn)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def changed(cursor: psycopg.Cursor[TupleRow]) -> int:
    """How many rows the statements of a text changed, as far as their tags say."""
    total = 0
    while True:
        if (cursor.statusmessage or "").partition(" ")[0] in ("INSERT", "UPDATE", "DELETE", "MERGE"):
            total += max(cursor.rowcount, 0)
        if not cursor.nextset():
            return total


def _bytes(query: str | bytes) -> bytes:
    return query if isinstance(query, bytes) else query.encode()


def not_permitted(
    connection: psycopg.Connection[TupleRow], message: str, what: str, role: str | None = None
) -> errors.NotPermitted:
    """The error for a role without the rights that the bridge's own schema takes. ``what``: the command that needs them. ``role``: the one that
    asked, where it need not be the one that logged in.
    """
    from omega_bridge.postgres.grants import THEIRS

    user, database = role or connection.info.user, connection.info.dbname
    return errors.NotPermitted(
        f"the role {user!r} may not do what the {what} needs: {message}",
        hint=THEIRS
        if message.endswith(" schema omega_bridge")
        else f'Grant it: GRANT CREATE ON DATABASE "{database}" TO "{user}"; or have '
        f'the bridge\'s schema made once: CREATE SCHEMA omega_bridge AUTHORIZATION "{user}";',
    )


def _current_role(session: Session) -> str | None:
    """The role that statements run as, which a setting of the database or the role (``role``) may have changed; ``None`` where nobody says."""
    try:
        session.rollback()
        row = session.connection.execute("SELECT pg_catalog.current_setting('role')").fetchone()
        session.rollback()
    except psycopg.Error:
        return None
    return row[0] if row is not None and row[0] != "none" else None


@contextmanager
def permissions(session: Session, what: str = "boot") -> Iterator[None]:
    """What the server forbids the whole boot, or other command, in our words."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as exc:
        raise not_permitted(session.connection, exc.diag.message_primary or "", what, _current_role(session)) from exc
    except psycopg.errors.ReadOnlySqlTransaction as exc:
        from omega_bridge.postgres.driver_errors import read_only

        raise read_only() from exc
