"""Has a further pass anything to do with a step? As in the naive loop, the last writer in the list's order has the last word. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field
from itertools import repeat
from typing import NamedTuple

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind, statements
from omega_bridge.analysis.program import Effect, may_take_another_way
from omega_bridge.catalog import Difference, Key, Kind
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import NOT_DONE, Action, StepOutcome
from omega_bridge.planning.clock import Clock
from omega_bridge.planning.evaluate import Evaluation, lacking
from omega_bridge.planning.plan import Planner
from omega_bridge.planning.reruns import VIEWS, gives_itself_work, hangs_on_the_rest, is_maintenance, only_sets
from omega_bridge.planning.world import World
from omega_bridge.values import dataclass


class Turn(NamedTuple):
    """When a step was last judged or sent: ``ended`` is the moment after that, with what it changed itself."""

    began: int
    ended: int
    path: tuple[str, ...]
    """The ``search_path`` then."""


@dataclass(slots=True)
class Due:
    """What is known of the steps that have had their turn. ``outcomes``: their latest; ``held``: the ids of those that are held back."""

    planner: Planner
    outcomes: Mapping[str, StepOutcome]
    held: Collection[str]
    clock: Clock = field(default_factory=Clock)
    turns: dict[str, Turn] = field(default_factory=dict)
    left_to: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """To which later steps the work of a step is left."""
    makers: dict[Key, int] = field(default_factory=dict)
    """Who made an object as it is, where a step has: by its place in the list. Of tables and columns, who made them at all."""
    is_stirred: bool = False
    """Whether a further pass has sent a step that may have changed what the catalog does not show."""

    @property
    def _analysis(self) -> Analysis:
        return self.planner.analysis

    def is_in(self, index: int, world: World) -> bool:
        """Whether a further pass has anything to do with a step, now that all is as in ``world``, which is left as it is."""
        step = self._analysis.steps[index]
        turn, path = self.turns.get(step.id), world.catalog.search_path
        return only_sets(step) or self._is(index, world, is_elsewhere=turn is not None and turn.path != path)

    def is_any(self, world: World) -> bool:
        """Whether a further pass would have anything to do. Names may mean other schemas by then, where one has come or gone."""
        schemas = self.clock.schemas
        at_rest = self.settled() if not schemas else frozenset[str]()
        return any(
            self._is(index, world, is_elsewhere=step.id in self.turns and schemas > self.turns[step.id].ended)
            for index, step in enumerate(self._analysis)
            if step.id not in at_rest
        )

    def note_made(self, index: int, differences: Iterable[Difference]) -> None:
        """A step has changed something."""
        for d in differences:
            if d.right is not None and (not d.attribute or d.key.kind not in (Kind.TABLE, Kind.COLUMN)):
                self.makers[d.key] = index

    def has_more(self, step: StepAnalysis) -> bool:
        """Whether another step has made or changed something that it touches or reads since its turn."""
        return self._last(step, self.clock.added) > self.turns[step.id].ended

    def settled(self) -> frozenset[str]:
        """The steps, by id, all of which is read, that were seen to have nothing to do, and nothing that they may look at has changed since.

        Of one that was sent by itself nobody has looked yet whether it would do the same again.
        """
        return frozenset(self._settled())

    def _settled(self) -> Iterator[str]:
        outcomes, turns, held, left_to = self.outcomes, self.turns, self.held, self.left_to
        touched = {*self.clock.added, *self.clock.changed}
        for step in self._analysis:
            outcome, turn = outcomes.get(step.id), turns.get(step.id)
            if outcome is None or turn is None or turn.began != turn.ended or (outcome.action, outcome.outcome) not in _LOOKED_AT:
                continue
            reading = step.reading
            if reading.kind is not StepKind.SCHEMA or not reading.is_certain or step.id in held or left_to.get(step.id):
                continue
            is_far = not self.clock.defaults and reading.names.isdisjoint(touched) and reading.taken_away.isdisjoint(touched)
            if is_far or self._is_untouched(step, turn):
                yield step.id

    def is_anew(self, step: StepAnalysis) -> bool:
        """Whether what a step rebuilds has the privileges by default of a day that has passed."""
        turn = self.turns.get(step.id)
        return turn is not None and self.clock.defaults > turn.ended

    @property
    def is_given_back(self) -> bool:
        """Whether work that was left to later steps has to be done all the same, since they did not work."""
        return bool(self.planner.failing) and any(map(self._is_given_back, self.left_to))

    def _is_given_back(self, step_id: str) -> bool:
        return not self.planner.failing.isdisjoint(self.left_to.get(step_id, ()))

    def _is(self, index: int, world: World, *, is_elsewhere: bool) -> bool:
        step, clock = self._analysis.steps[index], self.clock
        earlier = self.outcomes.get(step.id)
        if earlier is None or step.id in self.held:
            return True
        turn = self.turns[step.id]
        if earlier.outcome is Outcome.FAILED:
            return clock.now > turn.ended
        if step.kind is StepKind.DATA or only_sets(step):
            return False
        if self._is_given_back(step.id) or (earlier.outcome is Outcome.NO_EFFECT and self._rows_since(step, turn)):
            return True
        if step.kind is StepKind.MIXED:
            is_meant = (self.is_stirred and is_opaque(step)) or is_elsewhere
            since = turn.began if gives_itself_work(step) else turn.ended
            return not is_maintenance(step) and (is_meant or self._last(step, clock.added) > since)
        if not is_elsewhere and self._is_untouched(step, turn):
            return False
        is_anew = self.is_anew(step) and rebuilds(step)
        is_suspect = is_elsewhere or self._is_suspect(index, turn, world)
        if not (is_suspect or is_anew):
            return False
        mark = world.mark()
        planned = self.planner.plan(index, world)
        world.rollback(mark)
        if planned.action is Action.SKIP:
            is_anew = is_anew and planned.found is not None and planned.found.rebuilds
            return is_anew or (is_suspect and planned.warning is None and earlier.outcome is Outcome.NO_EFFECT)
        if is_anew or is_elsewhere:
            return True
        if planned.found is not None and _only_takes_away(planned.found) and self._comes_back(index, world) is True:
            return False
        end = world.copy()  # of a long list a long way: for who has work alone
        planned = self.planner.plan(index, end)
        is_sure = planned.found is not None and (planned.found.is_open or bool(lacking(planned.found, world, end)))
        return self._last(step, clock.added) > (turn.began if is_sure else turn.ended)

    def _is_untouched(self, step: StepAnalysis, turn: Turn) -> bool:
        """Whether nothing that a step may look at has changed since it was judged: most steps of a long list, so it is asked first."""
        clock = self.clock
        if clock.now == turn.began:
            return True
        if clock.defaults > turn.ended:
            return False
        names, away = step.names, step.reading.taken_away
        if not hangs_on_the_rest(step) and names.isdisjoint(clock.added) and names.isdisjoint(clock.changed):
            return away.isdisjoint(clock.added) or all(clock.added.get(name, 0) <= turn.began for name in away)
        if self._last(step, clock.added) > turn.began or self._last(step, clock.changed) > turn.began:
            return False
        return all(clock.added.get(name, 0) <= turn.began for name in away)

    def _is_suspect(self, index: int, turn: Turn, world: World) -> bool:
        """Whether others, or the step itself, may have given it work since it was judged."""
        step, clock = self._analysis.steps[index], self.clock
        gone = [e.key for s in step.reading.statements for e in s.effects if not e.present]
        if any(clock.is_added(key, turn.began) for key in gone) and self._comes_back(index, world) is False:
            return True
        if self.outcomes[step.id].outcome in NOT_DONE or may_take_another_way(step.program):
            return self._last(step, clock.added) > turn.began
        if any(_keeps_its_reading(e) for s in statements(step.program) for e in s.effects):
            return self._last(step, clock.added) > turn.began
        return self._last(step, clock.changed) > turn.began

    def _comes_back(self, index: int, world: World) -> bool | None:
        """Whether later steps would make again, as it is, what the step takes away: it would only lose its rows."""
        from omega_bridge.planning.returning import comes_back

        failing = {o.id for o in self.outcomes.values() if o.outcome is Outcome.FAILED}
        return comes_back(self._analysis, index, world, self.planner.provided, failing, self.makers)

    def _rows_since(self, step: StepAnalysis, turn: Turn) -> bool:
        """Whether rows have changed that may have been the reason for which a step had no effect: its handler hid the error."""
        clock = self.clock
        return clock.any_rows > turn.ended or any(clock.rows.get(name, 0) > turn.ended for name in step.names)

    def _last(self, step: StepAnalysis, times: Mapping[str, int]) -> int:
        """When something that the step touches or reads last changed."""
        if hangs_on_the_rest(step):
            return self.clock.schema
        return max(map(times.get, step.names, repeat(0)), default=0)


def _keeps_its_reading(effect: Effect) -> bool:
    """Whether what is made keeps its text as it was read then: which columns a ``*`` is, which of several functions is called."""
    return effect.key.kind in VIEWS or (effect.key.kind is Kind.FUNCTION and effect.present)


_LOOKED_AT = ((Action.SKIP, Outcome.ALREADY_THERE), (Action.RUN, Outcome.APPLIED))
"""Where it was sent and found nothing to do, only the server could tell."""


def rebuilds(step: StepAnalysis) -> bool:
    """Whether a step takes away what it makes anew."""
    effects = [e for s in step.reading.statements for e in s.effects]
    return not {e.key for e in effects if e.present}.isdisjoint(e.key for e in effects if not e.present)


def is_opaque(step: StepAnalysis) -> bool:
    """Whether a step may do more than the catalog shows: a later one of its kind then has the last word, as in the loop."""
    return any(s.opaque for s in step.reading.statements)


def _only_takes_away(found: Evaluation) -> bool:
    """Whether all that a step has to do is to take away what is there, and nothing goes with it."""
    return (
        bool(found.missing)
        and not any(e.present for e in found.missing)
        and not any(s.cascade or s.opaque or s.data for s in found.residual)
    )
