"""The step's own SQL as an operation: run, attempted, or laid as the foundation."""

from __future__ import annotations

from collections.abc import Sequence

from alembic.operations import Operations

from omega_bridge.analysis.reading import reading_of
from omega_bridge.discarding import discards_all
from omega_bridge.planning.foundation import laid
from omega_bridge.revisions import guards
from omega_bridge.revisions.operations.operation import Argument, Operation
from omega_bridge.sql import may_commit, parse


class RunStepOp(Operation):
    """A step's own SQL, carried to the server (or into ``--sql``) exactly as it is written."""

    verb = "run_step"

    def __init__(self, sql: str) -> None:
        self.sql = sql

    @classmethod
    def run_step(cls, operations: Operations, sql: str) -> None:
        """Send a step's text without looking for parameters in it."""
        operations.invoke(cls(sql))

    @property
    def words(self) -> str | None:
        return self.sql

    def statements(self) -> Sequence[str]:
        return (self.sql,)

    def arguments(self) -> Sequence[Argument]:
        return ((None, self.sql, ...),)


class LayFoundationOp(Operation):
    """What the list stands on, made where none of its tables is there. Where only some are it stops, and names the others."""

    verb = "lay_foundation"

    def __init__(self, sql: str, tables: Sequence[str]) -> None:
        self.sql, self.tables = sql, tuple(tables)

    @classmethod
    def lay_foundation(cls, operations: Operations, sql: str, *, tables: Sequence[str]) -> None:
        """Run a text on a database that has none of these tables; do nothing on one that has them all."""
        operations.invoke(cls(sql, tables))

    @property
    def words(self) -> str | None:
        return self.sql

    def statements(self) -> Sequence[str]:
        return (laid(self.sql, self.tables),)

    def arguments(self) -> Sequence[Argument]:
        return ((None, self.sql, ...), ("tables", self.tables, ...))


class AttemptStepOp(Operation):
    """A step that nothing in the list makes possible on an empty database: an error of it changes nothing."""

    verb = "attempt_step"

    def __init__(self, sql: str) -> None:
        self.sql = sql

    @classmethod
    def attempt_step(cls, operations: Operations, sql: str) -> None:
        """Run a step's text; where it fails, leave everything as it was and go on, with a notice."""
        operations.invoke(cls(sql))

    @property
    def attempted(self) -> Sequence[str]:
        return self.statements() if self.is_apart else (self.sql,)

    @property
    def is_apart(self) -> bool:
        """Whether a statement of it refuses a transaction: then each goes out by itself, up to the first that is rejected."""
        return not reading_of(self.sql).transactional or may_commit(self.sql)

    @property
    def words(self) -> str | None:
        return self.sql

    def statements(self) -> Sequence[str]:
        if self.is_apart:
            return tuple(statement.text for statement in parse(self.sql))
        return (self.sql if discards_all(self.sql) else guards.attempted(self.sql),)

    def arguments(self) -> Sequence[Argument]:
        return ((None, self.sql, ...),)
