"""Schema drift: a live database against the schema that the list and the models lead to. Read-only.

What is expected was made by PostgreSQL itself; only for steps that it rejected there, and for what models alone say, is the text
of the promise compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from omega_bridge.analysis import Analysis, with_escapes
from omega_bridge.analysis.program import DOUBT
from omega_bridge.audit.since import RightThen, Since, changed, since_last_start
from omega_bridge.catalog import Catalog, Key, Kind, texts
from omega_bridge.expectation import Compared, Departure, Expectation, What, compare, moved, owned_by_others, whole_of
from omega_bridge.expected_grants import grants_of
from omega_bridge.kinds.privileges import granted
from omega_bridge.kinds.restoring import restored
from omega_bridge.planning.attributes import same
from omega_bridge.planning.gaps import MODELS, Forecast, Unkept, forecast, together, unkept_by_models
from omega_bridge.planning.grantees import Grantees, changed_roles
from omega_bridge.planning.made_here import MadeHere
from omega_bridge.planning.meant import asked
from omega_bridge.planning.words import words_of
from omega_bridge.planning.world import World, is_anything
from omega_bridge.postgres.catalog_store import Seen
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.of_server import read_against
from omega_bridge.postgres.printing import takes_escapes
from omega_bridge.postgres.runner import runs_as
from omega_bridge.postgres.session import open_session
from omega_bridge.postgres.uncompared import uncompared
from omega_bridge.postgres.undone import left_undone
from omega_bridge.revisions.models import is_model
from omega_bridge.sql import identifier
from omega_bridge.sql.moments import is_same_moment
from omega_bridge.steps import Place

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject, KeptStanding


@dataclass(frozen=True, slots=True)
class Drifted:
    """One difference. ``by``: the step that makes it so, or ``models``; empty where that is not known.

    ``is_repaired``: whether the next start puts it back, as far as that is known without trying. ``instead``: SQL that puts it back
    where no start will: to be appended to the list. ``last_right``: when the last start was, where it saw it as it should be.
    """

    what: What
    key: Key
    attribute: str = ""
    expected: object = None
    found: object = None
    by: str = ""
    place: Place = Place()
    is_repaired: bool | None = None
    instead: str = ""
    last_right: str = ""

    @property
    def departure(self) -> Departure:
        """The difference by itself."""
        return Departure(self.what, self.key, self.attribute, self.expected, self.found)

    def __str__(self) -> str:
        return str(self.departure)

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "what": str(self.what),
            "object": str(self.key),
            "kind": str(self.key.kind),
            "schema": self.key.schema,
            "table": self.key.table or None,
            "name": self.key.name,
            "attribute": self.attribute or None,
            "expected": self.expected,
            "found": self.found,
            "by": self.by or None,
            "place": str(self.place) if self.place.file else None,
            "repaired_at_start": self.is_repaired,
            "append": self.instead or None,
            "last_seen_right": self.last_right or None,
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """``differences``: what is otherwise than list and models lead to. ``unclaimed``: what only the database has; that is no drift.

    ``standing``: steps of the list that the last start left failed, refused or without effect. ``unseen``: what was not looked at, and why.
    """

    differences: tuple[Drifted, ...]
    unclaimed: tuple[Key, ...]
    standing: tuple[KeptStanding, ...] = ()
    unseen: tuple[str, ...] = ()
    since: Since | None = field(default=None, compare=False)
    """What has changed since the last start; ``None`` where what it saw is not on record."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs, and nothing stands failed."""
        return not self.differences and not self.standing

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "differences": [d.as_dict() for d in self.differences],
            "unclaimed": [
                {"kind": str(k.kind), "schema": k.schema, "table": k.table or None, "name": k.name} for k in self.unclaimed
            ],
            "standing": list(self.standing),
            "not_looked_at": list(self.unseen),
            "since_last_start": self.since.as_dict() if self.since is not None else None,
        }


def drift(database: object, analysis: Analysis, models: Analysis, expected: Expectation) -> Drift:
    """Compare a database with what is ``expected``, and with the models (an analysis with a step for each table, or an empty one).

    Raises ``DatabaseUnreachable``, ``AuthenticationFailed``.
    """
    with open_session(normalise(database)) as session:
        connection = session.connection
        if takes_escapes(connection):
            analysis, models = with_escapes(analysis), with_escapes(models)
        found = read_against(connection, expected)
        role = runs_as(connection)
        last = since_last_start(session)
        standing = left_undone(connection, {s.id: s.checksum for s in analysis})
        beside = uncompared(connection, analysis, found)
    expected = moved(expected, found, role)
    here = _only_rejected_there(expected, standing)
    grantees = Grantees.of(here, analysis)
    made_here = MadeHere.of(here, found, analysis)
    recorded = last[0].catalog if last is not None else None
    seen = made_here.set_apart(grantees.set_apart(compare(expected, found, role)), found, recorded)
    ahead = forecast(found, analysis)
    differences: tuple[Drifted, ...] = (
        *_explained(seen, found, analysis, ahead, expected),
        *_by_promise(seen, found, models, ahead, here),
    )
    if last is not None:
        was_right = RightThen.of(last[0], expected, found, role)
        differences = tuple(replace(d, last_right=last[1].at) if was_right(d.departure) else d for d in differences)
        differences += tuple(
            _changed_since(
                *last, analysis, expected, {(d.key, d.attribute) for d in differences}, grantees, made_here, seen.apart, role
            )
        )
    made = last[0].made if last is not None else {}
    known = {step.id for step in analysis if made.get(step.checksum)}
    unseen = (
        *seen.unseen,
        *_owners(expected, found, role, made_here),
        *(
            f"what step {name} makes: on a scratch database it fails: {why}{asked(why, expected.catalog)}"
            for name, why in expected.rejected.items()
            if name not in known
        ),
        *beside,
    )
    there = frozenset().union(*made.values())
    beyond = tuple(key for key in seen.beyond if _named(key) not in there)
    return Drift(differences, beyond, standing, unseen, last[1] if last is not None else None)


def _owners(expected: Expectation, found: Catalog, role: str, made_here: MadeHere) -> Iterator[str]:
    for owner, every in owned_by_others(expected, found, role).items():
        keys = [key for key in sorted(every) if made_here.way(key, "owner", owner) is None]
        if keys:
            told = f"{keys[0]}{f' and {len(keys) - 1} more' if len(keys) > 1 else ''}"
            yield f"{told}: the owner is {owner}, who does not run the list, and no step says whose they are"


def _explained(seen: Compared, found: Catalog, analysis: Analysis, ahead: Forecast, expected: Expectation) -> Iterator[Drifted]:
    steps = {step.id: step for step in analysis}
    last = _setters(analysis, expected)
    unread = _unread(analysis, ahead)
    unwanted = {u.key: u for u in ahead.unkept if str(u.what) == What.UNWANTED}
    for departure in seen.departures:
        key = departure.key
        if departure.what is What.ADDED and key in unwanted:
            promise = unwanted[key]
            yield Drifted(What.UNWANTED, key, by=promise.by, place=promise.place, is_repaired=True)
            continue
        by = last.get((key, departure.attribute)) or expected.maker(key)
        if not by and departure.what is What.ADDED:
            by = next(filter(None, map(expected.maker, _of_a_list(key, found, expected))), "")
        step = steps.get(by)
        is_repaired = False if departure.what is What.ADDED else _is_repaired(departure, found, ahead, by)
        if is_repaired is False and departure.what is not What.ADDED and any(_words(key) <= words for words in unread):
            is_repaired = None
        yield Drifted(
            departure.what, key, departure.attribute, departure.expected, departure.found,
            MODELS if step is not None and is_model(step.step) else by if step is not None else "",
            step.step.place if step is not None and not is_model(step.step) else Place(),
            is_repaired,
            _instead(departure, found, expected) if is_repaired is False and departure.what is not What.ADDED else "",
        )  # fmt: skip


def _of_a_list(key: Key, found: Catalog, expected: Expectation) -> Iterator[Key]:
    """What of the list an object hangs on that only the database has: its relation, its server, another routine of its name."""
    yield from whole_of(key, found.objects[key]) or ()
    if key.kind is Kind.FUNCTION:
        yield from (k for k in expected.catalog if k.kind is Kind.FUNCTION and _named(k) == _named(key))


def _instead(departure: Departure, found: Catalog, expected: Expectation) -> str:
    """SQL that puts it back; empty where none is known."""
    key, attributes = departure.key, expected.catalog.get(departure.key)
    if departure.attribute == "default" and (again := _called_as_before(departure, found, expected.catalog)):
        return again
    if departure.attribute == "grants":
        owner = found.objects[key].get("owner")
        return granted(key, texts(departure.expected), texts(departure.found), str(owner) if owner is not None else None)
    if attributes is not None and key in expected.owned:
        attributes = {**attributes, "owner": expected.owned[key]}
    return restored(key, attributes, departure.attribute)


def _called_as_before(departure: Departure, found: Catalog, expected: Catalog) -> str:
    """The way back from a renamed sequence of a column, of whose new name its default tells; "" for any other default."""
    was, now = _sequences(expected, departure.key), _sequences(found, departure.key)
    if len(was) != 1 or len(now) != 1 or was[0] in found or was[0].schema != now[0].schema:
        return ""
    if was[0].name not in str(departure.expected) or now[0].name not in str(departure.found):
        return ""
    return f"ALTER SEQUENCE IF EXISTS {identifier(now[0].schema, now[0].name)} RENAME TO {identifier(was[0].name)}"


def _sequences(catalog: Catalog, column: Key) -> list[Key]:
    owner = f"{column.table}.{column.name}"
    return [
        k
        for k in catalog
        if k.kind is Kind.SEQUENCE and k.schema == column.schema and catalog.objects[k].get("owned_by") == owner
    ]


def _unread(analysis: Analysis, ahead: Forecast) -> tuple[frozenset[str], ...]:
    """The words of each statement that the next start sends without knowing what it sets: its object may be one that it names."""
    return tuple(
        frozenset(words_of(s.text)) for step in analysis if step.id in ahead.sent for s in step.reading.statements if s.opaque
    )


def _words(key: Key) -> frozenset[str]:
    return frozenset(words_of(f"{key.table} {key.name.partition('(')[0]}"))


def _setters(analysis: Analysis, expected: Expectation) -> dict[tuple[Key, str], str]:
    """The last step that sets each attribute, as far as the list was read."""
    world = World(expected.catalog)
    found: dict[tuple[Key, str], str] = {}
    for step in analysis:
        for effect in (e for s in step.reading.statements for e in (*s.effects, *s.implied) if e.present):
            key = world.find(effect.key)
            if key is not None:
                found.update(((key, name), step.id) for name, _ in effect.attributes)
    return found


def _is_repaired(departure: Departure, found: Catalog, ahead: Forecast, by: str) -> bool | None:
    """Whether the list, run to its end here, would make it as it should be; ``None`` where only the server can tell."""
    then = ahead.world.get(departure.key)
    if then is not None and then.get(DOUBT):
        return None
    if departure.what is What.MISSING:
        return True if then is not None else None if by in ahead.sent or not by else False
    if then is None or not by or departure.key.kind is Kind.INDEX:
        return None
    now, value = found.objects[departure.key].get(departure.attribute), then.get(departure.attribute)
    if is_anything(value) or value == now:
        return None if by in ahead.sent else False
    is_as_expected = same(departure.key, departure.attribute, {departure.attribute: departure.expected}, value)
    return None if is_as_expected and _is_comment_of_hand(departure) else is_as_expected


def _is_comment_of_hand(departure: Departure) -> bool:
    """A comment where no step has one: it goes where the list makes the object anew, and no start looks again for its sake."""
    return departure.attribute == "comment" and departure.expected is None


def _by_promise(seen: Compared, found: Catalog, models: Analysis, ahead: Forecast, expected: Expectation) -> Iterator[Drifted]:
    """What could not be looked for on the scratch database: promises of steps that it rejected, and of models alone."""
    told = {(d.key, d.attribute) for d in seen.departures} | {(d.key, "") for d in seen.departures if d.what is What.MISSING}
    rejected = tuple(u for u in ahead.unkept if u.by in expected.rejected)
    for unkept in together(rejected, unkept_by_models(World(found), models)):
        if (unkept.key, unkept.attribute) not in told and (unkept.key, "") not in told and not _is_expected(unkept, expected):
            is_repaired = False if unkept.by == MODELS else None
            yield Drifted(
                What(str(unkept.what)),
                unkept.key,
                unkept.attribute,
                unkept.expected,
                unkept.found,
                unkept.by,
                unkept.place,
                is_repaired,
            )


def _changed_since(
    seen: Seen,
    since: Since,
    analysis: Analysis,
    expected: Expectation,
    told: Set[tuple[Key, str]],
    grantees: Grantees,
    made_here: MadeHere,
    apart: Set[tuple[Key, str]],
    role: str,
) -> Iterator[Drifted]:
    """What is gone or otherwise since the last start, of what a step left behind when it ran here, and nobody else knows of: what an unread
    statement names that PostgreSQL rejected on scratch, what a step of unknown effect made that is not what the list leads to there, what
    a statement says that may run on one server alone, what roles may do that had nothing there, and what was set ``apart`` for the servers' sake.
    """
    rejected = [step for step in analysis if step.id in expected.rejected]
    named = [(step, frozenset(words_of(s.text))) for step in rejected for s in step.reading.statements if s.opaque]
    makers = {name: step for step in analysis for name in seen.made.get(step.checksum, ())}
    gone = {change.key for change in since.changes if not change.attribute and change.right is None}
    for change in since.changes:
        if not told.isdisjoint({(change.key, change.attribute), (change.key, "")}):
            continue
        if changed(change) == "new":
            if (by := made_here.taken.get(change.key)) is not None and change.key in expected.catalog:
                yield Drifted(What.UNWANTED, change.key, by=by.id, place=by.step.place, last_right=since.at)
            elif (by := made_here.table_maker(change.key, change.right)) is not None:
                yield Drifted(What.ADDED, change.key, by=by.id, place=by.step.place, is_repaired=False, last_right=since.at)
            continue
        left, right = (change.left, change.right) if change.attribute else (None, None)
        by = None
        if change.attribute == "grants":
            attributes = seen.catalog.objects[change.key]
            left, right = (grants_of(change.key, {**attributes, "grants": items}, role) for items in (left, right))
            roles = changed_roles(left, right)
            by = next(iter(grantees.givers(change.key, roles).values()), None) or grantees.sayer(change.key, roles)
        if by is None and change.left is not None:
            by = next((step for step, words in named if _words(change.key) <= words), None)
        if by is None and change.key in seen.catalog:
            by = made_here.changed(change.key, change.attribute, seen.catalog.objects[change.key])
        if by is None and change.left is not None and change.key not in expected.catalog:
            by = makers.get(_named(change.key))
        is_apart = (change.key, change.attribute) in apart and not is_same_moment(left, right)
        if by is None and is_apart:
            by = next((step for step in analysis if step.id == expected.maker(change.key)), None)
        whole = whole_of(change.key, seen.catalog.objects.get(change.key, {}))
        is_told = (whole is not None and not gone.isdisjoint(whole)) or (change.attribute and left == right)
        if is_told or (by is None and not is_apart):
            continue
        what = What.DIFFERENT if change.attribute else What.MISSING
        name, place = (by.id, by.step.place) if by is not None else ("", Place())
        yield Drifted(what, change.key, change.attribute, left, right, name, place, None, last_right=since.at)


def _named(key: Key) -> tuple[str, str]:
    """The schema and name of an object, or of what it is a part of."""
    return key.schema, key.table or key.name.partition("(")[0]


def _only_rejected_there(expected: Expectation, standing: Iterable[KeptStanding]) -> Expectation:
    """Without the steps that fail here, too: they are told as what stands failed."""
    failed = {s["id"] for s in standing}
    return replace(expected, rejected={k: v for k, v in expected.rejected.items() if k not in failed})


def _is_expected(unkept: Unkept, expected: Expectation) -> bool:
    """Whether the list leads to just what the models are said not to have: their difference is not the database's."""
    there = expected.catalog.get(unkept.key)
    return there is not None and unkept.what != "missing" and there.get(unkept.attribute) == unkept.found
