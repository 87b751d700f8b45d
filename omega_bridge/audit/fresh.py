"""A start of the list as it is today beside ``alembic upgrade head``, from one ground.

Where they differ, a database that was made today is not like one that lived through the list's past: a ``CREATE TABLE IF NOT
EXISTS`` was edited, a step was put in before another, or one was taken out. A further step makes both alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from omega_bridge.analysis import Analysis, analyse
from omega_bridge.audit import data
from omega_bridge.audit.by_hand import Block, ByHand, by_hand_in, on_top
from omega_bridge.audit.expected import WENT_WRONG, makers
from omega_bridge.audit.grounds import Ground
from omega_bridge.audit.pairs import Begun, Pair, Told, alembic, upgrade
from omega_bridge.audit.predictions import behind, foresee
from omega_bridge.audit.scratch import Scratch, ScratchDatabase, scratch_database
from omega_bridge.audit.verdict import ROWS, Predictions, Rejected, Start, Unlike
from omega_bridge.audit.witness import Witness
from omega_bridge.catalog import Catalog, Difference, Key, Kind
from omega_bridge.outcomes import StepOutcome
from omega_bridge.planning.edited import appended
from omega_bridge.planning.world import World
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.dsn import connection_parameters
from omega_bridge.revisions import files, sums
from omega_bridge.startup.run import Run
from omega_bridge.steps import Registry, Step


def begun(
    ground: Ground,
    analysis: Analysis,
    folder: Path,
    lines: tuple[sums.SumLine, ...],
    scratch: Scratch,
    witness: Witness | None,
    upgraded: ScratchDatabase | None = None,
) -> Begun:
    """Bring two databases on from there, and compare. Raises ``StepFailed`` where the history cannot be run there.

    ``upgraded``: a database that an upgrade from there has brought to the head already.
    """
    top = on_top(folder, lines)
    head = top.last if top is not None else sums.head_of(lines)
    steps = Registry(tuple(replace(s.step, id=s.id, destructive=True) for s in analysis))  # the rows are the list's own
    with (
        scratch_database(scratch, "boot") as left,
        scratch_database(scratch, "alembic") if upgraded is None else nullcontext(upgraded) as right,
    ):
        ground.lay(left)
        if upgraded is None:
            ground.begin(right)
        written = by_hand_in(folder, lines)
        stands = [version for version in ground.versions if version in written.graph.nodes]
        if upgraded is None:
            ground.stamp(right, stands)
        if written.blocks:
            ground.stamp(left, stands)
        with left.session() as session:
            foreseen = foresee(ground.name, analysis, read_catalog(session.connection))
        runs = _booted(left, written, top, steps, stands)
        if head is not None and (upgraded is None or top is not None):
            upgrade(alembic(folder, right), head, f"the head, from the start {ground.name!r}")
        pair = Pair(ground.name, left, right)
        told = _teller(pair, analysis, runs, folder, lines)
        at = head or ""

        @contextmanager
        def twin() -> Iterator[ScratchDatabase]:
            with scratch_database(scratch, "boot") as database:
                ground.lay(database)
                if written.blocks:
                    ground.stamp(database, stands)
                _booted(database, written, top, steps, stands)
                yield database

        found = Begun(
            Start(ground.name, 1),
            (
                *pair.unlike(at, told),
                *pair.only_seen_by(witness, at, ""),
                *(
                    Unlike(ground.name, at, _filler(d.key, analysis), str(d.key), ROWS, d.boot, d.alembic)
                    for d in data.compared(left, right, twin, _texts(analysis, folder, lines))
                ),
            ),
            tuple(pair.moved(at, told)),
            tuple(_rejected(ground.name, runs[-1].steps, left)),
        )
        tried, wrong = behind(ground.name, analysis, left)
        mistaken = () if written.blocks or top is not None else tuple(foreseen.held_against(runs[-1].steps))
        return replace(found, predictions=Predictions(len(foreseen.planned) + tried, (*mistaken, *wrong)))


def _booted(
    database: ScratchDatabase, written: ByHand, top: Block | None, steps: Registry, stands: Sequence[str]
) -> tuple[Run, ...]:
    """A start of the whole list; and one more behind what was written by hand on ``top``, which ``alembic upgrade head`` runs."""
    runs = written.boot(database, steps, stands)
    if top is None or top.last in written.graph.up_to(stands):
        return runs
    top.run(written.folder, database)
    return (*runs, database.boot(steps))


def _rejected(start: str, outcomes: Iterable[StepOutcome], database: ScratchDatabase) -> Iterable[Rejected]:
    name = str(connection_parameters(database.url)["dbname"])
    for outcome in outcomes:
        if outcome.outcome in WENT_WRONG:
            words = str(outcome.error or outcome.reason).replace(name, "scratch")
            yield Rejected(start, outcome.id, str(outcome.outcome), words)


# --- where it comes from, and what makes it right ----------------------------------------------------------------


def _teller(pair: Pair, analysis: Analysis, runs: Sequence[Run], folder: Path, lines: tuple[sums.SumLine, ...]) -> Told:
    today: dict[Key, str] | None = None
    before: dict[Key, str] | None = None

    def told(difference: Difference) -> tuple[str, str]:
        nonlocal today, before
        key = difference.key
        if today is None:
            today = makers(pair.boot, analysis, [outcome for run in runs for outcome in run.steps])
        step = _of(key, today)
        if not step:
            if before is None:
                before = _lived(pair.alembic, folder, lines)
            step = _of(key, before)
        has_table = not key.table or bool(pair.boot.named(Kind.TABLE, key.table))
        return step, appended(difference, pair.boot.get(key), has_table=has_table)

    return told


def _texts(analysis: Analysis, folder: Path, lines: tuple[sums.SumLine, ...]) -> Iterator[str]:
    """What every step says, today's and the history's."""
    yield from (s.step.sql for s in analysis)
    recorded = files.RecordedTexts(folder, lines)
    for line in sums.revisions(lines):
        yield from recorded.all(line.revision)


def _filler(key: Key, analysis: Analysis) -> str:
    """The step that fills a table, where only one that changes rows names it."""
    naming = [s.id for s in analysis if s.kind != "schema" and re.search(rf"\b{re.escape(key.name)}\b", s.step.sql)]
    return naming[0] if len(naming) == 1 else ""


def _of(key: Key, by: dict[Key, str]) -> str:
    return by.get(key) or next((by[k] for k in by if key.table and (k.schema, k.name) == (key.schema, key.table)), "")


def _lived(catalog: Catalog, folder: Path, lines: tuple[sums.SumLine, ...]) -> dict[Key, str]:
    """The step that each object came from in the list's past, by what was read of each text."""
    world, found = World(catalog), dict[Key, str]()
    texts = files.RecordedTexts(folder, lines)
    for line in sums.revisions(lines):
        if line.kind in ("retire", "foundation"):
            continue
        for recorded, text in zip(line.steps, texts.all(line.revision), strict=True):
            for statement in analyse(Registry((Step(text, id=recorded.label),))).steps[0].reading.statements:
                for effect in (*statement.effects, *statement.implied):
                    if effect.present and (key := world.find(effect.key)) is not None:
                        found[key] = recorded.label
    return found
