"""What would a start do on a database that holds everything the list makes? Found in thought, without a server.

A list at rest does nothing. One that takes away and puts back, or whose steps contradict each other, never rests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omega_bridge.analysis import Analysis, Effect, StepAnalysis, statements
from omega_bridge.analysis.findings import Again
from omega_bridge.catalog import Key, Kind
from omega_bridge.planning.evaluate import Evaluation, evaluate
from omega_bridge.planning.settling import Settling
from omega_bridge.planning.world import World


def done_again(world: World, analysis: Analysis, settling: Settling) -> dict[int, Again]:
    """By index, the first thing that a step does once more in ``world``, which the settled list left."""
    provided = analysis.provided()
    found: dict[int, Again] = {}
    for index, step in enumerate(analysis):
        if index in settling.unsettled:
            continue
        mark = world.mark()
        outcome = evaluate(step.program, world, provided)
        if outcome.fails or outcome.swallowed:
            world.rollback(mark)
            continue
        again = next(_contradicted(index, analysis, _undone(outcome)), None)
        if again is not None:
            found[index] = again
    return found


def _undone(outcome: Evaluation) -> list[Effect]:
    if outcome.rebuilds:
        return [e for s in outcome.residual for e in s.effects]
    return outcome.missing


def _contradicted(index: int, analysis: Analysis, effects: Iterable[Effect]) -> Iterator[Again]:
    own = analysis.steps[index]
    for effect in effects:
        if any(_contradicts(effect, other) for other in _said(own)):
            if not _is_scratch(effect.key, own):
                yield Again(effect.key, effect, index)
            continue
        for number, step in enumerate(analysis):
            if number != index and any(_contradicts(effect, other) for other in _said(step)):
                yield Again(effect.key, effect, number)
                break


def _is_scratch(key: Key, step: StepAnalysis) -> bool:
    """Whether it is a table that the step makes for itself, and drops when it is done."""
    return key.kind is Kind.TABLE and next(e for e in _said(step) if _same(e.key, key)).present


def _said(step: StepAnalysis) -> Iterator[Effect]:
    return (e for s in statements(step.program) for e in s.effects)


def _contradicts(one: Effect, other: Effect) -> bool:
    if not _same(one.key, other.key):
        return False
    if one.present != other.present:
        return True
    said = dict(other.attributes)
    return any(name in said and said[name] != value for name, value in one.attributes if name != "label")


def _same(one: Key, other: Key) -> bool:
    """One object, as two statements name it: with its schema or without."""
    return (one.kind, one.table, one.name) == (other.kind, other.table, other.name) and (
        one.schema == other.schema or not (one.schema and other.schema)
    )
