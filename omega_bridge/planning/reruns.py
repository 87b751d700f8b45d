"""What would the naive loop's next start still change? The steps that later ones have changed the ground of. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind
from omega_bridge.analysis.program import may_take_another_way
from omega_bridge.catalog import Kind
from omega_bridge.planning.evaluate import evaluate
from omega_bridge.planning.overrides import Overrides
from omega_bridge.planning.words import words_of
from omega_bridge.planning.world import World
from omega_bridge.tags import Tag

_MAINTENANCE = {Tag.VACUUM, Tag.REINDEX, Tag.CLUSTER, Tag.LOCK}
VIEWS = (Kind.VIEW, Kind.MATERIALIZED_VIEW)


def unsettled(world: World, analysis: Analysis, among: Collection[str]) -> list[StepAnalysis]:
    """The steps with these ids that would still change something, or may, in the order of the list; ``world`` stays as it is.

    Left out are data steps, what cannot work, and what is left to a later step.
    """
    provided = analysis.provided()
    overrides = Overrides(analysis, provided)
    began = world.mark()
    found: list[StepAnalysis] = []
    doubtful = _Doubt()
    for index, step in enumerate(analysis):
        if step.id not in among or step.kind is StepKind.DATA or is_maintenance(step):
            continue
        mark = world.mark()
        outcome = evaluate(step.program, world, provided)
        is_certain = not doubtful.concerns(step)
        if outcome.fails or (outcome.is_nothing and is_certain):
            continue
        if is_certain and overrides.speak_of(index, outcome):
            world.rollback(mark)
            if overrides.left_to(index, outcome, world):
                continue
            evaluate(step.program, world, provided)
        if outcome.unknown:
            doubtful.arises(step)
        found.append(step)
    world.rollback(began)
    return found


class _Doubt:
    """What the steps before may have changed without our knowing."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._is_everywhere = False

    def arises(self, step: StepAnalysis) -> None:
        """A step of unknown effect may run."""
        self._words |= words_of(step.step.sql)
        tags = [s.tag for s in step.reading.statements if s.opaque]
        self._is_everywhere = self._is_everywhere or any(t in _CALLS or not t.is_sql for t in tags)

    def concerns(self, step: StepAnalysis) -> bool:
        """Whether what a step finds is not known for certain."""
        return self._is_everywhere or any(name.lower() in self._words for name in step.names)


_CALLS = {Tag.DO, Tag.CALL, Tag.SELECT}
"""Statements whose effects are not in their text."""


def hangs_on_the_rest(step: StepAnalysis) -> bool:
    """Whether a step may mean objects that it does not name."""
    return step.reading.hangs_on_the_rest


_ROWS = {"insert", "update", "delete", "merge", "copy", "truncate", "nextval", "setval"}
_OF_THE_MOMENT = {"now", "clock_timestamp", "current_date", "current_timestamp", "localtimestamp", "random", "gen_random_uuid"}


def gives_itself_work(step: StepAnalysis) -> bool:
    """Whether a step may find more to do, of its kind, once it has changed the schema: a guard or a handler meets its own work.

    Of what is not read, only what speaks neither of rows nor of the moment: that would be another thing each time.
    """
    found = step.reading.statements
    if step.kind is StepKind.MIXED:
        is_of_schema = not any(s.data for s in found) and words_of(step.step.sql).isdisjoint(_ROWS | _OF_THE_MOMENT)
        return is_of_schema and (any(s.opaque for s in found) or may_take_another_way(step.program))
    return step.kind is StepKind.SCHEMA and may_take_another_way(step.program)


def is_maintenance(step: StepAnalysis) -> bool:
    """Whether a step only tends what is there."""
    found: Sequence[Tag] = [s.tag for s in step.reading.statements]
    return bool(found) and all(tag in _MAINTENANCE for tag in found)


def only_sets(step: StepAnalysis) -> bool:
    """Whether a step only sets what later ones run under: it has no work of its own."""
    return step.reading.only_sets
