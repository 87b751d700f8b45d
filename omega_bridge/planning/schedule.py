"""The rules by which a list is worked through: whole passes, in its order, until a pass ends where it began.

The first pass tries every step that is not certainly there. A further one is needed only where a step failed, waited, or no longer
holds. The rules are written once: a runner on a server makes a start of them, one in thought tells beforehand how it would go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from omega_bridge.analysis import Analysis, StepAnalysis
from omega_bridge.catalog import Difference, Key
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import NOT_DONE, Action, StepOutcome
from omega_bridge.planning.clock import Changes
from omega_bridge.planning.due import Due, Turn, is_opaque
from omega_bridge.planning.plan import Planner
from omega_bridge.planning.reruns import gives_itself_work, hangs_on_the_rest, only_sets
from omega_bridge.planning.step_outcome import outcome_of
from omega_bridge.planning.waiting import Waiting
from omega_bridge.planning.world import World
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.planning.row_flow import RowFlow

MAX_PASSES = 8
"""A list that still changes something after so many passes never settles: the last outcomes stand. Further passes in which a step
worked for the first time are not counted: there are no more of them than steps."""


class Attempt(NamedTuple):
    """What became of a step. ``beyond``: what it changed that the catalog by the list's names does not show. ``left_to``: the later
    steps to which its work is left. ``is_settled``: by what was looked at behind it, it has given itself no more work.
    """

    outcome: StepOutcome
    beyond: Changes = MappingProxyType({})
    left_to: tuple[int, ...] = ()
    is_settled: bool = False


class Runner(Protocol):
    """Works through steps, one at a time: on a server, or in thought."""

    @property
    def world(self) -> World:
        """What is there now. Who thinks in it takes a copy."""

    @property
    def flow(self) -> RowFlow:
        """Where rows come from and go to now, beside what a step names."""

    def begin(self, number: int) -> None:
        """A pass begins, as on a new connection. ``number``: from 1."""

    def has_changed(self) -> bool:
        """Whether anything is another than it was when this pass began."""

    def together(self, index: int) -> Sequence[Attempt]:
        """What became of the steps from here on that it has run as one; none where each has to be tried by itself."""

    def attempt(self, index: int, *, anew: bool) -> Attempt:
        """Decide a step as things are, and run it. ``anew``: also where it would only rebuild what is there."""

    def need(self, index: int, outcome: StepOutcome, later: Iterable[StepAnalysis]) -> Key | None:
        """What a step lacked that did not work, and one of the ``later`` ones makes."""

    def may_spoil(self, index: int) -> bool:
        """Whether a step that takes rows away has any to take."""

    def held(self, step: StepAnalysis, reader: StepAnalysis) -> None:
        """A step is not run in this pass: it would change what ``reader`` reads, which waits."""


@dataclass(slots=True)
class Schedule:
    """Passes over the steps until nothing changes."""

    runner: Runner
    planner: Planner
    passes: int = 0
    misplaced: list[tuple[str, str]] = field(default_factory=list)
    """Steps that waited for a later one, by id, with what they needed."""
    undoing: list[tuple[str, str, str]] = field(default_factory=list)
    """Steps that undo one another, the first and the last by id, each with the object."""
    remade: list[tuple[str, str, str]] = field(default_factory=list)
    """Steps that made again, once they had it, what a later one takes away: the step, the object, the later one."""
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    """The steps as they were first tried without having to wait."""
    waited: dict[int, Key] = field(default_factory=dict)
    """What a step lacked when it began to wait."""
    _due: Due = field(init=False)
    _waiting: Waiting = field(init=False)
    _placed: set[int] = field(default_factory=set)
    _worked: set[str] = field(default_factory=set)
    """The steps that have worked once."""
    _made: dict[str, set[str]] = field(default_factory=dict)
    """The objects that each step has changed so far."""
    _gone: dict[Key, str] = field(default_factory=dict)
    """The objects that were taken away so far, and the step that did."""
    _got_on: bool = False
    """Whether this pass changed the schema or rows, or a step worked where it did not before."""
    _is_after_others: bool = False
    """Whether somebody else has changed something meanwhile: what a step does again then is nobody's fault."""
    _is_first: bool = False
    """Whether a step worked in this pass for the first time."""
    _done: list[tuple[str, Key]] = field(default_factory=list)
    """The steps of this pass that changed something, each with the object, in order."""

    def __post_init__(self) -> None:
        self._waiting = Waiting(self.planner.analysis)
        self._due = Due(self.planner, self.outcomes, self._waiting.held)

    @property
    def _analysis(self) -> Analysis:
        return self.planner.analysis

    def run(self) -> None:
        """Work through the list until a pass changes nothing that a further one would have to look at."""
        self._tell_undoing(is_cut=self._go_through())
        self._tell_held()

    def follow(self, differences: tuple[Difference, ...], hidden: Iterable[str] = ()) -> None:
        """Go on, where that gives any step something to do: somebody else has changed this in what the runner's world shows now. ``hidden``:
        names that are another's there now, or no longer.
        """
        self._due.clock.tick(differences)
        self._due.clock.met(hidden)
        if self._due.is_any(self.runner.world):
            self._is_after_others = True
            self.run()

    def _go_through(self) -> bool:
        """Pass by pass. Whether it was cut short: the list does not settle."""
        clock, counted = self._due.clock, 0
        while counted < MAX_PASSES:
            self.passes += 1
            self.runner.begin(self.passes)
            moment = clock.now
            self._done, self._got_on, self._is_first = [], False, False
            self._pass()
            counted += self.passes == 1 or not self._is_first
            self._due.is_stirred = False
            if clock.now == moment and not self._due.is_given_back:
                break
            if not self._due.is_any(self.runner.world):
                break
            if self.passes > 1 and not self._got_on:
                break
            if self._done and not self.runner.has_changed():
                break
        return counted == MAX_PASSES

    def settled(self) -> frozenset[str]:
        """The steps, by id, of which it was seen that they have nothing to do as things are now; none of a list that does not settle."""
        if self.undoing:
            return frozenset()
        told = {step for step, _ in self.misplaced} | {step for step, _, _ in self.remade}
        return self._due.settled() - told

    # --- one pass ----------------------------------------------------------------------------------------------

    def _pass(self) -> None:
        index = 0
        while index < len(self._analysis):
            taken = self.runner.together(index) if self.passes == 1 and not self._waiting else ()
            if taken:
                self._take(index, taken)
                index += len(taken)
            else:
                self._step(index)
                index += 1

    def _take(self, index: int, taken: Sequence[Attempt]) -> None:
        """Steps that ran as one, or not at all: each was looked at in the catalog at their end."""
        clock, path = self._due.clock, self.runner.world.catalog.search_path
        began = clock.now
        differences = tuple(d for attempt in taken for d in attempt.outcome.differences)
        if differences:
            clock.tick(differences)
        shadowed = dict.fromkeys(self._shadowed(differences), clock.now)
        clock.changed.update(shadowed)
        self._placed.update(range(index, index + len(taken)))
        self.order.extend(range(index, index + len(taken)))
        met, at_rest = Turn(began, clock.now, path), Turn(clock.now, clock.now, path)
        for number, (outcome, _, left_to, is_settled) in enumerate(taken, start=index):
            self._due.left_to[outcome.id] = left_to
            self._due.note_made(number, outcome.differences)
            self._settled(outcome)
            self._worked.add(outcome.id)
            step = self._analysis.steps[number]
            is_met = (not is_settled and gives_itself_work(step)) or (shadowed and not step.names.isdisjoint(shadowed))
            self._due.turns[outcome.id] = met if is_met else at_rest
            if outcome.action is Action.RUN:
                self._done += [(outcome.id, d.key) for d in outcome.differences]

    def _step(self, index: int) -> None:
        """One step in its place: run, skipped, or held back."""
        step = self._analysis.steps[index]
        if self.passes > 1 and not self._due.is_in(index, self.runner.world):
            return
        reader = self._waiting.holder(index, self.runner.flow) if self._waiting else None
        if reader is not None and self.runner.may_spoil(index):
            self._waiting.hold(step, reader)
            self.runner.held(step, reader)
            return
        self._waiting.release(step)
        self._try(index)

    def _try(self, index: int) -> None:
        step, due = self._analysis.steps[index], self._due
        began, path = due.clock.now, self.runner.world.catalog.search_path
        by_others = not self._is_after_others and (step.id not in due.turns or due.has_more(step))
        outcome, beyond, due.left_to[step.id], _ = self.runner.attempt(index, anew=due.is_anew(step))
        (self.planner.failing.add if outcome.outcome is Outcome.FAILED else self.planner.failing.discard)(index)
        if outcome.action is Action.RUN and outcome.outcome is not Outcome.FAILED:
            due.is_stirred = due.is_stirred or (self.passes > 1 and is_opaque(step) and not only_sets(step))
            if step.id in self.outcomes:
                is_new = self.outcomes[step.id].outcome is not outcome.outcome
                self._got_on = self._got_on or is_new or bool(outcome.rows or outcome.differences or beyond)
        if outcome.action is Action.RUN and (outcome.outcome is Outcome.APPLIED or outcome.differences or beyond):
            due.clock.tick(outcome.differences, beyond)
            due.note_made(index, outcome.differences)
            if outcome.rows:
                due.clock.wrote(step.names, is_told=not hangs_on_the_rest(step))
            due.clock.changed.update(dict.fromkeys(self._shadowed(outcome.differences), due.clock.now))
            self._done += [(step.id, key) for key in dict.fromkeys([*(d.key for d in outcome.differences), *beyond])]
        if outcome.outcome not in NOT_DONE and step.id not in self._worked:
            self._worked.add(step.id)
            self._is_first = True
        due.turns[step.id] = Turn(began, due.clock.now, path)
        self._note_waiting(index, outcome)
        self._keep(step, outcome, by_others=by_others)

    def _shadowed(self, differences: Iterable[Difference]) -> Iterator[str]:
        """Names that were another object's, of another schema, before one was made that bears them, too."""
        world = self.runner.world
        for d in differences:
            if d.left is None and not d.attribute and not d.key.table and world.count(d.key.kind, d.key.name) > 1:
                yield d.key.name

    def _note_waiting(self, index: int, outcome: StepOutcome) -> None:
        step, need = self._analysis.steps[index], None
        if outcome.outcome in (Outcome.FAILED, Outcome.NO_EFFECT) and step.id not in self._worked:
            need = self.runner.need(index, outcome, self._waiting.later(index))
        self._waiting.note(step, need)
        if index not in self._placed:
            if need is None:
                self._placed.add(index)
                self.order.append(index)
            else:
                self.waited.setdefault(index, need)
        if need is None and step.id in self._waiting.first and outcome.outcome is Outcome.APPLIED:
            self.misplaced.append((step.id, str(self._waiting.first.pop(step.id))))

    def _keep(self, step: StepAnalysis, outcome: StepOutcome, *, by_others: bool) -> None:
        """The outcome of a step: what a further pass adds to nothing does not take the place of what was done before.

        ``by_others``: whether another step has given it something to look at.
        """
        earlier = self.outcomes.get(step.id)
        if earlier is not None and earlier.outcome is Outcome.APPLIED and not outcome.differences:
            return
        if earlier is not None and by_others and outcome.outcome is Outcome.APPLIED and earlier.outcome not in NOT_DONE:
            self._misplace(step, outcome)
        self._made.setdefault(step.id, set()).update(str(d.key) for d in outcome.differences)
        self._gone.update((d.key, step.id) for d in outcome.differences if d.right is None and not d.attribute)
        self._settled(outcome)

    def _misplace(self, step: StepAnalysis, outcome: StepOutcome) -> None:
        """A step that has done its work, and is given more by a later one, or makes again what that one took away."""
        more = [d for d in outcome.differences if d.right is not None and str(d.key) not in self._made.get(step.id, ())]
        again = [d.key for d in more if d.left is None and self._gone.get(d.key, step.id) != step.id]
        self.remade += [(step.id, str(key), self._gone[key]) for key in again]
        tables = {key.table or key.name for key in self._gone if any(str(key) == what for _, what, _ in self.remade)}
        if any((d.key.table or d.key.name) in tables for d in more):
            return  # it has to do again what hangs on that
        if more and step.id not in {s for s, _ in self.misplaced}:
            self.misplaced.append((step.id, f"{more[0].key}, which a later step leads to"))

    def _settled(self, outcome: StepOutcome) -> None:
        """Keep the latest outcome of a step, and all of them in the order in which they came about."""
        self.outcomes.pop(outcome.id, None)
        self.outcomes[outcome.id] = outcome if outcome.pass_ == self.passes else replace(outcome, pass_=self.passes)

    # --- the end -----------------------------------------------------------------------------------------------

    def _tell_undoing(self, *, is_cut: bool) -> None:
        """Steps that undo one another: each object that a pass changed to and fro, or that the last pass still changed."""
        writers: dict[Key, list[str]] = {}
        for step_id, key in self._done:
            writers.setdefault(key, []).append(step_id)
        found = [(ids[0], ids[-1], str(key)) for key, ids in writers.items() if is_cut or len(set(ids)) > 1]
        if found and (is_cut or not self.runner.has_changed()):
            self.undoing += found

    def _tell_held(self) -> None:
        """What was held back to the end is not sent, and says for whom."""
        for index, step in enumerate(self._analysis):
            if step.id in self._waiting.held:
                waiting = self._waiting.held[step.id]
                planned = self.planner.plan(index, self.runner.world.copy())
                reason = f"not sent: it would change what step {waiting} reads, which waits for {self._waiting.first.get(waiting, 'another')}"
                self._settled(replace(outcome_of(planned, Outcome.SKIPPED, reason, action=Action.SKIP), is_held=True))
