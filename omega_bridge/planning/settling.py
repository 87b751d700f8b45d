"""In which order does one boot of an empty database settle the steps? Found in thought, without a server.

A step that needs what a later one makes has no effect at first, and settles in a later pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from omega_bridge.analysis import Analysis
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.evaluate import Provided, evaluate
from omega_bridge.planning.world import World


@dataclass(frozen=True, slots=True)
class Settling:
    """``order``: indexes into the analysis' steps. ``waited``: what a late step was missing in its first pass.

    ``unsettled``: steps that nothing in the list makes possible; they stand in ``order`` at their own place.
    """

    order: tuple[int, ...]
    waited: dict[int, Key]
    unsettled: frozenset[int]


def empty_catalog() -> Catalog:
    """What a fresh database holds: the schema ``public`` and the language."""
    return Catalog(
        {
            Key(Kind.SCHEMA, "", "", "public"): {"comment": None},
            Key(Kind.EXTENSION, "", "", "plpgsql"): {"schema": "pg_catalog"},
        }
    )


def settle(analysis: Analysis) -> Settling:
    """The settling order from an empty database."""
    return settle_in(World(empty_catalog()), analysis)


def settle_in(world: World, analysis: Analysis) -> Settling:
    """The settling order from where ``world`` stands; ``world`` is left as the steps leave it."""
    provided = analysis.provided()
    order: list[int] = []
    waited: dict[int, Key] = {}
    waiting = list(range(len(analysis)))
    while waiting:
        late: list[int] = []
        for index in waiting:
            missing = _try(index, analysis, world, provided)
            if missing is not None:
                late.append(index)
                waited.setdefault(index, missing)
                continue
            order.append(index)
            _catch_up(late, order, waited, analysis, world, provided)
        if len(late) == len(waiting):
            return _with_unsettled(order, waited, late)
        waiting = late
    return Settling(tuple(order), waited, frozenset())


def _try(index: int, analysis: Analysis, world: World, provided: Provided) -> Key | None:
    """Run a step in thought; what it is missing, in which case nothing has changed."""
    mark = world.mark()
    found = evaluate(analysis.steps[index].program, world, provided)
    missing = found.fails or found.swallowed
    if missing is not None:
        world.rollback(mark)
    return missing


def _catch_up(
    late: list[int], order: list[int], waited: dict[int, Key], analysis: Analysis, world: World, provided: Provided
) -> None:
    """Those that waited for what has just been made follow at once, so that what comes after them finds their work."""
    progress = True
    while progress:
        progress = False
        for index in list(late):
            if world.has(waited[index]) is False:
                continue
            missing = _try(index, analysis, world, provided)
            if missing is None:
                late.remove(index)
                order.append(index)
                progress = True


def _with_unsettled(order: list[int], waited: dict[int, Key], late: list[int]) -> Settling:
    """What never settles keeps its place in the list: after the last earlier step."""
    placed = list(order)
    for index in late:
        before = [p for p, i in enumerate(placed) if i < index and i not in waited]
        placed.insert(before[-1] + 1 if before else 0, index)
    return Settling(tuple(placed), {i: k for i, k in waited.items() if i not in late}, frozenset(late))
