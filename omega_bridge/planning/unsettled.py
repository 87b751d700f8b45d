"""What would the naive loop's next start still change? The steps that later ones have changed the ground of. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind, statements
from omega_bridge.analysis.program import conditions, is_decidable
from omega_bridge.catalog import Catalog, Kind
from omega_bridge.planning.evaluate import Evaluation, Provided, evaluate
from omega_bridge.planning.world import World

_MAINTENANCE = {"vacuum_stmt", "reindex_stmt", "cluster_stmt", "lock_stmt"}
VIEWS = (Kind.VIEW, Kind.MATERIALIZED_VIEW)


def unsettled(
    analysis: Analysis, catalog: Catalog, provided: Provided, stale: frozenset[str], stuck: frozenset[str]
) -> list[StepAnalysis]:
    """The steps that would still change something, seen in the order of the list.

    What is in doubt (a loop over the catalog, a view of ``*``) is asked again where the schema has changed since
    (``stale``). Steps that undo each other in turn change nothing; those that cannot work (``stuck``) promise nothing.
    """
    return unsettled_in(World(catalog), analysis, provided, stale, stuck) if stale else []


def unsettled_in(
    world: World, steps: Iterable[StepAnalysis], provided: Provided, stale: frozenset[str], stuck: frozenset[str]
) -> list[StepAnalysis]:
    """The same of some steps, where ``world`` stands; it is left as the steps leave it."""
    steps = list(steps)
    began = world.mark()
    sure: list[StepAnalysis] = []
    doubtful: list[StepAnalysis] = []
    for step in steps:
        mark = world.mark()
        found = evaluate(step.program, world, provided)
        if step.kind is StepKind.DATA or step.id in stuck or found.fails or found.is_nothing:
            if step.id in stuck:
                world.rollback(mark)
            continue
        if _depends_on_the_rest(found):
            doubtful.append(step)
        elif world.surely_differs_since(mark):
            sure.append(step)
    is_sure = bool(sure) and world.surely_differs_since(began)
    in_doubt = any(s.id in stale for s in doubtful)
    wanted = {s.id for s in (*(sure if is_sure else ()), *(doubtful if in_doubt else ()))}
    return [s for s in steps if s.id in wanted]


def hangs_on_the_rest(step: StepAnalysis) -> bool:
    """Whether a step may mean objects that it does not name: it computes statements, or its guard is not understood."""
    return any(s.opaque for s in statements(step.program)) or not all(is_decidable(c) for c in conditions(step.program))


def _depends_on_the_rest(found: Evaluation) -> bool:
    """Whether what a step does hangs on objects that it does not name, and rows are left alone."""
    if found.touches_rows or all(s.tag in _MAINTENANCE for s in found.residual):
        return False
    return found.unknown or any(e.key.kind in VIEWS for s in found.residual for e in s.effects)
