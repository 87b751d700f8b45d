"""A start works through its list: the rules of ``planning.schedule``, run on a server.

What is the server's alone stands here: steps that share a transaction, the look at all of the database around a step whose
effects are not in its text, data steps that have no row to change, the log.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import field
from itertools import chain, count, islice, takewhile
from typing import TYPE_CHECKING

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind
from omega_bridge.catalog import Catalog, Key, diff
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import StepOutcome
from omega_bridge.planning import Action, PlannedStep, Planner, World
from omega_bridge.planning.locks import locks_of
from omega_bridge.planning.reruns import hangs_on_the_rest, only_sets
from omega_bridge.planning.schedule import Attempt, Schedule
from omega_bridge.planning.step_outcome import left, skipped
from omega_bridge.planning.waiting import waits_for
from omega_bridge.postgres import batch, clean_state, temporary
from omega_bridge.postgres.executor import Executor
from omega_bridge.startup.run import Unsettled
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.planning.row_flow import RowFlow
    from omega_bridge.postgres.whole_catalog import Watcher

log = logging.getLogger("omega_bridge")

_DEFAULTS = Tag.ALTER_DEFAULT_PRIVILEGES


class Convergence:
    """A start's passes over the list until nothing changes, and what came of them."""

    def __init__(
        self,
        executor: Executor,
        planner: Planner,
        started: Catalog,
        promised: clean_state.Promised,
        settled: Settled | None = None,
    ) -> None:
        self._runner = _OnServer(executor, planner, started, promised, settled or Settled())
        self._schedule = Schedule(self._runner, planner)

    def run(self) -> None:
        """Work through the list until a pass changes nothing that a further one would have to look at."""
        self._schedule.run()

    @property
    def passes(self) -> int:
        """How many there were."""
        return self._schedule.passes

    @property
    def outcomes(self) -> dict[str, StepOutcome]:
        """What became of each step, by id, in the order in which it came about."""
        return self._schedule.outcomes

    @property
    def misplaced(self) -> list[tuple[str, str]]:
        """Steps that waited for a later one, by id, with what they needed."""
        return self._schedule.misplaced

    @property
    def remade(self) -> list[tuple[str, str, str]]:
        """Steps that made again what a later one takes away: the step, the object, the later one."""
        return self._schedule.remade

    @property
    def unsettled(self) -> tuple[Unsettled, ...]:
        """Steps that undo one another."""
        return tuple(Unsettled(*found) for found in self._schedule.undoing)

    def in_list_order(self) -> tuple[StepOutcome, ...]:
        """Outcomes in the order of the list."""
        return tuple(self.outcomes[s.id] for s in self._runner.planner.analysis if s.id in self.outcomes)

    def settled_in(self, catalog: Catalog) -> frozenset[str]:
        """The steps, by id, of which it was seen that they have nothing to do in ``catalog``; none where it is another one than they were
        judged in: somebody else has changed it meanwhile.
        """
        return self._schedule.settled() if catalog == self._runner.executor.catalog else frozenset()

    def passing(self) -> frozenset[str]:
        """Names that the list looks at, and objects bear that end with this session: those in its schema for temporary ones."""
        executor = self._runner.executor
        if not executor.catalog.hidden:
            return frozenset()
        return executor.names.intersection(temporary.names(executor.session))

    def follow(self, catalog: Catalog, passing: Collection[str], *, goes_on: bool) -> bool:
        """Whether somebody else has changed what the steps were judged in: ``catalog`` is how it is now, as a new connection sees it. What
        that gives them to do is done, where this ``goes_on``. ``passing``: names of the list's own temporary objects, which are gone.
        """
        executor = self._runner.executor
        judged = executor.catalog
        if catalog == judged:
            return False
        now = executor.as_printed_in(judged, catalog)
        differences, hidden = diff(judged, now), frozenset(name for _, name in judged.hidden ^ now.hidden).difference(passing)
        if not differences and not hidden:
            return False
        if goes_on:
            executor.catalog = catalog
            self._schedule.follow(differences, hidden)
        return True

    def locks(self) -> list[str]:
        """The locks that were taken, each once."""
        return list(dict.fromkeys(self._runner.locks))


class Settled:
    """Steps, by their ``places`` in the list, of which an earlier start has seen that they have nothing to do, where nothing has changed since."""

    def __init__(self, analysis: Analysis | None = None, places: Collection[int] = ()) -> None:
        self._steps, self._places = analysis.steps if analysis is not None else (), frozenset(places)
        self._attempts: dict[int, Attempt] = {}

    def __contains__(self, index: int) -> bool:
        return index in self._places

    def since(self, index: int) -> list[Attempt]:
        """What is said of those from this place on, up to the first other step."""
        return [
            self._attempts.get(number) or self._attempt(number) for number in takewhile(self._places.__contains__, count(index))
        ]

    def in_parts(self) -> Iterator[None]:
        """Work out what is said of them, of some at a time."""
        rest = iter(self._places)
        while part := [*islice(rest, _PART)]:
            self._attempts.update([(number, self._attempt(number)) for number in part])
            yield

    def _attempt(self, number: int) -> Attempt:
        return Attempt(left(self._steps[number], _AS_LEFT), is_settled=True)


_PART = 200


@dataclass(slots=True)
class _OnServer:
    """Runs steps on a database. ``started``: the catalog before the first one. ``settled``: steps that have nothing to do in it."""

    executor: Executor
    planner: Planner
    started: Catalog
    promised: clean_state.Promised
    settled: Settled
    locks: list[str] = field(default_factory=list)
    _watcher: Watcher | None = None
    """Who looks at all of the database; where one step's effects, which its text does not tell, may concern another."""
    _before: Catalog | None = None
    _seen: Catalog | None = None
    """All of the database before this pass."""
    _tried: int = 0
    """Where the steps begin that were not yet tried together."""
    _foreseen: tuple[Catalog, dict[int, PlannedStep]] | None = None
    """Plans by the steps' places, and the catalog that they are made for."""

    _flow: tuple[Catalog, RowFlow] | None = None
    """Where rows come from and go to, and the catalog of then."""

    def __post_init__(self) -> None:
        uncertain = [s for s in self.planner.analysis if hangs_on_the_rest(s)]
        if len(uncertain) > 1 or any(q.tag == _DEFAULTS for s in uncertain for q in s.reading.statements):
            from omega_bridge.postgres.whole_catalog import Watcher

            self._watcher = Watcher(self.executor.session.connection)

    @property
    def world(self) -> World:
        return World(self.executor.catalog)

    @property
    def flow(self) -> RowFlow:
        if self._flow is None or self._flow[0] is not self.executor.catalog:
            from omega_bridge.postgres.row_flow import read_row_flow

            self._flow = (self.executor.catalog, read_row_flow(self.executor.session))
        return self._flow[1]

    def begin(self, number: int) -> None:
        if number > 1:
            self.executor.as_on_connecting()
        self._before = self.executor.catalog
        self._seen = self._watcher.look() if self._watcher is not None else None

    def has_changed(self) -> bool:
        if self._before is not None and self.executor.changed_since(self._before):
            return True
        if self._watcher is None or self._seen is None:
            return False
        from omega_bridge.postgres.whole_catalog import changes

        return bool(changes(self._seen, self._watcher.look()))

    # --- one step ----------------------------------------------------------------------------------------------

    def attempt(self, index: int, *, anew: bool) -> Attempt:
        planned = self._planned(index, anew=anew)
        step = planned.analysis
        if planned.action is Action.RUN and step.kind is StepKind.DATA and self._has_nothing_to_do(step):
            from omega_bridge.postgres.data_steps import NO_ROW

            planned = PlannedStep(step, Action.SKIP, NO_ROW)
        if planned.action is Action.SKIP:
            return Attempt(skipped(planned), left_to=planned.left_to)
        log.info("[MIGRATION] Applying step %s (%s)", step.id, _short(planned.reason), extra={"step": step.id})
        attempt = self._watched(planned)
        outcome = attempt.outcome
        self.locks.extend(locks_of(planned))
        log.log(
            logging.INFO if outcome.outcome is Outcome.APPLIED else logging.WARNING,
            "[MIGRATION] step %s: %s in %.1f ms%s", step.id, outcome.outcome, outcome.seconds * 1000,
            "" if outcome.outcome is Outcome.APPLIED else f" ({outcome.reason})", extra=outcome.log_fields(),
        )  # fmt: skip
        return attempt

    def _planned(self, index: int, *, anew: bool) -> PlannedStep:
        catalog, foreseen = self._foreseen or (None, {})
        known = foreseen.get(index) if catalog is self.executor.catalog and not anew else None
        return known or self.planner.plan(index, self.world, anew=anew)

    def _watched(self, planned: PlannedStep) -> Attempt:
        """Send a step. Where its effects are not all in its text, all of the database is compared, too."""
        if self._watcher is None or not hangs_on_the_rest(planned.analysis) or only_sets(planned.analysis):
            return Attempt(self.executor.execute(planned))
        from omega_bridge.postgres.whole_catalog import changes

        before = self._watcher.look()
        outcome = self.executor.execute(planned)
        return Attempt(outcome, changes(before, self._watcher.look()))

    def _has_nothing_to_do(self, step: StepAnalysis) -> bool:
        """Whether a data step can be spared. Behind one that has set a role it is sent: that role's rights are not ours."""
        from omega_bridge.postgres.lookahead import has_nothing_to_do

        executor = self.executor
        return executor.role is None and has_nothing_to_do(executor.session, step, executor.limits.lock_timeout)

    def need(self, index: int, outcome: StepOutcome, later: Iterable[StepAnalysis]) -> Key | None:
        return waits_for(self.planner.analysis.steps[index], later, outcome.error, self.world)

    def may_spoil(self, index: int) -> bool:
        return self.planner.plan(index, self.world).action is Action.RUN

    def held(self, step: StepAnalysis, reader: StepAnalysis) -> None:
        log.info("[MIGRATION] step %s is held back: it would change what step %s reads, which waits", step.id, reader.id)

    # --- steps that share a transaction ------------------------------------------------------------------------

    def together(self, index: int) -> Sequence[Attempt]:
        """A batch, where two steps or more have something to do and it stands; or steps that are known to have nothing to do."""
        if index in self.settled:
            return self.settled.since(index)
        if index < self._tried:
            return ()
        taken, outcomes, settled, _ = self._sent_together(index)
        self._tried = index + len(taken)
        if not outcomes:
            self._foresee(index, taken)
            return ()
        return [
            Attempt(outcome, left_to=p.left_to, is_settled=n in settled)
            for n, (p, outcome) in enumerate(zip(taken, outcomes, strict=True))
        ]

    def _sent_together(self, index: int) -> batch.Sent:
        """A batch that stands; else the steps that were planned."""
        if self.executor.role is not None:  # each step is sent as that role, and what is ours is not
            return batch.Sent([])
        is_last = index + batch.LIMIT >= len(self.planner.analysis)
        planned = self._batch(index)
        first: list[PlannedStep] = []
        running = 0
        while running < 2:
            step = next(planned, None)
            if step is None:
                return batch.Sent(first)
            first.append(step)
            running += step.action is Action.RUN
        log.info("[MIGRATION] Applying steps together, on tables of this start's own")
        reaches = any(self._reaches(p) for p in first)
        sent = batch.execute(self.executor, chain(first, planned), self.promised, is_last=is_last, reaches=reaches)
        if sent.outcomes is None:
            log.info("[MIGRATION] a step of them did not work out: going on one by one")
            return sent
        if log.isEnabledFor(logging.INFO):
            for p, outcome in zip(sent.taken, sent.outcomes, strict=True):
                if p.action is Action.RUN:
                    told = (outcome.id, _short(p.reason), outcome.outcome)
                    log.info("[MIGRATION] Applying step %s (%s): %s", *told, extra=outcome.log_fields())
        self.locks.extend(sent.locks)
        return sent

    def _foresee(self, index: int, taken: list[PlannedStep]) -> None:
        """Of steps that were planned for a batch, those ahead of the first that would do anything: planned once more they would be
        planned alike, while the catalog is this one.
        """
        ahead = takewhile(lambda p: p.action is Action.SKIP and not (p.found is not None and p.found.rebuilds), taken)
        self._foreseen = (self.executor.catalog, dict(enumerate(ahead, start=index)))

    def _batch(self, index: int) -> Iterator[PlannedStep]:
        """The longest run of steps from here that may share a transaction, each planned when it is asked for."""
        world = self.world
        running, has_locked = 0, False
        for number, step in enumerate(islice(self.planner.analysis.steps, index, index + batch.LIMIT), start=index):
            if step.kind is not StepKind.SCHEMA:
                return
            planned = self.planner.plan(number, world)
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


_AS_LEFT = "everything it makes is there: nothing has changed since an earlier start saw it"


def _short(reason: str) -> str:
    """A reason on one line of a log."""
    line = " ".join(reason.split())
    return line if len(line) <= 120 else line[:117] + "..."


def touched(outcome: StepOutcome) -> Iterator[str]:
    """The names of what a step changed or took away, and did not only add."""
    return (n for d in outcome.differences if d.left is not None for n in (d.key.table, d.key.name.partition("(")[0]) if n)
