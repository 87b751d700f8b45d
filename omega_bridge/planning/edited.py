"""Where an edited list makes a fresh database another than one that lived through the texts before. Found in thought: what is in doubt
makes no claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omega_bridge.analysis import Analysis, StepAnalysis
from omega_bridge.catalog import Attributes, Catalog, Difference, Key, Kind, texts
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.restoring import quoted, removed, restored
from omega_bridge.kinds.room import Compared
from omega_bridge.planning.attributes import same
from omega_bridge.planning.evaluate import evaluate
from omega_bridge.planning.settling import empty_catalog, settle_in
from omega_bridge.planning.world import World, is_anything
from omega_bridge.sql import identifier
from omega_bridge.tags import Tag

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject, Value


@dataclass(frozen=True, slots=True)
class Split:
    """What the two do not share; ``None``: not there. ``step``: by whose text, ``append``: a further step after which both are alike."""

    step: str
    object: str
    attribute: str
    fresh: Value
    lived: Value
    append: str

    def __str__(self) -> str:
        if not self.attribute:
            where = "is in a fresh database alone" if self.lived is None else "is in databases that lived through the past alone"
            return f"{self.object} {where}"
        return f"{self.object}: {self.attribute} is {self.fresh} in a fresh database, {self.lived} in one that lived through the past"

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "step": self.step,
            "object": self.object,
            "attribute": self.attribute,
            "fresh": self.fresh,
            "lived": self.lived,
            "append": self.append,
        }


def splits(past: Iterable[StepAnalysis], analysis: Analysis, ground: Catalog | None = None) -> Iterator[Split]:
    """What differs once starts have run today's list on both. ``past``: every text that databases lived through, in order."""
    past = tuple(past)
    below = ground if ground is not None else empty_catalog()
    lived, fresh = World(below), World(below)
    provided = analysis.provided()
    made: dict[Key, str] = {}
    for step in (*past, *analysis, *analysis):
        mark = lived.mark()
        evaluate(step.program, lived, provided)
        made.update(dict.fromkeys((key for key, then in lived.touched(mark).items() if then is None), step.id))
    settle_in(fresh, analysis)
    found: dict[tuple[Key, str], Split] = {}
    for step in analysis:
        for difference in _promised(step, fresh, lived):
            found.setdefault((difference.key, difference.attribute), _split(step.id, difference, fresh))
    for key, step_id in made.items():
        if lived.has(key) is True and fresh.has(key) is False and _stands(key, fresh):
            found.setdefault((key, ""), _split(step_id, Difference(key, "", None, _shown(lived, key)), fresh))
    doubtful = {other for step in (*past, *analysis) for other in _renamed_along(step)}
    yield from (split for (key, _), split in found.items() if _stands(key, lived) and (key.kind, key.name) not in doubtful)


def _renamed_along(step: StepAnalysis) -> Iterator[tuple[Kind, str]]:
    """A key's index and constraint are renamed as one; whether there are two, the text does not say."""
    other = {Kind.CONSTRAINT: Kind.INDEX, Kind.INDEX: Kind.CONSTRAINT}
    for s in step.reading.statements:
        if s.tag == Tag.RENAME:
            yield from ((other[e.key.kind], e.key.name) for e in s.effects if e.key.kind in other)


def _promised(step: StepAnalysis, fresh: World, lived: World) -> Iterator[Difference]:
    """What the step makes true of a fresh database, and not of the other."""
    for effect in (e for s in step.reading.statements for e in (*s.effects, *s.implied) if e.present):
        key, other = fresh.find(effect.key), lived.find(effect.key)
        if key is None or fresh.has(effect.key) is not True or lived.has(effect.key) is None:
            continue
        if other is None:
            yield Difference(key, "", _shown(fresh, key), None)
            continue
        here, there = fresh.get(key) or {}, lived.get(other) or {}
        for name, value in effect.attributes:
            if same(key, name, here, value) is True and _is_other(other, name, there, value):
                yield Difference(key, name, here.get(name), there.get(name))


def _is_other(key: Key, name: str, there: Mapping[str, Any], value: Any) -> bool:
    """Whether an attribute is not what a text says. Definitions are two texts here, neither of them printed by a server.

    What got its name by a rename has attributes that no text has told.
    """
    if key.kind in (Kind.COLUMN, Kind.CONSTRAINT) and name != "comment" and "type" not in there:
        return False
    if key.kind is Kind.INDEX and "definition" not in there:
        return False
    if key.kind is Kind.INDEX and name == "constraint":
        return False  # one of that name may have come with a constraint's, or become it
    if any("USING INDEX" in str(one) for one in (there.get(name), value)):
        return False  # what it is is the index's to say
    answer = same(key, name, there, value)
    is_written = ROOMS[key.kind].compared.get(name) in (Compared.INDEX, Compared.CONSTRAINT)
    return answer is False or (answer is None and is_written and isinstance(there.get(name), str) and isinstance(value, str))


def _split(step: str, difference: Difference, fresh: World) -> Split:
    has_table = not difference.key.table or _stands(difference.key, fresh)
    append = appended(difference, _shown(fresh, difference.key), has_table=has_table)
    return Split(step, str(difference.key), difference.attribute, difference.left, difference.right, append)


def _stands(key: Key, world: World) -> bool:
    """Whether it is no part of a table, or of one that is there: what goes with a table is not told beside it."""
    return not key.table or world.has(Key(Kind.TABLE, key.schema, "", key.table)) is not False


def _shown(world: World, key: Key) -> dict[str, Any] | None:
    attributes = world.get(key)
    if attributes is None:
        return None
    return {name: value for name, value in attributes.items() if not is_anything(value)}


def told(found: Iterable[Split]) -> str:
    """Lines for people; empty where there is nothing to tell."""
    lines = []
    for split in found:
        lines.append(
            f"a fresh database is not as one that lived through the past: step {split.step or '(none of today)'}: {split}"
        )
        if split.append:
            lines.append(f"  append: {split.append}")
    return "\n".join(lines)


# --- what to append ----------------------------------------------------------------------------------------------


def appended(difference: Difference, fresh: Attributes | None, *, has_table: bool = True) -> str:
    """The statement after which a database that lived through the past is as a fresh one; or a fresh one as those, where rows would go.

    ``fresh``: the object's attributes there. Of a part of a table that the fresh one lacks nothing: it goes with its table.
    """
    key = difference.key
    if not has_table:
        return ""
    if difference.attribute == "labels":
        new = [label for label in texts(difference.left) if label not in texts(difference.right)]
        name = identifier(key.schema, key.name)
        return "; ".join(f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {quoted(label)}" for label in new)
    if difference.attribute:
        return restored(key, fresh, difference.attribute)
    if difference.left is None and key.kind not in _HOLDS_ROWS:
        return removed(key)
    return _GUARDED.sub(r"\1 IF NOT EXISTS", restored(key, _whole(difference.left) or _whole(difference.right)), count=1)


def _whole(side: object) -> Attributes | None:
    return side if isinstance(side, Mapping) else None


_HOLDS_ROWS = frozenset({Kind.TABLE, Kind.COLUMN, Kind.SCHEMA, Kind.SEQUENCE})
_GUARDED = re.compile(r"(ADD COLUMN|CREATE (?:UNIQUE )?INDEX|CREATE SEQUENCE|CREATE SCHEMA|CREATE TABLE)(?! IF NOT EXISTS)")
