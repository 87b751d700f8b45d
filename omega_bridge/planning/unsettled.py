"""What would the naive loop's next start still change? The steps that later ones have changed the ground of. Pure."""

from __future__ import annotations

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind
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
    if not stale:
        return []
    world = World(catalog)
    sure: list[StepAnalysis] = []
    doubtful: list[StepAnalysis] = []
    for step in analysis:
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
    is_sure = bool(sure) and world.surely_differs_since(0)
    in_doubt = any(s.id in stale for s in doubtful)
    wanted = {s.id for s in (*(sure if is_sure else ()), *(doubtful if in_doubt else ()))}
    return [s for s in analysis if s.id in wanted]


def _depends_on_the_rest(found: Evaluation) -> bool:
    """Whether what a step does hangs on objects that it does not name, and rows are left alone."""
    if found.touches_rows or all(s.tag in _MAINTENANCE for s in found.residual):
        return False
    return found.unknown or any(e.key.kind in VIEWS for s in found.residual for e in s.effects)
