"""The plan: every step with its action and the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from omega_bridge.analysis import Analysis, Sql, StepAnalysis, StepKind
from omega_bridge.catalog import Catalog
from omega_bridge.outcomes import Action
from omega_bridge.planning.evaluate import Evaluation, Provided, evaluate
from omega_bridge.planning.world import World
from omega_bridge.steps import Repeat


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step, what is done with it and why. ``statements`` are those that would change something, or might."""

    analysis: StepAnalysis
    action: Action
    reason: str
    statements: tuple[Sql, ...] = ()
    warning: str | None = None


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


def make_plan(analysis: Analysis, catalog: Catalog, done_once: Collection[str] = ()) -> Plan:
    """Decide each step against the catalog as the steps before it would leave it.

    ``done_once`` holds the checksums of data steps marked ``repeat="once"`` that the ledger knows to have succeeded.
    """
    world, provided = World(catalog), analysis.provided()
    return Plan(tuple(plan_step(step, world, provided, done_once) for step in analysis))


def plan_step(step: StepAnalysis, world: World, provided: Provided, done_once: Collection[str] = ()) -> PlannedStep:
    """Decide one step; ``world`` is changed by what the step would do."""
    if step.kind is StepKind.DATA:
        if step.step.repeat is Repeat.ONCE and step.checksum in done_once:
            return PlannedStep(step, Action.SKIP, "data, to be run once, and done")
        evaluation = evaluate(step.program, world, provided)
        return PlannedStep(step, Action.RUN, "data: runs at every boot", tuple(evaluation.residual))
    if step.superseded and all(world.find(e.key) for e in step.effects if e.present):
        return PlannedStep(step, Action.SKIP, f"a later step replaces it: {step.superseded}")
    evaluation = evaluate(step.program, world, provided)
    warning = _warning(evaluation)
    if evaluation.is_nothing:
        return PlannedStep(step, Action.SKIP, skip_reason(evaluation), warning=warning)
    return PlannedStep(step, Action.RUN, _reason(evaluation, step), tuple(evaluation.residual), warning)


def skip_reason(evaluation: Evaluation) -> str:
    """Why a step need not be sent."""
    return "would only rebuild what is there" if evaluation.rebuilds else "everything it makes is there"


def _warning(evaluation: Evaluation) -> str | None:
    if not evaluation.unmet:
        return None
    return unmet(evaluation)


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
