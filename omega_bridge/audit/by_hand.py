"""Revisions that were written by hand, on scratch databases: no start runs them, so Alembic does, where boots alone bring a database on.

They run in the bridge's own environment, as all that is proven; the project's ``env.py`` is not loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from omega_bridge.audit.pairs import alembic, upgrade
from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.revisions.graph import Graph, graph_of
from omega_bridge.revisions.sums import SumLine, head_of, revisions
from omega_bridge.startup.run import Run
from omega_bridge.steps import Registry, StepLike

VERSION_TABLE = (
    "CREATE TABLE IF NOT EXISTS public.alembic_version "
    "(version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)"
)


@dataclass(frozen=True, slots=True)
class Block:
    """Revisions in a row, up to ``last``; ``ahead_of`` is the exported one that follows, ``after`` the one before them, if any."""

    after: str | None
    last: str
    ahead_of: str

    def run(self, folder: Path, database: ScratchDatabase) -> None:
        """On a database that holds what was exported before. Raises ``StepFailed`` where PostgreSQL rejects one."""
        if self.after is not None:
            with database.session() as session:
                session.execute(VERSION_TABLE)
                session.execute("DELETE FROM public.alembic_version")
                session.execute("INSERT INTO public.alembic_version VALUES (%s)", (self.after,))
        upgrade(alembic(folder, database), self.last, "or one before it that was written by hand")


@dataclass(frozen=True)
class ByHand:
    """What was written by hand in a history. ``blocks``: where an exported revision follows it."""

    folder: Path
    graph: Graph
    blocks: tuple[Block, ...] = ()

    def ahead_of(self, revision: str, database: ScratchDatabase) -> None:
        """Run what stands right before an exported revision, on a database that holds all before that."""
        for block in self.blocks:
            if block.ahead_of == revision:
                block.run(self.folder, database)

    def boot(
        self, database: ScratchDatabase, steps: Registry | Sequence[StepLike], stands: Collection[str] = ()
    ) -> tuple[Run, ...]:
        """A start of the whole list: behind what stands before it, and once more behind what was written by hand between its revisions.

        ``stands``: the revisions at which the database is already.
        """
        there = self.graph.up_to(stands)
        runs: list[Run] = []
        for block in (b for b in self.blocks if b.last not in there):
            if block.after is not None and not runs:
                runs.append(database.boot(steps))
            block.run(self.folder, database)
        return (*runs, database.boot(steps))


def on_top(folder: Path, lines: Sequence[SumLine]) -> Block | None:
    """What was written by hand since the last export, if anything. Raises ``SeveralHeads``, ``ConfigurationInvalid``."""
    last, graph = head_of(lines), graph_of(folder, lines)
    if last is None or graph.is_ours_alone or graph.head in (None, last):
        return None
    return Block(last, str(graph.head), "")


def by_hand_in(folder: Path, lines: Sequence[SumLine]) -> ByHand:
    """Raises ``ConfigurationInvalid`` where a file does not say what it follows."""
    graph = graph_of(folder, lines)
    if graph.is_ours_alone:
        return ByHand(folder, graph)
    blocks, previous = [], None
    for line in revisions(lines):
        (*_, down) = graph.nodes[line.revision].down or (None,)
        if down is not None and down != previous:
            blocks.append(Block(previous, down, line.revision))
        previous = line.revision
    return ByHand(folder, graph, tuple(blocks))
