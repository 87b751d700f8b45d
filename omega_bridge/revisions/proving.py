"""Operations run on a scratch database inside one transaction, to be kept or taken back; and who judges them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from alembic.operations import Operations
from alembic.operations.ops import MigrateOperation
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from omega_bridge.analysis import Analysis, StepAnalysis
from omega_bridge.catalog import Catalog
from omega_bridge.planning.foundation import Foundation
from omega_bridge.revisions.alembic_border import connection_to, driver_of
from omega_bridge.revisions.lifting import Lifted
from omega_bridge.revisions.row_guard import GUARD

if TYPE_CHECKING:
    from omega_bridge.typed import Connection as PsycopgConnection


class Proof(StrEnum):
    """What is known of a revision's translation. ``VERBATIM``: there is nothing to prove."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    VERBATIM = "verbatim"
    IMPLIED = "implied"
    """Proven where the tables that nothing makes are as the step's own text implies them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The steps as they may be written, and how much that is worth. ``rejected``: PostgreSQL did not take their own text."""

    lifted: tuple[Lifted, ...]
    proof: Proof
    rejected: bool = False


class Prover(Protocol):
    """Compares lifted steps with the steps themselves, one revision after the other, on databases of its own."""

    def lay(self, foundation: Foundation) -> Catalog:
        """Make what the list stands on, and read what is there then. Raises ``ConfigurationInvalid`` where the server does not take it."""

    def remember(self, texts: Iterable[str]) -> None:
        """Bring the databases to where the exported history ends."""

    def upgrade(self, folder: Path, revision: str) -> Catalog:
        """The same by Alembic, for a history in which some were written by hand; read what is there then. Raises ``StepFailed``."""

    def judge(self, steps: Sequence[StepAnalysis], lifted: Sequence[Lifted]) -> Verdict:
        """Try the next revision's steps; what does not lead to the same catalog comes back verbatim."""

    def judge_on(self, step: StepAnalysis, lifted: Lifted, ways: Sequence[str]) -> bool:
        """Whether a step is taken on top of each of these texts, and the operations do what it does there; nothing of it is kept."""

    def set(self, text: str) -> None:
        """Put settings in force on both databases, for what is judged next."""

    def changed(self) -> frozenset[str]:
        """The names of what the revisions tried since this was last asked made, changed or dropped."""

    def still_change(
        self, held: Analysis, among: frozenset[str], rejected: frozenset[str], behind: frozenset[str] = frozenset()
    ) -> list[StillChanged]:
        """Which of the steps with these ids would change something if they ran once more, in ``held``'s order, and what.

        ``rejected``: those that PostgreSQL did not take so far; one that it takes now is among the found. ``behind``: those that are tried
        whatever the catalog says of them before. Nothing is kept.
        """


StillChanged: TypeAlias = tuple[StepAnalysis, tuple[str, ...]]
"""A step, and what it would change, in words."""


def unproven(lifted: Sequence[Lifted]) -> Verdict:
    """The verdict of nobody."""
    return Verdict(tuple(lifted), Proof.VERBATIM if all(found.is_verbatim for found in lifted) else Proof.UNPROVEN)


class Trial:
    """One scratch database on which operations run."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def driver(self) -> PsycopgConnection:
        """psycopg's connection, inside the same transaction."""
        return driver_of(self.connection)

    def commit(self) -> None:
        """What an operation sends, and what is read, goes through the driver, of whose transaction SQLAlchemy may not know."""
        self.connection.commit()
        self.driver.commit()

    def rollback(self) -> None:
        """See ``commit``."""
        self.connection.rollback()
        self.driver.rollback()

    def run(self, operations: Iterable[MigrateOperation]) -> None:
        """Run them as a revision would. Raises what the server raises."""
        context = MigrationContext.configure(self.connection, opts={GUARD: None})
        runner = Operations(context)
        for operation in operations:
            runner.invoke(operation)

    def outside(self, operations: Iterable[MigrateOperation]) -> None:
        """Run what refuses a transaction. Raises what the server raises."""
        self.commit()
        context = MigrationContext.configure(self.connection, opts={GUARD: None})
        with context.begin_transaction(_per_migration=True), context.autocommit_block():
            runner = Operations(context)
            for operation in operations:
                runner.invoke(operation)


@contextmanager
def trial_on(parameters: Mapping[str, object]) -> Iterator[Trial]:
    """A trial on the database with these libpq parameters."""
    with connection_to(parameters) as connection:
        yield Trial(connection)
