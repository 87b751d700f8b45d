"""Self-repair converges: passes over the steps until nothing changes, as the starts of a naive loop would in the end.

A step that waits for a later one is tried again after it; where a later step changed the ground of an earlier one, that one
runs once more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind, statements
from omega_bridge.analysis.program import conditions
from omega_bridge.catalog import Catalog, Key, diff
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import StepOutcome
from omega_bridge.planning import Action, PlannedStep, World, evaluate
from omega_bridge.planning.locks import locks_of
from omega_bridge.planning.plan import plan_step
from omega_bridge.planning.unsettled import VIEWS, unsettled
from omega_bridge.postgres import batch, daily, standing
from omega_bridge.postgres.executor import Executor, skipped

log = logging.getLogger("omega_bridge")

MAX_PASSES = 8
"""A list that still changes something after so many passes never settles: the last outcomes stand."""


@dataclass(slots=True)
class Convergence:
    """Passes over the steps until nothing changes."""

    executor: Executor
    analysis: Analysis
    done_once: frozenset[str]
    started: Catalog
    promised: standing.Promised
    passes: int = 0
    misplaced: list[tuple[str, str]] = field(default_factory=list)
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    _waited: dict[str, str] = field(default_factory=dict)
    _locks: list[str] = field(default_factory=list)
    _changes: int = 0
    _tried_at: dict[str, int] = field(default_factory=dict)
    _ddl: int = 0
    _needs: dict[str, Key] = field(default_factory=dict)
    _judged_at: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Work through the list, then through what is left of it; and again what later steps have changed the ground of."""
        self._settle(list(self.analysis))
        while self.passes < MAX_PASSES and (again := self._unsettled()):
            before = self.executor.catalog
            self.passes += 1
            for step in again:
                self._once_more(step)
            changed = {d.key for d in diff(before, self.executor.catalog)}
            if not changed:
                break
            self.misplaced += [
                (s.id, f"{told[0]}, which a later step leads to")
                for s in again
                if s.id not in self._waited and (told := [d.key for d in self.outcomes[s.id].differences if d.key in changed])
            ]
            self._settle([s for s in self.analysis if s.id in self._stuck()])

    def _unsettled(self) -> list[StepAnalysis]:
        stale = frozenset(i for i, at in self._judged_at.items() if at < self._ddl)
        lost = frozenset(name for o in self.outcomes.values() for name in touched(o))
        if not any(s.id in stale and self._is_suspect(s, lost) for s in self.analysis):
            return []
        return unsettled(self.analysis, self.executor.catalog, self.executor.provided, stale, self._stuck())

    def _is_suspect(self, step: StepAnalysis, lost: frozenset[str]) -> bool:
        """Whether a later step may have given this one its work, or taken it away; what only added to others did neither."""
        outcome = self.outcomes[step.id]
        if outcome.outcome in (Outcome.ALREADY_THERE, Outcome.SKIPPED):
            return step.kind is not StepKind.DATA and any(True for _ in conditions(step.program))
        if step.kind is StepKind.MIXED or any(e.key.kind in VIEWS for s in statements(step.program) for e in s.effects):
            return True
        return bool(lost) and not lost.isdisjoint(step.names)

    def _stuck(self) -> frozenset[str]:
        """The steps that did not work out so far."""
        not_done = (Outcome.FAILED, Outcome.NO_EFFECT, Outcome.REFUSED)
        return frozenset(i for i, o in self.outcomes.items() if o.outcome in not_done)

    def _settle(self, waiting: list[StepAnalysis]) -> None:
        last_chance = False
        while waiting and self.passes < MAX_PASSES:
            self.passes += 1
            late, progress = self._pass(waiting, last_chance)
            if not late or (last_chance and not progress):
                break
            last_chance = not progress
            waiting = late

    def _pass(self, waiting: list[StepAnalysis], last_chance: bool) -> tuple[list[StepAnalysis], bool]:
        late: list[StepAnalysis] = []
        progress = False
        tried = done = 0
        for number, step in enumerate(waiting):
            if number < done:
                continue
            if number >= tried and not last_chance:
                is_last = number + batch.LIMIT >= len(waiting)
                together, taken = self._together(self._batch(waiting[number : number + batch.LIMIT]), is_last=is_last)
                tried = number + len(taken)
                if together:
                    done, progress = tried, True
                    self._changes += 1
                    self._ddl += 1
                    self._judged_at.update((p.analysis.id, self._ddl) for p in taken)
                    self._catch_up(late)
                    continue
            if self._tried_at.get(step.id) == self._changes:  # nothing has changed since it failed: it would fail again
                late.append(step)
                continue
            world = World(self.executor.catalog)
            need = None if last_chance else self._missing(step, world)
            if need is not None:
                self._waited.setdefault(step.id, str(need))
                self._needs[step.id] = need
                late.append(step)
                continue
            applied = self._try(step, late)
            progress = progress or applied
            if applied:
                self._catch_up(late)
        return late, progress

    def _try(self, step: StepAnalysis, late: list[StepAnalysis]) -> bool:
        """Run a step; whether it did something. One that did not work out is ``late``."""
        before = self.executor.catalog
        outcome = self._one(step)
        self._settled(outcome)
        self._needs.pop(step.id, None)
        if outcome.outcome in (Outcome.FAILED, Outcome.NO_EFFECT) and outcome.action is not Action.SKIP:
            self._waited.setdefault(step.id, outcome.reason)
            self._tried_at[step.id] = self._changes
            late.append(step)
        elif step.id in self._waited:
            self.misplaced.append((step.id, self._waited[step.id]))
        changed = before is not self.executor.catalog and bool(outcome.differences)
        if outcome.outcome is Outcome.APPLIED or changed:
            self._changes += 1
        self._ddl += changed
        self._judged_at[step.id] = self._ddl
        return outcome.outcome is Outcome.APPLIED or changed

    def _catch_up(self, late: list[StepAnalysis]) -> None:
        """Steps that waited for what has just been made follow at once, as the compiled history has them."""
        progress = True
        while progress:
            progress = False
            for step in [s for s in late if s.id in self._needs]:
                world = World(self.executor.catalog)
                if world.has(self._needs[step.id]) is False or self._missing(step, world) is not None:
                    continue
                late.remove(step)
                progress = self._try(step, late) or progress

    def _once_more(self, step: StepAnalysis) -> None:
        """Run a step again, as the loop's next start would; what it did before stands where this adds nothing."""
        earlier = self.outcomes[step.id]
        outcome = self._one(step)
        self._ddl += bool(outcome.differences)
        self._judged_at[step.id] = self._ddl
        if outcome.differences or earlier.outcome in (Outcome.FAILED, Outcome.NO_EFFECT, Outcome.ALREADY_THERE):
            self._settled(outcome)

    def _batch(self, steps: list[StepAnalysis]) -> Iterator[PlannedStep]:
        """The longest run of steps from here that may share a transaction, each planned when it is asked for."""
        world = World(self.executor.catalog)
        for step in steps:
            if step.kind is not StepKind.SCHEMA:
                return
            planned = plan_step(step, world, self.executor.provided, self.done_once)
            fits = batch.fits(planned, self.started) if planned.action is Action.RUN else planned.warning is None
            if not fits:
                return
            yield planned
            if any(world.has(need) for need in self._needs.values()):  # somebody waits for this one
                return

    def _together(self, planned: Iterator[PlannedStep], *, is_last: bool) -> tuple[bool, list[PlannedStep]]:
        """Send a batch where two steps or more have something to do; whether it stands, and the steps that were planned."""
        first: list[PlannedStep] = []
        running = 0
        while running < 2:
            step = next(planned, None)
            if step is None:
                return False, first
            first.append(step)
            running += step.action is Action.RUN
        log.info("[MIGRATION] Applying steps together, on tables of this start's own")
        taken, outcomes = batch.execute(self.executor, chain(first, planned), self.promised, is_last=is_last)
        if outcomes is None:
            log.info("[MIGRATION] a step of them did not work out: going on one by one")
            return False, taken
        is_told = log.isEnabledFor(logging.INFO)
        for p, outcome in zip(taken, outcomes, strict=True):
            self._settled(outcome)
            if p.action is Action.RUN:
                if is_told:
                    log.info("[MIGRATION] Applying step %s (%s): %s", outcome.id, _short(p.reason), outcome.outcome)
                self._locks.extend(locks_of(p))
                if outcome.id in self._waited:
                    self.misplaced.append((outcome.id, self._waited[outcome.id]))
        return True, taken

    def _missing(self, step: StepAnalysis, world: World) -> Key | None:
        """What a step needs and does not find: it would fail, or swallow the failure, so it waits for a later one."""
        if step.problem:
            return None
        found = evaluate(step.program, world, self.executor.provided)
        if step.kind is StepKind.SCHEMA or step.kind is StepKind.MIXED:
            return found.fails or found.swallowed
        return found.fails

    def _one(self, step: StepAnalysis) -> StepOutcome:
        planned = plan_step(step, World(self.executor.catalog), self.executor.provided, self.done_once)
        if planned.action is Action.RUN and step.kind is StepKind.DATA and self._has_nothing_to_do(step):
            planned = PlannedStep(step, Action.SKIP, daily.NO_ROW)
        if planned.action is Action.SKIP:
            return skipped(planned)
        log.info("[MIGRATION] Applying step %s (%s)", step.id, _short(planned.reason))
        outcome = self.executor.execute(planned)
        self._locks.extend(locks_of(planned))
        log.log(
            logging.INFO if outcome.outcome is Outcome.APPLIED else logging.WARNING,
            "[MIGRATION] step %s: %s in %.1f ms%s", step.id, outcome.outcome, outcome.seconds * 1000,
            "" if outcome.outcome is Outcome.APPLIED else f" ({outcome.reason})",
        )  # fmt: skip
        return outcome

    def _has_nothing_to_do(self, step: StepAnalysis) -> bool:
        executor = self.executor
        return standing.has_nothing_to_do(executor.session, executor.catalog, step, executor.limits.lock_timeout)

    def _settled(self, outcome: StepOutcome) -> None:
        """Keep the latest outcome of a step, and all of them in the order in which they came about."""
        self.outcomes.pop(outcome.id, None)
        self.outcomes[outcome.id] = outcome if outcome.pass_ == self.passes else replace(outcome, pass_=self.passes)

    def in_list_order(self) -> tuple[StepOutcome, ...]:
        """Outcomes in the order of the list."""
        return tuple(self.outcomes[s.id] for s in self.analysis if s.id in self.outcomes)

    def locks(self) -> list[str]:
        """Each lock once."""
        return list(dict.fromkeys(self._locks))


def _short(reason: str) -> str:
    """A reason on one line of a log."""
    line = " ".join(reason.split())
    return line if len(line) <= 120 else line[:117] + "..."


def touched(outcome: StepOutcome) -> Iterator[str]:
    """The names of what a step changed or took away, and did not only add."""
    return (n for d in outcome.differences if d.left is not None for n in (d.key.table, d.key.name.partition("(")[0]) if n)
