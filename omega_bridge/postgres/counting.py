"""psycopg's connection with every text that it sends counted: what a start costs is what went over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from omega_bridge.outcomes import Cost

if TYPE_CHECKING:
    from omega_bridge.postgres.own_tables import There


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

    @classmethod
    def over(cls, pgconn: pq.abc.PGconn) -> CountedConnection:
        """Over libpq's own connection."""
        return cls(pgconn)

    @contextmanager
    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Iterator[psycopg.Transaction]:
        """As psycopg's: a text that begins it, and one that ends it."""
        _count(self)
        try:
            with super().transaction(savepoint_name, force_rollback) as transaction:
                yield transaction
        finally:
            _count(self)


def _count(connection: Any) -> None:
    if not isinstance(connection, CountedConnection):
        return
    connection.cost.statements += 1
    if connection.pgconn.pipeline_status == pq.PipelineStatus.OFF:
        connection.cost.round_trips += 1
