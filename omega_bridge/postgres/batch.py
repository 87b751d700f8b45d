"""Many steps in one transaction and a few round trips: for tables that this boot creates, which nobody else can see yet.

Guards were decided from the catalog, so plain DDL goes out, and while the server works the next steps are thought through.
Each step keeps its own outcome and ledger row. Where a statement fails, or the catalog is not what every step says, all is
undone and the caller goes on step by step.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import psycopg

from omega_bridge.analysis import StepKind
from omega_bridge.analysis.program import Sql
from omega_bridge.catalog import Catalog, Difference, Key, Kind, diff
from omega_bridge.kinds import READ
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import StepOutcome
from omega_bridge.planning import Action, PlannedStep, World, evaluate
from omega_bridge.planning.locks import locks_of
from omega_bridge.planning.reruns import gives_itself_work
from omega_bridge.planning.step_outcome import outcome_of, skipped
from omega_bridge.postgres import guarding, ledger_store, lock, waiting
from omega_bridge.postgres.clean_state import Promised
from omega_bridge.postgres.executor import Executor, draft
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.sending import Sender
from omega_bridge.postgres.session import border

LIMIT = 1000
"""Steps in one transaction: each table it touches holds slots of the server's lock table until the end."""

_PLAIN = {tag for tag, said in READ.items() if said.is_batched}


def fits(planned: PlannedStep, started: Catalog) -> bool:
    """Whether a step may share a transaction: only additions, all known, and on no table that was there before the boot."""
    step = planned.analysis
    if step.kind is not StepKind.SCHEMA or step.problem or not step.transactional or not planned.is_foreseen:
        return False
    return bool(planned.statements) and all(_is_private(s, started) for s in planned.statements)


def _is_private(s: Sql, started: Catalog) -> bool:
    if s.tag not in _PLAIN or s.opaque or s.data or s.destroys or s.cascade or not all(e.present for e in s.effects):
        return False
    names = {k.table or k.name for k in s.needs if k.kind in (Kind.TABLE, Kind.COLUMN)}
    names |= {e.key.table for e in s.effects if e.key.table} | {e.key.name for e in s.effects if e.key.kind is Kind.TABLE}
    names |= {str(v) for e in s.effects for a, v in e.attributes if a == "table"}
    return names.isdisjoint(started.relations)


class Sent(NamedTuple):
    """A batch. ``outcomes``: ``None`` where it was undone. ``settled``: the places in it of steps that might have given themselves work,
    and did not. ``locks``: on tables, that its statements took.
    """

    taken: list[PlannedStep]
    outcomes: list[StepOutcome] | None = None
    settled: frozenset[int] = frozenset()
    locks: Sequence[str] = ()


def execute(executor: Executor, planned: Iterable[PlannedStep], promised: Promised, *, is_last: bool, reaches: bool) -> Sent:
    """Run a batch as it is planned.

    Skipped steps may stand among those that run: they are checked, too. ``promised``: thought out while the server works.
    ``is_last``: what is read in the end may be what is recorded. ``reaches``: a step of it reaches beyond the start's schemas.
    """
    session = executor.session
    if executor.overheard:
        return Sent([])
    started = time.perf_counter()
    session.drain_notices()
    batch: list[PlannedStep] = []
    try:
        begun = waiting.begin_in_turn(session, "batch", executor.limits, question=guarding.OVERHEARD, reaches=reaches)
        executor.overheard = begun == [("t",)]
        if executor.overheard:  # each step by itself, and watched
            session.rollback()
            return Sent([])
        sender = Sender(session)
        with border(session.dsn):
            for step in planned:
                batch.append(step)
                if step.action is Action.RUN:
                    sender.add(s.text for s in step.statements)
            locks: list[str] = []

            def meanwhile() -> None:
                promised.think()
                locks.extend(chain.from_iterable(map(locks_of, batch)))

            sender.finish(meanwhile)
        asked = probe_function.ask(session.connection, promised.watched) if is_last else None
        fresh = executor.reader.read(executor.names)
        judged = _judged(executor, batch, fresh, time.perf_counter() - started)
        if judged is None:
            session.rollback()
            return Sent(batch)
        outcomes, settled = judged
        applied = [o for o in outcomes if o.outcome is Outcome.APPLIED]
        tip = ledger_store.append(session.connection, (draft(o, executor.run, executor.driver) for o in applied), executor.tip)
        with border(session.dsn):
            sender.begin(lock.committing(session))
            sender.finish(fresh.digest)  # it is asked for when all is recorded, if this is the last batch
    except psycopg.Error:
        session.rollback()
        return Sent(batch)
    executor.catalog, executor.tip, executor.asked = fresh, tip, (asked, fresh) if asked is not None else None
    notices = session.drain_notices()
    if notices:
        outcomes[-1] = replace(outcomes[-1], notices=notices)
    return Sent(batch, outcomes, settled, locks)


def _judged(
    executor: Executor, batch: Sequence[PlannedStep], fresh: Catalog, seconds: float
) -> tuple[list[StepOutcome], frozenset[int]] | None:
    """Success is read from the catalog, once for all of them; with it, the places of those that have given themselves no work."""
    world, settled = World(fresh), set()
    for n, planned in enumerate(batch):
        if gives_itself_work(planned.analysis) and _is_at_rest(planned, world, executor):
            settled.add(n)
        elif not _holds(planned, world, executor):
            return None
    shares = _shares(batch, diff(executor.catalog, fresh))
    each = seconds / max(sum(p.action is Action.RUN for p in batch), 1)
    outcomes = [
        skipped(planned)
        if planned.action is Action.SKIP
        else outcome_of(planned, Outcome.APPLIED, planned.reason, differences=tuple(shares.get(n, ())), seconds=each)
        for n, planned in enumerate(batch)
    ]
    return outcomes, frozenset(settled)


def _is_at_rest(planned: PlannedStep, world: World, executor: Executor) -> bool:
    """Whether a step would find all that it makes, and no guard of it be satisfied by anything else."""
    mark = world.mark()
    found = evaluate(planned.analysis.reading.program, world, executor.provided)
    world.rollback(mark)
    holds = all(world.holds(e) is True for s in planned.statements for e in s.effects)
    return holds and found.is_nothing and not found.rebuilds and not found.unmet


def _holds(planned: PlannedStep, world: World, executor: Executor) -> bool:
    """Whether a step would change nothing more; where all of it ran, that is whether what it says is there."""
    reading = planned.analysis.reading
    if len(planned.statements) == reading.size:
        return all(world.holds(e) is True for s in planned.statements for e in s.effects)
    mark = world.mark()
    found = evaluate(reading.program, world, executor.provided).is_nothing
    world.rollback(mark)
    return found


def _shares(batch: Sequence[PlannedStep], differences: Sequence[Difference]) -> dict[int, list[Difference]]:
    """Which step made what: by the names in its statements; what comes along with a table goes to the step that made it."""
    by_name: dict[tuple[str, str], int] = {}
    by_table: dict[str, int] = {}
    for n, planned in enumerate(batch):
        for s in planned.statements:
            for e in (*s.effects, *s.implied):
                by_name.setdefault((e.key.table, e.key.name), n)
                if e.key.kind is Kind.TABLE:
                    by_table.setdefault(e.key.name, n)
    last = len(batch) - 1
    shares: dict[int, list[Difference]] = {}
    for d in differences:
        owner = by_name.get((d.key.table, _bare(d.key)), by_table.get(d.key.table or _bare(d.key), last))
        shares.setdefault(owner, []).append(d)
    return shares


def _bare(key: Key) -> str:
    return key.name
