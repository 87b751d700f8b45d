"""Self-repair converges: whole passes over the list, in its order, until a pass ends where it began.

The first pass sends what is not certainly there. A further one is needed only where a step failed, waited, or no longer
holds: as in the naive loop, the last writer in the list's order has the last word.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice, takewhile

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind, statements
from omega_bridge.analysis.program import conditions
from omega_bridge.catalog import Catalog, Difference, Key, Kind
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import StepOutcome
from omega_bridge.planning import Action, Evaluation, PlannedStep, Planner, World, lacking
from omega_bridge.planning.locks import locks_of
from omega_bridge.planning.reruns import VIEWS, hangs_on_the_rest, is_maintenance, only_sets
from omega_bridge.planning.returning import comes_back
from omega_bridge.planning.waiting import Waiting, waits_for
from omega_bridge.postgres import batch, clean_state, data_steps, lookahead
from omega_bridge.postgres.executor import Executor, outcome_of, skipped
from omega_bridge.postgres.whole_catalog import Changes, Watcher, changes
from omega_bridge.startup.run import Unsettled

log = logging.getLogger("omega_bridge")

MAX_PASSES = 8
"""A list that still changes something after so many passes never settles: the last outcomes stand."""

_NOT_DONE = (Outcome.FAILED, Outcome.NO_EFFECT, Outcome.REFUSED)
_DEFAULTS = "alter_default_privileges_stmt"
_BY_DEFAULT = "privileges by default have changed since it made what it rebuilds"


@dataclass(slots=True)
class _Clock:
    """When names last changed. A moment is a number that grows with each step that changed something, rows or schema."""

    now: int = 0
    schema: int = 0
    """When the schema last changed."""
    added: dict[str, int] = field(default_factory=dict)
    """Names that a step made something of, or changed."""
    changed: dict[str, int] = field(default_factory=dict)
    """Names of what a step changed or took away, and did not only add."""
    schemas: int = 0
    """When a schema last came or went: it may be one of the ``search_path``."""
    defaults: int = 0
    """When privileges by default last changed."""

    def tick(self, differences: tuple[Difference, ...], beyond: Changes | None = None) -> None:
        """A step changed something. ``beyond``: what else of the database it changed than the catalog shows."""
        self.now += 1
        if differences or beyond:
            self.schema = self.now
        for key, names in (beyond or {}).items():
            self.added.update(dict.fromkeys(names, self.now))
            self.changed.update(dict.fromkeys(names, self.now))
            if key.kind is Kind.DEFAULT_PRIVILEGES:
                self.defaults = self.now
        for d in differences:
            if d.key.kind is Kind.SCHEMA and not d.attribute:
                self.schemas = self.now
            for name in (d.key.table, d.key.name.partition("(")[0]):
                if name:
                    self.added[name] = self.now
                    if d.left is not None:
                        self.changed[name] = self.now


@dataclass(slots=True)
class Convergence:
    """Passes over the steps until nothing changes."""

    executor: Executor
    analysis: Analysis
    done_once: frozenset[str]
    started: Catalog
    promised: clean_state.Promised
    passes: int = 0
    misplaced: list[tuple[str, str]] = field(default_factory=list)
    unsettled: list[Unsettled] = field(default_factory=list)
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    _planner: Planner = field(init=False)
    _locks: list[str] = field(default_factory=list)
    _clock: _Clock = field(default_factory=_Clock)
    _began: dict[str, int] = field(default_factory=dict)
    """Before a step was last judged or sent: the moment then."""
    _ended: dict[str, int] = field(default_factory=dict)
    """The moment after that, with what it changed itself."""
    _waiting: Waiting = field(init=False)
    _is_stirred: bool = False
    """Whether a further pass has sent a step that may have changed what the catalog does not show."""
    _made: dict[str, set[str]] = field(default_factory=dict)
    """The objects that each step has changed so far."""
    _got_on: bool = False
    """Whether this pass changed the schema or rows, or a step worked for the first time."""
    _done: list[tuple[str, str]] = field(default_factory=list)
    """The steps of this pass that changed something, each with the object, in order."""
    _paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The ``search_path`` under which a step was last judged or sent."""
    _watcher: Watcher | None = None
    """Who looks at all of the database; where one step's effects, which its text does not tell, may concern another."""
    _seen: Catalog | None = None
    """All of the database before this pass."""
    _foreseen: tuple[Catalog, dict[int, PlannedStep]] | None = None
    """Plans by the steps' places, and the catalog that they are made for."""
    _beyond: Changes = field(default_factory=dict)
    """What the step that was sent last changed of it."""

    def __post_init__(self) -> None:
        self._planner = Planner(self.analysis, self.done_once)
        self._waiting = Waiting(self.analysis)
        uncertain = [s for s in self.analysis if hangs_on_the_rest(s)]
        if len(uncertain) > 1 or any(q.tag == _DEFAULTS for s in uncertain for q in s.reading.statements):
            self._watcher = Watcher(self.executor.session.connection)

    def run(self) -> None:
        """Work through the list until a pass changes nothing that a further one would have to look at."""
        while self.passes < MAX_PASSES:
            if self.passes:
                self.executor.as_on_connecting()
            before, moment = self.executor.catalog, self._clock.now
            self.passes += 1
            self._done, self._got_on = [], False
            self._seen = self._watcher.look() if self._watcher is not None else None
            self._pass()
            self._is_stirred = False
            if self._clock.now == moment or not self._wants_another():
                break
            if self.passes > 1 and not self._got_on:
                break
            if self._done and not self._has_changed_since(before):
                break
        self._tell_unsettled(before)
        self._tell_held()

    def _has_changed_since(self, before: Catalog) -> bool:
        """Whether anything is another than it was at this pass's beginning."""
        if self.executor.changed_since(before):
            return True
        return self._watcher is not None and self._seen is not None and bool(changes(self._seen, self._watcher.look()))

    # --- one pass ----------------------------------------------------------------------------------------------

    def _pass(self) -> None:
        steps = self.analysis.steps
        index = tried = 0
        while index < len(steps):
            if index >= tried and self.passes == 1:
                together, taken = self._together(index)
                tried = index + len(taken)
                if together:
                    index = tried
                    continue
                self._foresee(index, taken)
            self._step(index)
            index += 1

    def _foresee(self, index: int, taken: list[PlannedStep]) -> None:
        """Of steps that were planned for a batch, those ahead of the first that would do anything: planned once more they would be
        planned alike, while the catalog is this one.
        """
        ahead = takewhile(lambda p: p.action is Action.SKIP and not (p.found is not None and p.found.rebuilds), taken)
        self._foreseen = (self.executor.catalog, dict(enumerate(ahead, start=index)))

    def _step(self, index: int) -> None:
        """One step in its place: sent, skipped, or held back."""
        step = self.analysis.steps[index]
        if self.passes > 1 and not (only_sets(step) or self._is_due(index, self._is_elsewhere(step))):
            return
        held_for = self._waiting.holder(index, self.executor.catalog.relations) if self._waiting else None
        if held_for is not None and self._would_run(index):
            self._waiting.hold(step, held_for)
            log.info("[MIGRATION] step %s is held back: it would change what step %s reads, which waits", step.id, held_for.id)
            return
        self._waiting.release(step)
        self._try(index)

    def _would_run(self, index: int) -> bool:
        return self._planner.plan(index, World(self.executor.catalog)).action is Action.RUN

    def _is_elsewhere(self, step: StepAnalysis) -> bool:
        """Whether names without a schema mean another one than when the step was judged."""
        return self._paths.get(step.id, self.executor.catalog.search_path) != self.executor.catalog.search_path

    def _is_due(self, index: int, is_elsewhere: bool) -> bool:
        """Whether a further pass has anything to do with a step. ``is_elsewhere``: its names may mean other schemas by now."""
        step = self.analysis.steps[index]
        earlier = self.outcomes.get(step.id)
        if earlier is None or step.id in self._waiting.held:
            return True
        if earlier.outcome is Outcome.FAILED:
            return self._clock.now > self._ended[step.id]
        if step.kind is StepKind.DATA or only_sets(step):
            return False
        if step.kind is StepKind.MIXED:
            is_meant = (self._is_stirred and is_opaque(step)) or is_elsewhere
            return not is_maintenance(step) and (is_meant or self._last(step, self._clock.added) > self._ended[step.id])
        if not is_elsewhere and self._is_untouched(step):
            return False
        is_anew = self._clock.defaults > self._ended[step.id] and rebuilds(step)
        is_suspect = is_elsewhere or self._is_suspect(index)
        if not (is_suspect or is_anew):
            return False
        start, end = World(self.executor.catalog), World(self.executor.catalog)
        planned = self._planner.plan(index, end)
        if planned.action is Action.SKIP:
            is_anew = is_anew and planned.found is not None and planned.found.rebuilds
            return is_anew or (is_suspect and planned.warning is None and earlier.outcome is Outcome.NO_EFFECT)
        if is_anew or is_elsewhere:
            return True
        if planned.found is not None and _only_takes_away(planned.found) and self._comes_back(index) is True:
            return False
        is_sure = planned.found is not None and bool(lacking(planned.found, start, end))
        return self._last(step, self._clock.added) > (self._began if is_sure else self._ended)[step.id]

    def _is_untouched(self, step: StepAnalysis) -> bool:
        """Whether nothing that a step may look at has changed since it was judged: most steps of a long list, so it is asked first."""
        began, clock = self._began[step.id], self._clock
        if clock.defaults > self._ended[step.id]:
            return False
        if self._last(step, clock.added) > began or self._last(step, clock.changed) > began:
            return False
        return all(clock.added.get(name, 0) <= began for name in step.reading.taken_away)

    def _is_suspect(self, index: int) -> bool:
        """Whether others, or the step itself, may have given it work since it was judged."""
        step = self.analysis.steps[index]
        began = self._began[step.id]
        gone = [e.key for s in step.reading.statements for e in s.effects if not e.present]
        if any(self._is_added(key, began) for key in gone) and self._comes_back(index) is False:
            return True
        if self.outcomes[step.id].outcome in _NOT_DONE or any(True for _ in conditions(step.program)):
            return self._last(step, self._clock.added) > began
        if any(e.key.kind in VIEWS for s in statements(step.program) for e in s.effects):
            return self._last(step, self._clock.added) > began
        return self._last(step, self._clock.changed) > began

    def _comes_back(self, index: int) -> bool | None:
        """Whether later steps would make again, as it is, what the step takes away: it would only lose its rows."""
        failing = {o.id for o in self.outcomes.values() if o.outcome is Outcome.FAILED}
        return comes_back(self.analysis, index, self.executor.catalog, self._planner.provided, failing)

    def _is_added(self, key: Key, began: int) -> bool:
        """Whether somebody made an object of this name since the moment ``began``."""
        return self._clock.added.get(key.name.partition("(")[0], 0) > began

    def _last(self, step: StepAnalysis, times: dict[str, int]) -> int:
        """When something that the step touches or reads last changed."""
        if hangs_on_the_rest(step):
            return self._clock.schema
        return max((times.get(name, 0) for name in step.names), default=0)

    def _wants_another(self) -> bool:
        return any(self._is_due(n, self._clock.schemas > self._ended.get(s.id, 0)) for n, s in enumerate(self.analysis))

    def _try(self, index: int) -> None:
        step = self.analysis.steps[index]
        began = self._clock.now
        self._paths[step.id] = self.executor.catalog.search_path
        outcome = self._one(index)
        is_taken = outcome.action is Action.RUN and outcome.outcome is not Outcome.FAILED
        self._is_stirred = self._is_stirred or (self.passes > 1 and is_taken and is_opaque(step) and not only_sets(step))
        if is_taken and step.id in self.outcomes:
            is_new = self.outcomes[step.id].outcome is not outcome.outcome
            self._got_on = self._got_on or is_new or bool(outcome.rows or outcome.differences or self._beyond)
        if outcome.action is Action.RUN and (outcome.outcome is Outcome.APPLIED or outcome.differences or self._beyond):
            self._clock.tick(outcome.differences, self._beyond)
            self._clock.changed.update(dict.fromkeys(self._shadowed(outcome.differences), self._clock.now))
            self._done += [(step.id, str(key)) for key in dict.fromkeys([*(d.key for d in outcome.differences), *self._beyond])]
        self._began[step.id], self._ended[step.id] = began, self._clock.now
        self._note_waiting(index, outcome)
        self._keep(step, outcome)

    def _shadowed(self, differences: Iterable[Difference]) -> Iterator[str]:
        """Names that were another object's, of another schema, before one was made that bears them, too."""
        for d in differences:
            if (
                d.left is None
                and not d.attribute
                and not d.key.table
                and len(self.executor.catalog.named(d.key.kind, d.key.name)) > 1
            ):
                yield d.key.name

    def _note_waiting(self, index: int, outcome: StepOutcome) -> None:
        step = self.analysis.steps[index]
        need = None
        if outcome.outcome in (Outcome.FAILED, Outcome.NO_EFFECT):
            need = waits_for(step, self._waiting.later(index), outcome.error, World(self.executor.catalog))
        self._waiting.note(step, need)
        if need is None and step.id in self._waiting.first and outcome.outcome is Outcome.APPLIED:
            self.misplaced.append((step.id, str(self._waiting.first.pop(step.id))))

    def _keep(self, step: StepAnalysis, outcome: StepOutcome) -> None:
        """The outcome of a step: what a further pass adds to nothing does not take the place of what was done before."""
        earlier = self.outcomes.get(step.id)
        if earlier is not None and earlier.outcome is Outcome.APPLIED and not outcome.differences:
            return
        if earlier is not None and outcome.outcome is Outcome.APPLIED and earlier.outcome not in _NOT_DONE:
            self._misplace(step, outcome)
        self._made.setdefault(step.id, set()).update(str(d.key) for d in outcome.differences)
        self._settled(outcome)

    def _misplace(self, step: StepAnalysis, outcome: StepOutcome) -> None:
        """A step that has done its work, and is given more by a later one: not where it makes again what another took away."""
        more = [d for d in outcome.differences if d.right is not None and str(d.key) not in self._made.get(step.id, ())]
        if more and step.id not in {s for s, _ in self.misplaced}:
            self.misplaced.append((step.id, f"{more[0].key}, which a later step leads to"))

    # --- steps that share a transaction ------------------------------------------------------------------------

    def _together(self, index: int) -> tuple[bool, list[PlannedStep]]:
        """Send a batch where two steps or more have something to do; whether it stands, and the steps that were planned."""
        if self.executor.role is not None:  # each step is sent as that role, and what is ours is not
            return False, []
        is_last = index + batch.LIMIT >= len(self.analysis)
        planned = self._batch(index)
        first: list[PlannedStep] = []
        running = 0
        while running < 2:
            step = next(planned, None)
            if step is None:
                return False, first
            first.append(step)
            running += step.action is Action.RUN
        log.info("[MIGRATION] Applying steps together, on tables of this start's own")
        reaches = any(self._reaches(p) for p in first)
        taken, outcomes = batch.execute(self.executor, chain(first, planned), self.promised, is_last=is_last, reaches=reaches)
        if outcomes is None:
            log.info("[MIGRATION] a step of them did not work out: going on one by one")
            return False, taken
        self._clock.tick(tuple(d for o in outcomes for d in o.differences))
        is_told = log.isEnabledFor(logging.INFO)
        for p, outcome in zip(taken, outcomes, strict=True):
            self._settled(outcome)
            self._began[outcome.id] = self._ended[outcome.id] = self._clock.now  # looked at in the catalog at the batch's end
            self._paths[outcome.id] = self.executor.catalog.search_path
            if p.action is Action.RUN:
                self._done += [(outcome.id, str(d.key)) for d in outcome.differences]
                if is_told:
                    told = (outcome.id, _short(p.reason), outcome.outcome)
                    log.info("[MIGRATION] Applying step %s (%s): %s", *told, extra=outcome.log_fields())
                self._locks.extend(locks_of(p))
        return True, taken

    def _batch(self, index: int) -> Iterator[PlannedStep]:
        """The longest run of steps from here that may share a transaction, each planned when it is asked for."""
        world = World(self.executor.catalog)
        running, has_locked = 0, False
        for number, step in enumerate(islice(self.analysis.steps, index, index + batch.LIMIT), start=index):
            if step.kind is not StepKind.SCHEMA or self._waiting:
                return
            planned = self._planner.plan(number, world)
            fits = batch.fits(planned, self.started) if planned.action is Action.RUN else planned.warning is None
            if not fits:
                return
            if planned.action is Action.RUN and not has_locked:
                running, reaches = running + 1, self._reaches(planned)
                if reaches and running > 2:  # a batch has the lock of the whole database from its beginning, or not at all
                    return
                has_locked = reaches
            yield planned

    def _reaches(self, planned: PlannedStep) -> bool:
        """Whether a step that a batch sends may reach beyond the schemas that are locked: no function acts on tables without rows."""
        return planned.action is Action.RUN and self.executor.reaches_beyond(planned.analysis, calls=False)

    def _one(self, index: int) -> StepOutcome:
        self._beyond = {}
        planned = self._planned(index)
        step = planned.analysis
        if planned.action is Action.RUN and step.kind is StepKind.DATA and self._has_nothing_to_do(step):
            planned = PlannedStep(step, Action.SKIP, data_steps.NO_ROW)
        if planned.action is Action.SKIP:
            return skipped(planned)
        log.info("[MIGRATION] Applying step %s (%s)", step.id, _short(planned.reason), extra={"step": step.id})
        outcome = self._watched(planned)
        self._locks.extend(locks_of(planned))
        log.log(
            logging.INFO if outcome.outcome is Outcome.APPLIED else logging.WARNING,
            "[MIGRATION] step %s: %s in %.1f ms%s", step.id, outcome.outcome, outcome.seconds * 1000,
            "" if outcome.outcome is Outcome.APPLIED else f" ({outcome.reason})", extra=outcome.log_fields(),
        )  # fmt: skip
        return outcome

    def _planned(self, index: int) -> PlannedStep:
        """The plan of a step as things are. What it rebuilds has the privileges by default of the day on which it was made."""
        catalog, foreseen = self._foreseen or (None, {})
        known = foreseen.get(index) if catalog is self.executor.catalog else None
        planned = known or self._planner.plan(index, World(self.executor.catalog))
        found, ended = planned.found, self._ended.get(planned.analysis.id)
        if ended is None or planned.action is Action.RUN or found is None or not found.rebuilds or self._clock.defaults <= ended:
            return planned
        return replace(planned, action=Action.RUN, reason=_BY_DEFAULT, statements=tuple(found.residual))

    def _watched(self, planned: PlannedStep) -> StepOutcome:
        """Send a step. Where its effects are not all in its text, all of the database is compared, too."""
        if self._watcher is None or not hangs_on_the_rest(planned.analysis) or only_sets(planned.analysis):
            return self.executor.execute(planned)
        before = self._watcher.look()
        outcome = self.executor.execute(planned)
        self._beyond = changes(before, self._watcher.look())
        return outcome

    def _has_nothing_to_do(self, step: StepAnalysis) -> bool:
        executor = self.executor
        return lookahead.has_nothing_to_do(executor.session, step, executor.limits.lock_timeout)

    def _settled(self, outcome: StepOutcome) -> None:
        """Keep the latest outcome of a step, and all of them in the order in which they came about."""
        self.outcomes.pop(outcome.id, None)
        self.outcomes[outcome.id] = outcome if outcome.pass_ == self.passes else replace(outcome, pass_=self.passes)

    # --- the end -----------------------------------------------------------------------------------------------

    def _tell_unsettled(self, before: Catalog) -> None:
        """Steps that undo one another: each object that a pass changed to and fro, or that the last pass still changed."""
        if not self._done or (self.passes < MAX_PASSES and self._has_changed_since(before)):
            return
        writers: dict[str, list[str]] = {}
        for step_id, told in self._done:
            writers.setdefault(told, []).append(step_id)
        for told, steps in writers.items():
            if len(set(steps)) > 1 or self.passes == MAX_PASSES:
                self.unsettled.append(Unsettled(steps[0], steps[-1], told))

    def _tell_held(self) -> None:
        """What was held back to the end is not sent, and says for whom."""
        for index, step in enumerate(self.analysis):
            if step.id in self._waiting.held:
                waiting = self._waiting.held[step.id]
                planned = self._planner.plan(index, World(self.executor.catalog))
                reason = f"not sent: it would change what step {waiting} reads, which waits for {self._waiting.first.get(waiting, 'another')}"
                self._settled(outcome_of(planned, Outcome.SKIPPED, reason, action=Action.SKIP))

    def in_list_order(self) -> tuple[StepOutcome, ...]:
        """Outcomes in the order of the list."""
        return tuple(self.outcomes[s.id] for s in self.analysis if s.id in self.outcomes)

    def locks(self) -> list[str]:
        """Each lock once."""
        return list(dict.fromkeys(self._locks))


def rebuilds(step: StepAnalysis) -> bool:
    """Whether a step takes away what it makes anew."""
    effects = [e for s in step.reading.statements for e in s.effects]
    return not {e.key for e in effects if e.present}.isdisjoint(e.key for e in effects if not e.present)


def _only_takes_away(found: Evaluation) -> bool:
    """Whether all that a step has to do is to take away what is there, and nothing goes with it."""
    return (
        bool(found.missing)
        and not any(e.present for e in found.missing)
        and not any(s.cascade or s.opaque or s.data for s in found.residual)
    )


def is_opaque(step: StepAnalysis) -> bool:
    """Whether a step may do more than the catalog shows: a later one of its kind then has the last word, as in the loop."""
    return any(s.opaque for s in step.reading.statements)


def _short(reason: str) -> str:
    """A reason on one line of a log."""
    line = " ".join(reason.split())
    return line if len(line) <= 120 else line[:117] + "..."


def touched(outcome: StepOutcome) -> Iterator[str]:
    """The names of what a step changed or took away, and did not only add."""
    return (n for d in outcome.differences if d.left is not None for n in (d.key.table, d.key.name.partition("(")[0]) if n)
