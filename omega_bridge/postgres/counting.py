"""psycopg's connection with every text that it sends counted: what a start costs is what went over the wire. While it waits for the
server, what was put off is done.
"""

from __future__ import annotations

import select
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from omega_bridge.outcomes import Cost
from omega_bridge.postgres.deferred import Deferred

if TYPE_CHECKING:
    from omega_bridge.postgres.own_tables import There


_CANCELS, _PATIENCE = 100, 100
"""How often, and how many milliseconds the server has for each."""


class CountedCursor(psycopg.Cursor[TupleRow]):
    """Each text is one round trip; in a pipeline the whole is one, which its opener counts."""

    def execute(self, *args: Any, **kwargs: Any) -> CountedCursor:
        """As psycopg's."""
        _count(self.connection)
        super().execute(*args, **kwargs)
        return self

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        """As psycopg's."""
        _count(self.connection)
        return super().copy(*args, **kwargs)


class CountedConnection(psycopg.Connection[TupleRow]):
    """Counts into ``cost``."""

    cost: Cost
    there: There | None = None
    """What is there of ours, where a start has seen that under the lock: all of it, which stays as long as the start is at work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = CountedCursor
        self.cost = Cost()
        self.deferred = Deferred()

    @classmethod
    def over(cls, pgconn: pq.abc.PGconn) -> CountedConnection:
        """Over libpq's own connection."""
        return cls(pgconn)

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """As psycopg's, whose generator sends, and says what it waits for, before it takes in the answer."""
        if self.deferred and self.pgconn.transaction_status == pq.TransactionStatus.IDLE:
            try:
                waits_for = next(gen)
            except StopIteration as exc:
                return exc.value
            gen = _going_on(gen, waits_for)
            poller = select.poll()
            poller.register(self.pgconn.socket, select.POLLIN)
            try:
                while self.deferred and not poller.poll(0):
                    self.deferred.do_one()
            except BaseException:
                with suppress(psycopg.Error):  # the connection is free again, or closed, and this is what is told
                    self._stop(poller)
                    super().wait(gen, *args, **kwargs)
                raise
        return super().wait(gen, *args, **kwargs)

    def _stop(self, poller: select.poll) -> None:
        """End what the server was just sent. One that has not yet begun with it takes no notice of a cancel."""
        for _ in range(_CANCELS):
            self.pgconn.get_cancel().cancel()
            if poller.poll(_PATIENCE):
                return
        self.close()

    @contextmanager
    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Iterator[psycopg.Transaction]:
        """As psycopg's: a text that begins it, and one that ends it."""
        _count(self)
        try:
            with super().transaction(savepoint_name, force_rollback) as transaction:
                yield transaction
        finally:
            _count(self)


def _going_on(gen: Generator[Any, Any, Any], waits_for: Any) -> Generator[Any, Any, Any]:
    """A generator from where it has come to."""
    while True:
        is_ready = yield waits_for
        try:
            waits_for = gen.send(is_ready)
        except StopIteration as exc:
            return exc.value


def _count(connection: Any) -> None:
    if not isinstance(connection, CountedConnection):
        return
    connection.cost.statements += 1
    if connection.pgconn.pipeline_status == pq.PipelineStatus.OFF:
        connection.cost.round_trips += 1
