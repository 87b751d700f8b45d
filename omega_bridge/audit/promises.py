"""What a project's tests may hold its list and its history to, on scratch databases: each promise is a function that yields what breaks it."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge import environment, errors
from omega_bridge.analysis import Analysis
from omega_bridge.audit import data
from omega_bridge.audit.by_hand import ByHand, by_hand_in
from omega_bridge.audit.drift import drift
from omega_bridge.audit.equivalence import compiled, verify
from omega_bridge.audit.expected import WENT_WRONG, make
from omega_bridge.audit.pairs import alembic, upgrade
from omega_bridge.audit.scratch import Scratch, ScratchDatabase, scratch_database
from omega_bridge.catalog import Catalog, diff
from omega_bridge.expectation import FILE
from omega_bridge.expectation_file import kept
from omega_bridge.outcomes import StepOutcome
from omega_bridge.planning.foundation import Foundation
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import sums
from omega_bridge.revisions.graph import Graph, graph_of
from omega_bridge.revisions.rendering import NO_WAY_BACK
from omega_bridge.startup.run import Run
from omega_bridge.steps import Registry

if TYPE_CHECKING:
    from sqlalchemy import MetaData


@dataclass(frozen=True, slots=True)
class Promised:
    """The project. ``history``: its exported folder, which need not be there; ``allowed``: steps that a scratch database may reject.

    ``models``: an analysis with a step for each of their tables; ``listed``: the digest of list, models and foundation.
    """

    registry: Registry
    metadata: MetaData | None
    analysis: Analysis
    models: Analysis
    listed: str
    history: Path
    foundation: Foundation | None = None
    allowed: Collection[str] = ()

    @property
    def steps(self) -> Registry:
        """The list with what only the models know; the rows of a scratch database are its own, and may go."""
        return Registry(tuple(replace(s.step, id=s.id, destructive=True) for s in self.analysis))

    @property
    def by_hand(self) -> ByHand:
        """The history's revisions that no export wrote."""
        return by_hand_in(self.history, sums.read_sum(self.history))


def repeatable(project: Promised, scratch: Scratch) -> Iterator[str]:
    """A start leads to where a second one stays: no step fails, none of schema is sent again, no object and no row is otherwise."""
    with scratch_database(scratch, "once") as once, scratch_database(scratch, "twice") as twice:
        _start(project, once)
        first = _start(project, twice)
        yield from _failed(project, first.steps, "an empty database")
        second = twice.boot(project.steps)
        yield from _failed(project, second.steps, "its second start")
        for step in second.steps:
            if step.kind == "schema" and step.outcome == "applied":
                yield f"step {step.id} is sent again by a second start: {step.reason.splitlines()[0]}"
        for undone in second.unsettled:
            yield f"steps undo one another at every start: {undone}"
        for difference in diff(_read(once), _read(twice)):
            yield f"a second start changes the schema: {difference}"

        for rows in data.compared(once, twice, partial(_started, project, scratch)):
            yield f"a second start changes the rows of {rows.key.name}: first {_told(rows.boot)}, then {_told(rows.alembic)}"


def equivalent(project: Promised, scratch: Scratch) -> Iterator[str]:
    """Starts and the history lead to one schema, from every start."""
    found = verify(
        project.registry, project.metadata, scratch, history=project.history, foundation=project.foundation
    )  # fmt: skip
    for difference in found.differences:
        yield f"{difference.start}, after {difference.step or 'the head'} ({difference.revision}): {difference}"
    for rejected in found.rejected:
        if rejected.step not in project.allowed:
            yield f"{rejected.start}: step {rejected.step} is not proven: {rejected.outcome}: {rejected.told.splitlines()[0]}"


def no_drift(project: Promised, scratch: Scratch, database: str | None = None) -> Iterator[str]:
    """The database, else one that is made by a start, is what the history's expectation says, attribute by attribute."""
    expected = kept(project.history, project.listed)
    if expected is None:
        if sums.read_sum(project.history):
            yield f"{project.history / FILE} is not of the list and the models as they are; run: omega-bridge export"
            return
        expected = make(project.analysis, project.listed, scratch, project.foundation)
    if database is not None:
        found = drift(database, project.analysis, project.models, expected)
    else:
        with _started(project, scratch) as started:
            found = drift(started.url, project.analysis, project.models, expected)
    yield from (f"{d.what}: {d}" for d in found.differences)
    for step in found.standing:
        if step["id"] not in project.allowed:
            yield f"step {step['id']} stands {step['outcome']}: {step['reason'].splitlines()[0]}"


def downgrade_leaves_no_trace(project: Promised, scratch: Scratch) -> Iterator[str]:
    """From the head down, the schema is again what an upgrade to there leads to; at the base, what was there before.

    A revision that says that it has no way back is passed over: those below it are gone down from an upgrade that ends below it.
    """
    with compiled(project.analysis, project.history, project.foundation, scratch) as folder:
        lines = sums.read_sum(folder)
        graph, files = graph_of(folder, lines), {line.revision: path for line, path in sums.paths(folder, lines)}
        top = graph.head
        while top is not None:
            if top in files and NO_WAY_BACK in files[top].read_text(encoding="utf-8"):
                top = next(iter(graph.nodes[top].down), None)
            else:
                top = yield from _down(project, scratch, folder, graph, top)


def one_head(project: Promised, _scratch: Scratch) -> Iterator[str]:
    """The history has one head, and its files are what was exported."""
    lines = sums.read_sum(project.history)
    sums.check(project.history, lines)
    if graph_of(project.history, lines).head is None:
        yield f"{project.history} holds no revision; run: omega-bridge export"


def _down(project: Promised, scratch: Scratch, folder: Path, graph: Graph, top: str) -> Generator[str, None, str | None]:
    """Down from ``top`` as far as there is a way; returns from where to go on below, ``None`` at the base."""
    with scratch_database(scratch, "down") as database, scratch_database(scratch, "up") as other:
        database.lay(project.foundation)
        other.lay(project.foundation)
        config = alembic(folder, database)
        upgrade(config, top, "the history")
        try:
            environment.downgrade(config, "base")
            reached: str | None = None
        except errors.Irreversible:
            reached = _version(database)
        if reached is not None:
            upgrade(alembic(folder, other), reached, "the history")
        below = graph.nodes[reached].down if reached is not None else ()
        at = f"down to {reached}" if reached is not None else "down to the base"
        for difference in diff(_read(other), _read(database)):
            yield f"a downgrade from {top} {at} leaves a trace (left: never there; right: taken back): {difference}"
    return below[0] if below else None


def _version(database: ScratchDatabase) -> str | None:
    with database.session() as session:
        rows = session.rows("SELECT version_num FROM public.alembic_version")
    return str(rows[0][0]) if rows else None


def _start(project: Promised, database: ScratchDatabase) -> Run:
    database.lay(project.foundation)
    return project.by_hand.boot(database, project.steps)[-1]


@contextmanager
def _started(project: Promised, scratch: Scratch) -> Iterator[ScratchDatabase]:
    with scratch_database(scratch, "started") as database:
        _start(project, database)
        yield database


def _failed(project: Promised, outcomes: Collection[StepOutcome], where: str) -> Iterator[str]:
    for step in outcomes:
        if step.outcome in WENT_WRONG and step.id not in project.allowed:
            yield f"step {step.id} does not work out on {where}: {step.outcome}: {str(step.error or step.reason).splitlines()[0]}"


def _read(database: ScratchDatabase) -> Catalog:
    with database.session() as session:
        return read_catalog(session.connection)


def _told(rows: Collection[str]) -> str:
    return "; ".join(rows) or "none"
