"""The list's past, prefix after prefix: a start for each list that it had, beside an upgrade to each revision; what differs after each.

Prefixes grow in the chain's order, which is the one in which a start of an empty database settles the steps; each is a list in the order
of today's, as the starts that ran it had it. Both databases are read whole at the beginning and at the end, and in between where something was written.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from omega_bridge.analysis import analyse
from omega_bridge.analysis.reaching import may_meet_another, may_reach_elsewhere
from omega_bridge.audit.beside import beside
from omega_bridge.audit.by_hand import by_hand_in
from omega_bridge.audit.grounds import Ground
from omega_bridge.audit.lived import begins_anew, lived
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
        ahead = points[skipped:]
        loaded = [(p.revision, p.label) for p in ahead if p.is_loaded]
        is_plain = not written.blocks and not begins_anew(texts)
        task = _Starts(left, ahead, texts)
        looks = (
            _in_a_process(task)
            if is_plain and len(ahead) >= WORTH_A_PROCESS and _share_nothing(texts)
            else closing(task.looks(lambda revision: written.ahead_of(revision, left)))
        )
        with looks as starts, right.session() as session:
            compared = _Compared(Follower(session.connection))
            walk = _Walk(starts, ahead, compared, advance, alike)
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


# --- the starts ------------------------------------------------------------------------------------------------

WORTH_A_PROCESS = 50
"""For so many starts a process of their own takes less time than it costs to begin."""

_Look: TypeAlias = "tuple[Catalog, Names] | None"
"""What the database of the starts is like at a point, and under which names anything was read anew; at one that is not loaded, nothing."""


@dataclass(frozen=True, slots=True)
class _Starts:
    """A start for each of these points, one after the other. ``texts``: of all steps that there ever were."""

    database: ScratchDatabase
    points: Sequence[Point]
    texts: frozenset[str]

    def looks(self, ahead_of: Callable[[str], object]) -> Generator[_Look, None, None]:
        """``ahead_of``: runs what was written by hand right before a revision."""
        with self.database.session() as session, lived(self.database, self.texts) as starts:
            follower = Follower(session.connection)
            for number, point in enumerate(self.points, start=1):
                ahead_of(point.revision)
                starts.start(point.steps, whole=number == len(self.points))
                yield (follower.look(), follower.changed()) if point.is_loaded else None


def _share_nothing(texts: Iterable[str]) -> bool:
    """Whether it cannot matter for these which of two databases of one server takes them first."""
    return not any(may_meet_another(text) or may_reach_elsewhere(text) for text in texts)


@contextmanager
def _in_a_process(starts: _Starts) -> Iterator[Iterator[_Look]]:
    """The same looks, of which each comes as what is new in it."""
    with beside(_sent, starts) as sent:
        yield _received(sent)


_Sent: TypeAlias = "tuple[dict[str, Any], Names] | None"


def _sent(starts: _Starts) -> Iterator[_Sent]:
    for look in starts.looks(lambda _revision: None):
        yield look and _new(*look)


def _new(catalog: Catalog, names: Names) -> tuple[dict[str, Any], Names]:
    """The arguments of a catalog that holds what was read under these names."""
    there = catalog.objects
    objects = dict(there) if names is None else {key: there[key] for key in catalog.concerned(names)}
    rest = {name: getattr(catalog, name) for name in ("search_path", "server_version", "hidden", "sees_all")}
    return {"objects": objects, **rest}, names


def _received(sent: Iterator[_Sent]) -> Iterator[_Look]:
    catalog = Catalog({})
    for one in sent:
        if one is None:
            yield None
            continue
        (arguments, names) = one
        catalog = Catalog(**arguments) if names is None else catalog.patched(Catalog(**arguments), names)
        yield catalog, names


# --- compared --------------------------------------------------------------------------------------------------


@dataclass
class _Compared:
    """The database of the upgrades, compared with looks at that of the starts where something was written in either; and what was found."""

    right: Follower
    differences: list[Unlike] = field(default_factory=list)
    order_only: list[Unlike] = field(default_factory=list)
    apart: Names = None
    """The names of what was not alike when it was compared last; ``None``: nothing was yet."""

    def compare(self, boot: Catalog, changed: Names, point: Point) -> None:
        """As they are now, at one of the revisions."""
        alembic = self.right.look()
        near = together(self.apart, together(changed, self.right.changed()))
        found = diff(boot, alembic, among=near)
        moved = () if found else diff(boot, alembic, ignore=frozenset(), among=near)
        self.apart = frozenset(n for d in (*found, *moved) for n in (d.key.table, d.key.name.partition("(")[0]) if n)
        self.differences += [_unlike(d, point) for d in found]
        self.order_only += [_unlike(d, point) for d in moved]


@dataclass
class _Walk:
    """Starts, one for each point, as far as the upgrades have got."""

    starts: Iterator[_Look]
    points: Sequence[Point]
    compared: _Compared
    advance: Callable[[int], Any]
    alike: Callable[[str], object]
    done: int = 0

    def to(self, revision: str) -> None:
        """The upgrades stand at this revision: take the starts up to there, and compare."""
        while self.done < len(self.points):
            point, look = self._start()
            if look is not None and point.revision == revision:
                self.compared.compare(*look, point)
                if not self.compared.differences:
                    self.alike(revision)
                break

    def to_the_end(self) -> None:
        """What no revision that is loaded stands for any more; and that the starts are through."""
        while self.done < len(self.points):
            self._start()
        for _ in self.starts:
            raise AssertionError("there are more starts than points")

    def _start(self) -> tuple[Point, _Look]:
        point = self.points[self.done]
        for look in self.starts:
            self.done += 1
            self.advance(1)
            return point, look
        raise AssertionError("there are fewer starts than points")


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
