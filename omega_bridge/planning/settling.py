"""In which order does one boot of an empty database settle the steps? Found in thought, without a server.

It is the list's, pass by pass: a step that needs what a later one makes comes in the next pass, and so does what would
destroy meanwhile what it reads. What nothing in the list makes is no reason to move a step: the list may stand on tables
of another's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from omega_bridge.analysis import Analysis
from omega_bridge.analysis.program import RELATIONS
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.plan import Planner
from omega_bridge.planning.waiting import Waiting
from omega_bridge.planning.world import World


@dataclass(frozen=True, slots=True)
class Settling:
    """``order``: indexes into the analysis' steps. ``waited``: what a late step was missing in its first pass.

    ``unsettled``: steps that nothing in the list makes possible; they stand in ``order`` at their own place. ``lacking``: what each of
    them fails for; one whose own handler hides the failure does without.
    """

    order: tuple[int, ...]
    waited: dict[int, Key]
    unsettled: frozenset[int]
    lacking: dict[int, Key] = field(default_factory=dict)


def empty_catalog() -> Catalog:
    """What a fresh database holds: the schema ``public`` and the language."""
    return Catalog(
        {
            Key(Kind.SCHEMA, "", "", "public"): {"comment": None},
            Key(Kind.EXTENSION, "", "", "plpgsql"): {"schema": "pg_catalog"},
        }
    )


def settle(analysis: Analysis, ground: Catalog | None = None) -> Settling:
    """The settling order from an empty database, or from one that holds the ``ground``."""
    return settle_in(World(ground if ground is not None else empty_catalog()), analysis)


def settle_in(world: World, analysis: Analysis) -> Settling:
    """The settling order from where ``world`` stands; ``world`` is left as the steps leave it."""
    return _Settler(world, analysis).settle()


class _Settler:
    """The passes of a start, thought through: who waits and who is held back is asked of the same ``Waiting``."""

    def __init__(self, world: World, analysis: Analysis) -> None:
        self._world, self._analysis = world, analysis
        self._planner = Planner(analysis)
        self._waiting = Waiting(analysis)
        self._makers = _makers(analysis)
        self._relations = set(world.catalog.relations)
        self._order: list[int] = []
        self._unsettled: set[int] = set()
        self._waited: dict[int, Key] = {}
        self._lacking: dict[int, Key] = {}

    def settle(self) -> Settling:
        late = self._pass(range(len(self._analysis)))
        while late:
            later = self._pass(late)
            if len(later) == len(late):
                break
            late = later
        self._place_the_rest(late)
        return Settling(tuple(self._order), self._waited, frozenset(self._unsettled), self._lacking)

    def _pass(self, steps: Iterable[int]) -> list[int]:
        """One pass over these steps; those that wait, and those that are held back for them."""
        late: list[int] = []
        for index in steps:
            step = self._analysis.steps[index]
            held_for = self._waiting.holder(index, self._relations)
            if held_for is not None:
                self._waiting.hold(step, held_for)
                late.append(index)
                continue
            self._waiting.release(step)
            missing = self._try(index)
            is_to_come = missing is not None and self._is_to_come(missing, index, late)
            self._waiting.note(step, missing if is_to_come else None)
            if missing is not None and is_to_come:
                late.append(index)
                self._waited.setdefault(index, missing)
                continue
            if missing is not None:
                self._unsettled.add(index)
            self._order.append(index)
            self._relations |= {name for kind, name in self._analysis.steps[index].reading.provides if kind in RELATIONS}
        return late

    def _try(self, index: int) -> Key | None:
        """Run a step in thought; what it is missing, in which case nothing has changed."""
        mark = self._world.mark()
        found = self._planner.plan(index, self._world).found
        missing = (found.fails or found.swallowed) if found is not None else None
        self._lacking.pop(index, None)
        if found is not None and found.fails is not None:
            self._lacking[index] = found.fails
        if missing is not None:
            self._world.rollback(mark)
        return missing

    def _is_to_come(self, key: Key, index: int, late: Collection[int]) -> bool:
        """Whether a step behind this one, or one that waits itself, makes what is missing."""
        kinds = RELATIONS if key.kind in RELATIONS else (key.kind,)
        name = key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name
        return any(maker > index or maker in late for kind in kinds for maker in self._makers.get((kind, name), ()))

    def _place_the_rest(self, late: list[int]) -> None:
        """What never settles keeps its place in the list."""
        for index in late:
            self._waited.pop(index, None)
        for index in late:
            before = [p for p, i in enumerate(self._order) if i < index and i not in self._waited]
            self._order.insert(before[-1] + 1 if before else 0, index)
            self._unsettled.add(index)


def _makers(analysis: Analysis) -> dict[tuple[Kind, str], list[int]]:
    found: dict[tuple[Kind, str], list[int]] = {}
    for index, step in enumerate(analysis):
        for made in step.reading.provides:
            found.setdefault(made, []).append(index)
    return found
