"""The plan: every step with its action and the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import field

from omega_bridge.analysis import Analysis, Sql, StepAnalysis, StepKind
from omega_bridge.catalog import Catalog
from omega_bridge.outcomes import Action
from omega_bridge.planning.evaluate import Evaluation, Provided, evaluate
from omega_bridge.planning.overrides import Overrides
from omega_bridge.planning.world import World
from omega_bridge.steps import Repeat
from omega_bridge.values import dataclass

_BY_DEFAULT = "privileges by default have changed since it made what it rebuilds"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step, what is done with it and why. ``statements`` are those that would change something, or might.

    ``found`` is what the decision rests on, where the step was thought through.
    """

    analysis: StepAnalysis
    action: Action
    reason: str
    statements: tuple[Sql, ...] = ()
    warning: str | None = None
    found: Evaluation | None = field(default=None, repr=False, compare=False)
    left_to: tuple[int, ...] = ()
    """The later steps that take away or replace what it makes."""

    @property
    def is_foreseen(self) -> bool:
        """Whether it is known beforehand which statements run, and nothing speaks against their success."""
        found = self.found
        return found is not None and found.is_certain and not found.unmet


@dataclass(frozen=True, slots=True)
class Plan:
    """Every step of the registry, in order."""

    steps: tuple[PlannedStep, ...]

    def __iter__(self) -> Iterator[PlannedStep]:
        return iter(self.steps)

    @property
    def pending(self) -> tuple[PlannedStep, ...]:
        """The steps that are not skipped."""
        return tuple(s for s in self.steps if s.action is not Action.SKIP)


class Planner:
    """Decides the steps of one list. ``done_once``: checksums of steps marked ``repeat="once"`` that have succeeded.

    ``failing``: the steps that did not work when they were tried last: nothing is left to them. Made of a long list it takes a while: before
    the database is asked.
    """

    def __init__(self, analysis: Analysis, done_once: Collection[str] = ()) -> None:
        self.analysis = analysis
        self.provided: Provided = analysis.provided()
        self.failing: set[int] = set()
        self.done_once = done_once
        self._overrides = Overrides(analysis, self.provided)

    def plan(self, index: int, world: World, *, anew: bool = False) -> PlannedStep:
        """Decide one step; ``world`` is changed by what the step would do. ``anew``: it is to run where it only rebuilds, too."""
        step = self.analysis.steps[index]
        if step.step.repeat is Repeat.ONCE and step.kind is not StepKind.SCHEMA and step.checksum in self.done_once:
            return PlannedStep(step, Action.SKIP, "data, to be run once, and done")
        if step.kind is StepKind.DATA:
            found = evaluate(step.program, world, self.provided)
            return PlannedStep(step, Action.RUN, "data: runs at every boot", tuple(found.residual), found=found)
        if step.is_empty:
            return PlannedStep(step, Action.SKIP, "there is nothing to do: it holds no statement")
        mark = world.mark()
        found = evaluate(step.program, world, self.provided)
        warning = unmet(found) if found.unmet else None
        if anew and found.is_nothing and found.rebuilds:
            return PlannedStep(step, Action.RUN, _BY_DEFAULT, tuple(found.residual), warning, found)
        if found.is_nothing:
            return PlannedStep(step, Action.SKIP, skip_reason(found), warning=warning, found=found)
        if later := self._left_to(index, found, world, mark):
            told = f"a later step takes away or replaces what it makes: {self.analysis.steps[later[-1]].id}"
            return PlannedStep(step, Action.SKIP, told, left_to=later)
        return PlannedStep(step, Action.RUN, _reason(found, step), tuple(found.residual), warning, found)

    def _left_to(self, index: int, found: Evaluation, world: World, mark: int) -> tuple[int, ...]:
        """The later steps that have the last word on all that the step would do; then ``world`` is as at the mark."""
        if not self._overrides.speak_of(index, found):
            return ()
        world.rollback(mark)
        later = self._overrides.left_to(index, found, world, self.failing)
        if not later:
            evaluate(self.analysis.steps[index].program, world, self.provided)
        return later


def make_plan(analysis: Analysis, catalog: Catalog, done_once: Collection[str] = ()) -> Plan:
    """Decide each step against the catalog as the steps before it would leave it."""
    world, planner = World(catalog), Planner(analysis, done_once)
    return Plan(tuple(planner.plan(index, world) for index in range(len(analysis))))


def skip_reason(evaluation: Evaluation) -> str:
    """Why a step need not be sent."""
    return "would only rebuild what is there" if evaluation.rebuilds else "everything it makes is there"


def unmet(evaluation: Evaluation) -> str:
    """What a satisfied guard protects and is missing all the same."""
    return f"its guard is satisfied, and {', '.join(str(e.key) for e in evaluation.unmet)} is not there all the same"


def _reason(evaluation: Evaluation, step: StepAnalysis) -> str:
    if step.problem:
        return f"the text does not parse: {step.problem.message}"
    if evaluation.fails:
        return f"needs {evaluation.fails}, which is not there yet"
    if evaluation.swallowed:
        return f"needs {evaluation.swallowed}, which is not there yet; its handler hides the failure"
    if evaluation.missing:
        first, rest = evaluation.missing[0], len(evaluation.missing) - 1
        is_gone = first.present and (not first.attributes or first.key in evaluation.absent)
        gone = f"{first.key} is missing" if is_gone else f"not so yet: {first}"
        return gone + (f" (and {rest} more)" if rest else "")
    if evaluation.touches_rows:
        return "touches rows together with the schema"
    return "only the server can tell"
