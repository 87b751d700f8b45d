"""What the planner said that steps would do, against what PostgreSQL did.

Before a start the list is thought through; then each step that was foreseen has to work, and none of which all is there may change
anything. Behind the start, what would not be sent is: in a transaction that is taken back, and in which the schema must stay as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from omega_bridge.analysis import Analysis, StepKind
from omega_bridge.analysis.reaching import may_reach_elsewhere
from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.audit.verdict import Mistaken
from omega_bridge.catalog import Catalog, Difference, diff
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import Action, StepOutcome
from omega_bridge.planning.plan import PlannedStep, make_plan
from omega_bridge.postgres.following import Follower
from omega_bridge.postgres.plain_loop import rehearse


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A list thought through on one start."""

    start: str
    planned: tuple[PlannedStep, ...]

    def held_against(self, outcomes: Iterable[StepOutcome]) -> Iterator[Mistaken]:
        """What came otherwise. A step that waits, or about which the planner knew that it does not know, is no mistake."""
        said = {planned.analysis.id: planned for planned in self.planned}
        for outcome in outcomes:
            planned = said.get(outcome.id)
            if planned is None or planned.analysis.kind is not StepKind.SCHEMA:
                continue
            if _runs_for_certain(planned) and outcome.outcome in (Outcome.FAILED, Outcome.NO_EFFECT):
                yield Mistaken(self.start, outcome.id, f"run: {planned.reason}", f"{outcome.outcome}: {_words(outcome)}")
            elif _is_there(planned) and outcome.outcome is Outcome.APPLIED and outcome.differences:
                yield Mistaken(self.start, outcome.id, f"nothing: {planned.reason}", _told(outcome.differences))


def foresee(start: str, analysis: Analysis, catalog: Catalog) -> Foreseen:
    """Think the list through."""
    return Foreseen(start, make_plan(analysis, catalog).steps)


def behind(start: str, analysis: Analysis, database: ScratchDatabase) -> tuple[int, tuple[Mistaken, ...]]:
    """Of how many steps a further start would say that all is there, and which of them change something all the same."""
    with database.session() as session:
        connection = session.connection
        follower = Follower(connection)
        follower.stop_preparing()  # a step may deallocate
        before = follower.look()
        sure = [p for p in make_plan(analysis, before) if _is_there(p) and _may_be_tried(p)]
        if not _changes(connection, follower, before, sure):
            return len(sure), ()
        return len(sure), tuple(
            Mistaken(start, planned.analysis.id, f"nothing: {planned.reason}", _told(found))
            for planned in sure
            if (found := _changes(connection, follower, before, [planned]))
        )


def _changes(connection: Any, follower: Follower, before: Catalog, sent: Sequence[PlannedStep]) -> tuple[Difference, ...]:
    """What sending these steps changes; it is taken back. What PostgreSQL rejects changes nothing."""
    with connection.transaction(force_rollback=True):
        rehearse(connection, [planned.analysis.step.sql for planned in sent])
        return diff(before, follower.look())


def _runs_for_certain(planned: PlannedStep) -> bool:
    return planned.action is Action.RUN and planned.is_foreseen


def _is_there(planned: PlannedStep) -> bool:
    """Whether the planner says that sending it would change nothing."""
    found = planned.found
    is_sure = found is not None and not found.residual and not found.unmet and found.is_certain
    return planned.action is Action.SKIP and is_sure and planned.analysis.kind is StepKind.SCHEMA


def _may_be_tried(planned: PlannedStep) -> bool:
    step = planned.analysis
    return step.transactional and not step.reading.only_sets and not may_reach_elsewhere(step.step.sql)


def _words(outcome: StepOutcome) -> str:
    return str(outcome.error or outcome.reason).splitlines()[0]


def _told(differences: Sequence[Difference]) -> str:
    return "; ".join(f"changed {d.key}{f': {d.attribute}' if d.attribute else ''}" for d in differences[:3])
