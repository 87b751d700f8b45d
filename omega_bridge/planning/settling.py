"""In which order does one boot of an empty database settle the steps? Found in thought, without a server.

A start is thought through: the rules of ``planning.schedule``, run on a ``World``. A step that needs what a later one makes comes in
the next pass, and so does what would destroy meanwhile what it reads. What nothing in the list makes is no reason to move a step: the
list may stand on tables of another's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from omega_bridge.analysis import Analysis, StepAnalysis
from omega_bridge.analysis.program import RELATIONS
from omega_bridge.catalog import Catalog, Difference, Key, Kind
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import Action, StepOutcome
from omega_bridge.planning.plan import PlannedStep, Planner
from omega_bridge.planning.row_flow import RowFlow, flow_of_steps
from omega_bridge.planning.schedule import Attempt, Schedule
from omega_bridge.planning.step_outcome import of_skipped
from omega_bridge.planning.world import World
from omega_bridge.values import dataclass


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
    planner = Planner(analysis)
    thought = _InThought(world, planner)
    schedule = Schedule(thought, planner)
    schedule.run()
    settled = frozenset(schedule.order)
    late = [index for index in range(len(analysis)) if index not in settled]
    waited = {index: key for index, key in schedule.waited.items() if index in settled}
    unsettled = thought.unsettled.union(late)
    lacking = {index: key for index, key in thought.lacking.items() if index in unsettled}
    makers = {index: _makers(analysis, schedule.waited[index]) for index in late if index in schedule.waited}
    return Settling(_with_the_rest(schedule.order, late, waited, makers), waited, unsettled, lacking)


def _with_the_rest(
    order: Sequence[int], late: Iterable[int], waited: Collection[int], makers: Mapping[int, Collection[int]]
) -> tuple[int, ...]:
    """What never settles keeps its place in the list, but behind who makes what it waited for: where the list stands on other tables,
    that one may work.
    """
    placed = list(order)
    for index in late:
        made_by = makers.get(index, ())
        before = [p for p, other in enumerate(placed) if (other < index and other not in waited) or other in made_by]
        placed.insert(before[-1] + 1 if before else 0, index)
    return tuple(placed)


def _makers(analysis: Analysis, key: Key) -> tuple[int, ...]:
    wanted = _named(key)
    return tuple(index for index, step in enumerate(analysis) if not wanted.isdisjoint(step.reading.provides))


class _InThought:
    """Runs steps in thought. ``world`` is left as they leave it; what lacks something has changed nothing in it."""

    def __init__(self, world: World, planner: Planner) -> None:
        self.world = world
        self._relations = set(world.catalog.relations)
        self.unsettled: frozenset[int] = frozenset()
        """What lacked something that nothing later makes, when it was first tried."""
        self.lacking: dict[int, Key] = {}
        self._planner = planner
        self._missing: dict[int, Key] = {}
        self._worked: set[int] = set()
        self._mark = 0

    @property
    def flow(self) -> RowFlow:
        return flow_of_steps(self._relations, self._planner.analysis)

    def begin(self, number: int) -> None:
        self._mark = self.world.mark()

    def has_changed(self) -> bool:
        return any(True for _ in _differences(self.world, self._mark))

    def together(self, index: int) -> Sequence[Attempt]:
        return ()

    def attempt(self, index: int, *, anew: bool) -> Attempt:
        mark = self.world.mark()
        planned = self._planner.plan(index, self.world, anew=anew)
        found, step = planned.found, planned.analysis
        missing = (found.fails or found.swallowed) if found is not None else None
        self._missing.pop(index, None)
        self.lacking.pop(index, None)
        if found is not None and found.fails is not None:
            self.lacking[index] = found.fails
        if missing is not None:
            self.world.rollback(mark)
            self._missing[index] = missing
            return _attempt(planned, Outcome.FAILED)
        self._worked.add(index)
        self._relations |= {name for kind, name in step.reading.provides if kind in RELATIONS}
        if planned.action is Action.SKIP:
            return _attempt(planned, of_skipped(planned))
        return _attempt(planned, Outcome.APPLIED, tuple(_differences(self.world, mark)))

    def need(self, index: int, outcome: StepOutcome, later: Iterable[StepAnalysis]) -> Key | None:
        key = self._missing.get(index)
        if key is None:
            return None
        wanted = _named(key)
        if any(not wanted.isdisjoint(s.reading.provides) for s in later):
            return key
        if index not in self._worked:
            self.unsettled |= {index}
        return None

    def may_spoil(self, index: int) -> bool:
        return True  # on an empty database there is nothing to take; a history runs on others, too

    def held(self, step: StepAnalysis, reader: StepAnalysis) -> None:
        pass


def _attempt(planned: PlannedStep, outcome: Outcome, differences: tuple[Difference, ...] = ()) -> Attempt:
    """What became of a step, without what is only told of a start."""
    step = planned.analysis
    told = StepOutcome(step.id, step.kind, planned.action, outcome, planned.reason, differences=differences)
    return Attempt(told, left_to=planned.left_to)


def _named(key: Key) -> frozenset[tuple[Kind, str]]:
    """The names by which a list makes an object, or what does in its place."""
    kinds = RELATIONS if key.kind in RELATIONS else (key.kind,)
    name = key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name
    return frozenset((kind, name) for kind in kinds)


def _differences(world: World, mark: int) -> Iterator[Difference]:
    """What is another than at the mark."""
    for key, before in world.touched(mark).items():
        after = world.get(key)
        if before is None or after is None:
            if before is not None or after is not None:
                yield Difference(key, "", before, after)
            continue
        for name in dict.fromkeys((*before, *after)):
            if before.get(name) != after.get(name):
                yield Difference(key, name, before.get(name), after.get(name))
