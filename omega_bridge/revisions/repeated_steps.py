"""Which steps does a start run again for what a later one brought? In the history each follows it as a revision of its own.

A loop over the catalog means tables that come after it; a guard may ask for a column that a later step adds; a view of
``*`` has the columns of the day on which it was made; a step may need what a later one makes without our reading so. The
naive loop catches up in its next pass over the list, and so does a history: behind the revisions of a list come its further
passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind
from omega_bridge.analysis.context import only_sets
from omega_bridge.planning import World
from omega_bridge.planning.reruns import VIEWS, gives_itself_work, hangs_on_the_rest, unsettled
from omega_bridge.revisions.chain import Again, Revision, RevisionKind
from omega_bridge.revisions.mended_rows import hides_rows_of, writes_rows_of
from omega_bridge.revisions.place_settings import Around, around
from omega_bridge.revisions.proving import Prover
from omega_bridge.revisions.sums import Recorded
from omega_bridge.steps import Registry

ROUNDS = 8
"""Steps that give each other work for so long never settle."""

Places: TypeAlias = Mapping[str, int]
"""Where the list has each step, by the label that the history has for it."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A step that the history holds, and the number of the revision in which it ran last."""

    analysis: StepAnalysis
    recorded: Recorded
    hangs: bool
    ran: int


class Held:
    """The steps that the history holds up to one of its revisions."""

    def __init__(self) -> None:
        self._steps: dict[str, _Step] = {}
        self._named: dict[str, int] = {}
        self._changed: dict[str, tuple[int, str]] = {}
        self._rejected: set[str] = set()
        self._setting: dict[str, _Step] = {}
        """The steps that do nothing but set what later ones run under."""
        self._hiding: dict[str, frozenset[str]] = {}
        """The tables whose rows may make a step fail, and its handler hides that."""
        self._written: dict[str, tuple[int, str]] = {}
        """The revision and the step that last changed rows of a table."""
        self._schema = 0
        self._number = 0

    def take(self, kind: str, recorded: Sequence[Recorded], steps: Iterable[StepAnalysis], *, rejected: bool = False) -> None:
        """One revision more: its steps as the sum file and as the analysis has them."""
        self._number += 1
        if kind == RevisionKind.FOUNDATION:
            return
        if kind == RevisionKind.RETIRE:
            for past in recorded:
                self._steps.pop(past.label, None)
                self._setting.pop(past.label, None)
                self._hiding.pop(past.label, None)
                self._rejected.discard(past.label)
            return
        for past, step in zip(recorded, steps, strict=True):
            own = replace(step, id=past.label)
            self._steps[past.label] = _Step(own, past, hangs_on_the_rest(step), self._number)
            for kept in (self._setting, self._hiding):
                kept.pop(past.label, None)
            if only_sets(step.step.sql):
                self._setting[past.label] = self._steps[past.label]
            if tables := hides_rows_of(step):
                self._hiding[past.label] = tables
            self._written.update(dict.fromkeys(writes_rows_of(step), (self._number, past.label)))
            (self._rejected.add if rejected else self._rejected.discard)(past.label)
            if step.kind is not StepKind.DATA:
                self._schema = self._number
                self._named.update(dict.fromkeys(step.names, self._number))

    def around(self, labels: Sequence[str], places: Places) -> Around | None:
        """What a revision of these steps is put between where the list has them under other settings; see ``place_settings``."""
        setting = self._setting
        if not setting or any(label in setting or label not in places for label in labels):
            return None
        place = min(places[label] for label in labels)
        ahead = sorted((places[label], s.analysis.step.sql) for label, s in setting.items() if places.get(label, place) < place)
        ran = sorted((s.ran, s.analysis.step.sql) for s in setting.values())
        return around((text for _, text in ahead), (text for _, text in ran))

    def changed(self, names: Iterable[str], by: str) -> None:
        """The last revision, that of step ``by``, changed what bears these names."""
        self._changed.update(dict.fromkeys(names, (self._number, by)))

    def again(self, after: Revision, judge: Prover, places: Places) -> list[Revision]:
        """One further pass: what a start would run once more behind ``after``, in the list's order, as revisions to be.

        Looked at is what bears names that have changed since the last pass. ``places``: where the list has each step, by label.
        """
        if not self._changed:
            return []
        changed, self._changed = self._changed, {}
        near = frozenset(label for label, s in self._steps.items() if _is_near(s, changed))
        rejected = frozenset(self._rejected)
        if not near | rejected:
            return []
        found = judge.still_change(self._in_order(places, near | rejected), near, rejected)
        first = frozenset(step.id for step, _ in found)
        if behind := self._behind([step for step, _ in found], places):
            found = judge.still_change(self._in_order(places, near | rejected | behind), near, rejected, behind)
        drafts: list[Revision] = []
        for number, (step, changes) in enumerate(found):
            giver = _giver(step, changed)
            ahead = [s.id for s, _ in found[:number] if _may_concern(s, step)] if giver == step.id or step.id not in first else []
            drafts.append(self._draft(step, Again(ahead[-1] if ahead else giver, changes), after))
        return drafts

    def _behind(self, steps: Sequence[StepAnalysis], places: Places) -> frozenset[str]:
        """Who stands in the list behind steps that do something in this pass, about the same: he has the last word, and makes again what
        they take along.
        """
        return frozenset(
            label
            for label, s in self._steps.items()
            if any(places.get(one.id, -1) < places.get(label, -1) and _may_concern(one, s.analysis) for one in steps)
        )

    def mended(self, after: Revision, places: Places) -> list[Revision]:
        """The steps whose handler hides what rows make fail, and behind which one ran that changes rows of such a table: whether
        they had their effect hangs on the rows of the database that is upgraded.
        """
        drafts = []
        for label in sorted(self._hiding, key=lambda one: places.get(one, len(places))):
            step = self._steps[label]
            ran, by = max((self._written[table] for table in self._hiding[label] if table in self._written), default=(0, ""))
            if ran > step.ran:
                drafts.append(self._draft(step.analysis, Again(by, of_rows=True), after))
        return drafts

    def itself(self, after: Revision, judge: Prover, places: Places) -> list[Revision]:
        """What the steps of ``after`` would do if they ran once more at once: guards and handlers may find what they made themselves.

        Where one ahead of them in the list has yet to come, or was rejected and is about the same, a further pass begins with that one.
        """
        steps = tuple(s.analysis for label in after.labels if (s := self._steps.get(label)) and gives_itself_work(s.analysis))
        if not steps or not self._rejected.isdisjoint(after.labels):
            return []
        last = max(places.get(label, -1) for label in after.labels)
        if any(place < last and label not in self._steps for label, place in places.items()):
            return []
        if any(_may_concern(self._steps[label].analysis, step) for label in self._rejected for step in steps):
            return []
        own = Analysis(Registry(tuple(replace(s.step, id=s.id) for s in steps)), steps)
        found = judge.still_change(own, frozenset(s.id for s in steps), frozenset())
        return [self._draft(step, Again(step.id, changes), after) for step, changes in found]

    def retried(self, draft: Revision, after: Revision, judge: Prover, places: Places, ahead: range) -> list[Revision]:
        """Before a step that waited: what was rejected in its place ``ahead`` and is taken now, and what is about the same and has work again.

        A step that waited comes in the list's second pass, and so do they: in the list's order.
        """
        ahead_of_it = frozenset(label for label in self._steps if places.get(label, -1) in ahead)
        names = frozenset().union(*(step.names for step in draft.steps))
        near = frozenset(
            label for label in ahead_of_it if _is_near(self._steps[label], self._changed) and self._is_about(label, names)
        )
        rejected = ahead_of_it & self._rejected
        if not near | rejected:
            return []
        found = judge.still_change(self._in_order(places, near | rejected), near, rejected)
        given = self._changed or {"": (self._number, after.labels[-1])}
        return [self._draft(step, Again(_giver(step, given), changes), after) for step, changes in found]

    def _is_about(self, label: str, names: frozenset[str]) -> bool:
        """Whether a step names what bears one of these names. One that means the rest, too, comes behind the pass in any case."""
        step = self._steps[label]
        return not step.hangs and not names.isdisjoint(step.analysis.names)

    def again_unproven(self, world: World, last: Revision, places: Places) -> list[Revision]:
        """The same at the end of an export that has no server: what may have work again since it ran last.

        ``world`` is the schema at the end; it is left as it was. Views are left alone: one that is replaced by a narrower
        one is an error, and whether it is narrower only a server knows.
        """
        stale = frozenset(
            label
            for label, s in self._steps.items()
            if s.recorded.settled and s.ran < self._touched(s) and not any(e.key.kind in VIEWS for e in s.analysis.effects)
        )
        found = unsettled(world, self._in_order(places, stale), stale)
        return [self._draft(step, Again(last.labels[-1]), last) for step in found]

    def _in_order(self, places: Places, near: frozenset[str]) -> Analysis:
        """These steps and what shares names with them, as the list has them; those that it has no more stand at the end."""
        names = frozenset().union(*(self._steps[label].analysis.names for label in near))
        found = [
            label
            for label, s in self._steps.items()
            if label in near or s.hangs or label in self._setting or not names.isdisjoint(s.analysis.names)
        ]
        ordered = sorted(found, key=lambda label: places.get(label, len(places)))
        steps = tuple(self._steps[label].analysis for label in ordered)
        return Analysis(Registry(tuple(replace(s.step, id=s.id) for s in steps)), steps)

    def _touched(self, step: _Step) -> int:
        """The last revision that concerns what a step means."""
        return self._schema if step.hangs else max((self._named.get(name, 0) for name in step.analysis.names), default=0)

    def _draft(self, step: StepAnalysis, again: Again, after: Revision) -> Revision:
        past = self._steps[step.id].recorded
        return Revision("", None, 0, RevisionKind.SETTLE, (step,), past, labels=(past.label,), origin=after.origin, again=again)


def _may_concern(step: StepAnalysis, other: StepAnalysis) -> bool:
    """Whether what a step does may give another one work: they name something in common, or one of them hangs on all there is."""
    return hangs_on_the_rest(step) or hangs_on_the_rest(other) or not step.names.isdisjoint(other.names)


def _is_near(step: _Step, changed: Mapping[str, tuple[int, str]]) -> bool:
    """Whether what changed may concern a step. What may do its work on rows twice is due for what came after it alone, as at a start."""
    numbers = [number for name, (number, _) in changed.items() if step.hangs or name in step.analysis.names]
    if step.analysis.kind is StepKind.MIXED and not gives_itself_work(step.analysis):
        return any(number > step.ran for number in numbers)
    return bool(numbers)


def _giver(step: StepAnalysis, changed: Mapping[str, tuple[int, str]]) -> str:
    """The last step that changed what this one names; where it names nothing of it, the last that changed anything."""
    near = [told for name, told in changed.items() if name in step.names and told[1] != step.id]
    return max(near or changed.values())[1]
