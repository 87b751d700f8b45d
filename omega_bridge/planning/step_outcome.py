"""What became of a planned step, as a value."""

from __future__ import annotations

from omega_bridge.analysis import StepAnalysis, StepKind
from omega_bridge.catalog import Difference
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import Action, Destroyed, ServerError, StepOutcome
from omega_bridge.planning.plan import PlannedStep


def skipped(planned: PlannedStep) -> StepOutcome:
    """The outcome of a step that was not sent."""
    return outcome_of(planned, of_skipped(planned), planned.warning or planned.reason)


def left(step: StepAnalysis, reason: str) -> StepOutcome:
    """The outcome of a step of which it is known that all it makes is there."""
    of, reading = step.step, step.reading
    return StepOutcome(
        step.id,
        reading.kind,
        Action.SKIP,
        Outcome.ALREADY_THERE,
        reason,
        reading.checksum,
        of.place,
        of.title,
        optional=of.optional,
    )


def of_skipped(planned: PlannedStep) -> Outcome:
    """What became of a step that was not sent, in one word."""
    if planned.warning:
        return Outcome.NO_EFFECT
    return Outcome.SKIPPED if planned.analysis.kind is StepKind.DATA else Outcome.ALREADY_THERE


def failed(planned: PlannedStep, error: ServerError) -> StepOutcome:
    """The outcome of a step that PostgreSQL rejected."""
    return outcome_of(planned, Outcome.FAILED, str(error), error=error)


def outcome_of(
    planned: PlannedStep,
    outcome: Outcome,
    reason: str,
    *,
    action: Action | None = None,
    error: ServerError | None = None,
    differences: tuple[Difference, ...] = (),
    destroyed: tuple[Destroyed, ...] = (),
    seconds: float = 0.0,
) -> StepOutcome:
    """The outcome of a planned step."""
    step = planned.analysis
    return StepOutcome(
        id=step.id,
        kind=step.kind,
        action=action or planned.action,
        outcome=outcome,
        reason=reason,
        checksum=step.checksum,
        place=step.step.place,
        title=step.step.title,
        seconds=seconds,
        error=error,
        differences=differences,
        destroyed=destroyed,
        optional=step.step.optional,
    )
