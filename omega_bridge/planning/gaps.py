"""What the steps and the models promise, held against a world: the live catalog, or what the steps leave of an empty one. Pure.

A step promises what it would still change, and what no later step takes back. Nothing is said of what only the server can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from omega_bridge.analysis import Analysis, StepAnalysis, StepKind, statements
from omega_bridge.analysis.program import ANYTHING, DOUBT, Effect
from omega_bridge.catalog import Catalog, Key, Kind, texts
from omega_bridge.planning.attributes import same
from omega_bridge.planning.evaluate import evaluate
from omega_bridge.planning.settling import settle_in
from omega_bridge.planning.world import World
from omega_bridge.steps import Place
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


MODELS = "models"


class What(StrEnum):
    """``unwanted``: it is there, and a step takes it away."""

    MISSING = "missing"
    DIFFERENT = "different"
    UNWANTED = "unwanted"


@dataclass(frozen=True, slots=True)
class Unkept:
    """A promise that does not hold. ``by``: the step's id, or ``models``. ``attribute`` is set where the object differs."""

    what: What
    key: Key
    by: str
    place: Place = Place()
    attribute: str = ""
    expected: object = None
    found: object = None

    def __str__(self) -> str:
        if self.what is What.DIFFERENT:
            return f"{self.key}: {self.attribute} is {self.found}, not {self.expected}"
        return str(self.key)

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "what": str(self.what),
            "kind": str(self.key.kind),
            "schema": self.key.schema,
            "table": self.key.table or None,
            "name": self.key.name,
            "attribute": self.attribute or None,
            "expected": self.expected,
            "found": self.found,
            "by": self.by,
            "place": str(self.place) if self.place.file else None,
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """``world``: as the list would leave it. ``unkept``: what it would change. ``sent``: steps that would be sent."""

    world: World
    unkept: tuple[Unkept, ...]
    sent: frozenset[str]


def unkept_by_steps(catalog: Catalog, analysis: Analysis) -> tuple[Unkept, ...]:
    """What the list would change in a database, step by step, if it ran to its end."""
    return forecast(catalog, analysis).unkept


def forecast(catalog: Catalog, analysis: Analysis) -> Forecast:
    """What the list would do in a database, step by step, if it ran to its end."""
    settling = settle_in(World(catalog), analysis)
    world, provided = World(catalog), analysis.provided()
    first: dict[Key, StepAnalysis] = {}
    last: dict[Key, StepAnalysis] = {}
    found: list[Unkept] = []
    sent: set[str] = set()
    for step in (analysis.steps[i] for i in settling.order):
        if step.kind is StepKind.DATA:
            continue
        mark = world.mark()
        outcome = evaluate(step.program, world, provided)
        if not outcome.is_nothing:
            sent.add(step.id)
        need = outcome.fails or outcome.swallowed
        if need is not None:
            world.rollback(mark)
            if not outcome.unknown:  # what is not understood may have made it
                is_part = need.table and world.find(Key(Kind.TABLE, need.schema, "", need.table))
                found.append(Unkept(What.MISSING, world.place(need) if is_part else need, step.id, step.step.place))
            continue
        touched = dict.fromkeys(world.touched(mark), step)
        first, last = {**touched, **first}, {**last, **touched}
        found += [Unkept(What.MISSING, world.place(e.key), step.id, step.step.place) for e in outcome.unmet]
    spoken_of = _spoken_of(world, analysis)
    for key, step in last.items():
        before, after = catalog.get(key), world.get(key)
        if after is not None and after.get(DOUBT):
            continue
        if before is not None:
            found += _compared(key, before, after, step, is_spoken_of=key in spoken_of)
        elif after is not None and key in spoken_of and not _goes_along(catalog, key, after):
            found.append(Unkept(What.MISSING, key, first[key].id, first[key].step.place))
    return Forecast(world, _each_once(found), frozenset(sent))


def _goes_along(catalog: Catalog, key: Key, attributes: Mapping[str, Any]) -> bool:
    """Whether it is an index of a table that is missing itself."""
    table = attributes.get("table", "")
    return key.kind is Kind.INDEX and not any(catalog.named(kind, table) for kind in (Kind.TABLE, Kind.MATERIALIZED_VIEW))


def _spoken_of(world: World, analysis: Analysis) -> frozenset[Key]:
    """The objects that statements are about, without what only comes along."""
    return frozenset(world.place(e.key) for step in analysis for s in statements(step.program) for e in s.effects)


def _compared(
    key: Key, before: Mapping[str, Any], after: Mapping[str, Any] | None, step: StepAnalysis, *, is_spoken_of: bool
) -> Iterator[Unkept]:
    place = step.step.place
    if after is None:
        if is_spoken_of or key.kind is Kind.COLUMN:
            yield Unkept(What.UNWANTED, key, step.id, place)
        return
    for name, value in after.items():
        if name in before and before[name] != value and same(key, name, before, value) is False:
            yield Unkept(What.DIFFERENT, key, step.id, place, name, value, before[name])


def unkept_by_models(world: World, models: Analysis) -> tuple[Unkept, ...]:
    """The models' tables, columns and enum labels that a world lacks, or has otherwise.

    ``models`` has a step for each table. A column's default is compared where the model gives the server one.
    """
    found: list[Unkept] = []
    for step in models:
        for s in statements(step.program):
            for effect in s.effects:
                if effect.present and effect.key.kind is Kind.TABLE and world.find(effect.key) is None:
                    found.append(Unkept(What.MISSING, world.place(effect.key), MODELS))
            if s.tag in (Tag.CREATE, Tag.CREATE_ENUM):
                found += [unkept for effect in s.implied for unkept in _held(world, effect)]
    return _each_once(found)


def _held(world: World, effect: Effect) -> Iterator[Unkept]:
    key = world.place(effect.key)
    if key.kind is Kind.COLUMN and "type" in dict(effect.attributes):
        if world.has(Key(Kind.TABLE, key.schema, "", key.table)) and world.has(key) is False:
            yield Unkept(What.MISSING, key, MODELS)
            return
        attributes = world.get(key) or {}
        for name, value in effect.attributes:
            compared = name in ("type", "nullable") or (name == "default" and value is not None)
            if compared and attributes.get(name, ANYTHING) is not ANYTHING and same(key, name, attributes, value) is False:
                yield Unkept(What.DIFFERENT, key, MODELS, Place(), name, value, attributes[name])
    elif key.kind is Kind.ENUM:
        there = (world.get(key) or {}).get("labels")
        wanted = texts(dict(effect.attributes).get("labels"))
        if there is not None and (lacking := [label for label in wanted if label not in texts(there)]):
            yield Unkept(What.DIFFERENT, key, MODELS, Place(), "labels", [*texts(there), *lacking], there)


def unclaimed(catalog: Catalog, analyses: Iterable[Analysis]) -> tuple[Key, ...]:
    """What only the database has: tables and views that nothing names, and columns that nothing names of tables that it makes.

    Looked for in the schemas of the ``search_path``.
    """
    named: set[tuple[str, str]] = set()
    made: set[str] = set()
    for s in (s for analysis in analyses for step in analysis for s in statements(step.program, handlers=True)):
        for key in (*(e.key for e in (*s.effects, *s.implied)), *s.needs, *s.destroys):
            named.add((key.table, key.name))
            named.add(("", key.table))
        if s.tag == Tag.CREATE:
            made.update(e.key.name for e in s.effects)
    found = []
    for key, attributes in catalog.objects.items():
        if key.schema not in catalog.search_path or (key.table, key.name) in named:
            continue
        is_part = bool(attributes.get("partition_bound") or attributes.get("inherits"))
        is_relation = key.kind in (Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW) and not is_part
        if is_relation or (key.kind is Kind.COLUMN and key.table in made):
            found.append(key)
    return tuple(sorted(found))


def _each_once(found: Iterable[Unkept]) -> tuple[Unkept, ...]:
    """One line an object and attribute; what is missing is missing whoever promised it, with all that hangs on it."""
    first: dict[tuple[Key, str], Unkept] = {}
    for unkept in found:
        first.setdefault((unkept.key, unkept.attribute), unkept)
    gone = {u.key.name for u in first.values() if u.what is What.MISSING and u.key.kind is Kind.TABLE}
    return tuple(u for u in first.values() if not (u.what is What.MISSING and u.key.table in gone))


def together(*several: tuple[Unkept, ...]) -> tuple[Unkept, ...]:
    """The promises of several sides, each object once, by name."""
    return tuple(sorted(_each_once(u for found in several for u in found), key=lambda u: (u.key.table or u.key.name, u.key)))
