"""The list's past, prefix after prefix: a start for each list that it had, beside an upgrade to each revision; what differs after each.

Prefixes grow in the chain's order, which is the one in which a start of an empty database settles the steps; each is a list in the order
of today's, as the starts that ran it had it. Both databases are read whole at the beginning and at the end, and in between where something was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from omega_bridge.analysis import analyse
from omega_bridge.audit.by_hand import by_hand_in
from omega_bridge.audit.grounds import Ground
from omega_bridge.audit.lived import Lived, begins_anew, lived
from omega_bridge.audit.pairs import Begun, Pair, Told, alembic, upgrade, upgrade_along
from omega_bridge.audit.scratch import Scratch, ScratchDatabase, scratch_database
from omega_bridge.audit.verdict import PAST, Start, Unlike
from omega_bridge.audit.witness import Witness
from omega_bridge.catalog import Catalog, Difference, diff
from omega_bridge.planning.foundation import LABEL
from omega_bridge.planning.settling import settle
from omega_bridge.postgres.following import Follower, Names, together
from omega_bridge.revisions import files, sums
from omega_bridge.steps import Registry, Step


@dataclass(frozen=True, slots=True)
class Point:
    """A revision, the list that it and those before it stand for, and the step to name. ``sealed``: its line's hash in the sum file.

    One that a squash took in is not loaded: the boots live through it, and are compared at the squash. So it is with a step that
    gives itself work: a boot has done it by then, and the history does in the next revision.
    """

    revision: str
    steps: tuple[Step, ...]
    label: str
    is_loaded: bool = True
    sealed: str = ""


@dataclass(frozen=True, slots=True)
class Walked:
    """What was found on the way. ``catalog``: what the starts led to; ``upgraded``: the database of the upgrades, at the head,
    where it is what one upgrade of an empty database leads to.
    """

    begun: Begun
    catalog: Catalog
    upgraded: ScratchDatabase | None


@contextmanager
def walked(
    folder: Path,
    lines: tuple[sums.SumLine, ...],
    ground: Ground,
    scratch: Scratch,
    witness: Witness | None,
    advance: Callable[[int], object],
    since: str | None = None,
    alike: Callable[[str], object] = lambda _revision: None,
    *,
    points: Sequence[Point],
) -> Iterator[Walked]:
    """Walk; the databases are there until the end of the block. Raises ``StepFailed`` where a revision cannot be run.

    ``since``: upgrades bring both as far as this revision, and what follows is compared. ``alike``: called with each revision while
    nothing has differed. ``points``: see ``points_of``.
    """
    skipped = next((n for n, point in enumerate(points, start=1) if point.revision == since), 0)
    texts = frozenset(step.sql for point in points for step in point.steps)
    written = by_hand_in(folder, lines)
    with scratch_database(scratch, "boot") as left, scratch_database(scratch, "alembic") as right:
        ground.lay(left)
        ground.begin(right)
        config = alembic(folder, right)
        if since is not None:
            for database in (left, right):
                upgrade(alembic(folder, database), since, points[skipped - 1].label)
            advance(skipped)
        with left.session() as one, right.session() as other, lived(left, texts) as starts:
            compared = _Compared(Follower(one.connection), Follower(other.connection))
            walk = _Walk(starts, points, compared, advance, lambda revision: written.ahead_of(revision, left), alike, skipped)
            is_plain = not written.blocks and not begins_anew(texts)
            loaded = [(p.revision, p.label) for p in points[skipped:] if p.is_loaded]
            if is_plain and loaded:
                upgrade_along(config, loaded, walk.to)
            else:
                for revision, label in loaded:
                    upgrade(config, revision, label)
                    walk.to(revision)
            walk.to_the_end()
        pair = Pair(PAST, left, right)
        differences, order_only = compared.differences, compared.order_only
        if points:
            last = points[-1]
            known = {(d.object, d.attribute) for d in differences if d.revision == last.revision}
            told = _named(last.label)
            whole = [d for d in pair.unlike(last.revision, told) if (d.object, d.attribute) not in known]
            differences += [*whole, *pair.only_seen_by(witness, last.revision, last.label)]
        begun = Begun(Start(PAST, len(loaded), since), tuple(differences), tuple(order_only))
        is_one = is_plain and not any(a.reading.only_sets for a in analyse(Registry(tuple(map(Step, sorted(texts))))))
        yield Walked(begun, pair.boot if points else Catalog({}), right if is_one else None)


@dataclass
class _Compared:
    """Two databases, compared again and again where something was written in either; and what was found."""

    left: Follower
    right: Follower
    differences: list[Unlike] = field(default_factory=list)
    order_only: list[Unlike] = field(default_factory=list)
    apart: Names = None
    """The names of what was not alike when it was compared last; ``None``: nothing was yet."""

    def compare(self, point: Point) -> None:
        """As they are now, at one of the revisions."""
        boot, alembic = self.left.look(), self.right.look()
        near = together(self.apart, together(self.left.changed(), self.right.changed()))
        found = diff(boot, alembic, among=near)
        moved = () if found else diff(boot, alembic, ignore=frozenset(), among=near)
        self.apart = frozenset(n for d in (*found, *moved) for n in (d.key.table, d.key.name.partition("(")[0]) if n)
        self.differences += [_unlike(d, point) for d in found]
        self.order_only += [_unlike(d, point) for d in moved]


@dataclass
class _Walk:
    """Starts, one for each point, as far as the upgrades have got."""

    starts: Lived
    points: Sequence[Point]
    compared: _Compared
    advance: Callable[[int], Any]
    ahead_of: Callable[[str], object]
    """Run what was written by hand right before a revision."""
    alike: Callable[[str], object]
    done: int = 0

    def to(self, revision: str) -> None:
        """The upgrades stand at this revision: bring the starts there, and compare."""
        while self.done < len(self.points):
            point = self._start()
            if point.revision == revision:
                self.compared.compare(point)
                if not self.compared.differences:
                    self.alike(revision)
                break

    def to_the_end(self) -> None:
        """What no revision that is loaded stands for any more."""
        while self.done < len(self.points):
            self._start()

    def _start(self) -> Point:
        point = self.points[self.done]
        self.done += 1
        self.ahead_of(point.revision)
        self.starts.start(point.steps, whole=self.done == len(self.points))
        self.advance(1)
        return point


def _unlike(d: Difference, point: Point) -> Unlike:
    return Unlike(PAST, point.revision, point.label, str(d.key), d.attribute, d.left, d.right)


def _named(step: str) -> Told:
    return lambda _difference: (step, "")


def points_of(folder: Path, lines: tuple[sums.SumLine, ...], ground: Ground, places: Mapping[str, int]) -> Iterator[Point]:
    """For each revision, the list as it was by then: an amended step in the words it had, a retired one while it was there.

    ``places``: where today's list has the steps, by their labels.
    """
    texts = files.RecordedTexts(folder, lines)
    away = sums.squashed_away(lines)
    held: dict[str, Step] = {}
    unsettled: set[str] = set()
    history = list(sums.revisions(lines))
    for number, line in enumerate(history):
        if line.kind == "retire":
            held.pop(line.steps[0].label, None)
        elif line.kind != LABEL:
            for recorded, text in zip(line.steps, texts.all(line.revision), strict=True):
                held[recorded.label] = Step(text, id=recorded.label, destructive=True)
        for recorded in line.steps if line.kind != LABEL else ():
            unsettled.discard(recorded.label)
            if not recorded.settled and recorded.label in held:
                unsettled.add(recorded.label)
        early = _settled_by_now(held, unsettled, ground) if unsettled else set()
        early |= _run_again_in(history[number + 1 :]) - {recorded.label for recorded in line.steps}
        steps = tuple(held[label] for label in _as_listed(held, places) if label not in early)
        label = line.steps[0].label if len(line.steps) == 1 else "base"
        goes_on = not _run_again_in(history[number + 1 : number + 2]).isdisjoint(recorded.label for recorded in line.steps)
        yield Point(line.revision, steps, label, line.revision not in away and not goes_on, line.hash)


def _as_listed(labels: Iterable[str], places: Mapping[str, int]) -> list[str]:
    """In today's order; one that is not in the list any more stays behind the one that it followed."""
    at, found = -1, list[tuple[int, str]]()
    for label in labels:
        at = places.get(label, at)
        found.append((at, label))
    return [label for _, label in sorted(found, key=itemgetter(0))]


def _settled_by_now(held: dict[str, Step], unsettled: set[str], ground: Ground) -> set[str]:
    """Steps that could not run when they were exported and now could: a later revision of the same export settles them."""
    begun = ground.foundation.catalog if ground.foundation is not None and ground.in_history else None
    settling = settle(analyse(Registry(tuple(held.values()))), begun)
    impossible = {label for index, label in enumerate(held) if index in settling.unsettled}
    return unsettled - impossible


def _run_again_in(following: Sequence[sums.SumLine]) -> set[str]:
    """Steps that run once more further down: what they do by then is theirs to do there."""
    return {line.steps[0].label for line in following if line.kind == "settle"}
