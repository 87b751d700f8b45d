"""What a text alone says: program, kind, names, label, and what follows from them. Found once for a text, and kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from omega_bridge import sql
from omega_bridge.analysis.dependencies import Dependencies, dependencies
from omega_bridge.analysis.program import (
    Compared,
    Condition,
    Effect,
    Exists,
    Handled,
    If,
    Not,
    Pattern,
    Program,
    Sql,
    conditions,
    is_decidable,
    patterns,
    statements,
)
from omega_bridge.catalog import Key, Kind
from omega_bridge.discarding import discards_all
from omega_bridge.errors import StepSyntaxError
from omega_bridge.kinds import READ
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass


class StepKind(StrEnum):
    """How a step is judged: by the catalog, by running it at every boot, or by running it when something changed."""

    SCHEMA = "schema"
    DATA = "data"
    MIXED = "mixed"


@dataclass(frozen=True)
class Reading:
    """A text's program and kind. ``problem`` is set where it does not parse: the program is then the text, opaque.

    ``named``: identifiers that are known of it, beyond those of its program.
    """

    text: str
    program: Program
    kind: StepKind
    problem: StepSyntaxError | None = None
    named: frozenset[str] = frozenset()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Program:
            """The program of one that was kept, when it is asked for: of most steps of a list nobody does."""
            if name != "program" or "_kept" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            try:
                program = self.__dict__["_kept"]()
            except ValueError:  # no program is written like this
                program = _read(self.text).program
            self.__dict__["program"] = program
            del self.__dict__["_kept"]
            return program

    @cached_property
    def statements(self) -> tuple[Sql, ...]:
        """Every statement, those in handlers included."""
        return tuple(statements(self.program, handlers=True))

    @cached_property
    def is_certain(self) -> bool:
        """Whether every statement of it, and every guard, is read."""
        return not any(s.opaque for s in self.statements) and all(map(is_decidable, conditions(self.program)))

    @cached_property
    def size(self) -> int:
        """How many statements it has, without those in handlers."""
        return sum(1 for _ in statements(self.program))

    @cached_property
    def names(self) -> frozenset[str]:
        """The identifiers that it, or a guard of it, names."""
        return self.named.union(_names_of(self.statements, self.program))

    @cached_property
    def taken_away(self) -> frozenset[str]:
        """The names of what it takes away, a function's without its arguments."""
        return frozenset(e.key.name.partition("(")[0] for s in self.statements for e in s.effects if not e.present)

    @cached_property
    def changes(self) -> frozenset[str]:
        """The names of what it makes, changes or takes away, and of the tables whose parts that are."""
        keys = (k for s in self.statements for k in (*(e.key for e in (*s.effects, *s.implied)), *s.destroys))
        return frozenset(name for key in keys for name in _names(key)) | self.taken_away

    @cached_property
    def label(self) -> str | None:
        """From what it does; ``None`` where that is not known."""
        return _label(self.program) or _label_of_batches(self.text)

    @cached_property
    def checksum(self) -> str:
        """Of its canonical form."""
        return sql.checksum(self.text)

    @cached_property
    def provides(self) -> frozenset[tuple[Kind, str]]:
        """Kind and name of everything that it makes."""
        return frozenset(
            (e.key.kind, e.key.name.partition("(")[0] if e.key.kind is Kind.FUNCTION else e.key.name)
            for s in self.statements
            for e in (*s.effects, *s.implied)
            if e.present
        )

    @cached_property
    def hangs_on_the_rest(self) -> bool:
        """Whether it may mean objects that it does not name: it computes statements, or its guard is not understood."""
        return any(s.opaque for s in statements(self.program)) or not all(map(is_decidable, conditions(self.program)))

    @cached_property
    def only_sets(self) -> bool:
        """Whether it only sets what later steps run under: it has no work of its own."""
        if self.problem is not None:
            return False
        found = sql.parse(self.text)
        return bool(found) and (discards_all(self.text) or all(s.tag == Tag.VARIABLE_SET for s in found))

    @cached_property
    def leaves_settings(self) -> bool:
        """Whether it sets, beyond its own transaction, what later steps run under; a function of its own may do so unseen."""
        tags = {s.tag for s in self.statements}
        if self.only_sets or Tag.VARIABLE_SET in tags or "set_config" in self.text.lower():
            return True
        if Tag.SCRIPT not in tags and not any(s.opaque for s in self.statements):
            return False
        from omega_bridge.analysis.context import may_set_within, sets_for_session

        if any(s.opaque for s in self.statements) and may_set_within(self.text):
            return True
        return Tag.SCRIPT in tags and sets_for_session(self.text)

    @cached_property
    def dependencies(self) -> Dependencies:
        """What it leans on."""
        return dependencies(self.statements, [p for condition in conditions(self.program) for p in patterns(condition)])

    @cached_property
    def transactional(self) -> bool:
        """Whether all of it may run inside a transaction."""
        return all(s.transactional for s in self.statements)

    @cached_property
    def may_destroy(self) -> bool:
        """Whether a statement drops or truncates, or may do so without our seeing it."""
        return any(s.destroys or s.opaque or s.cascade for s in self.statements)

    @cached_property
    def is_additive(self) -> bool:
        """Whether it only adds what an older program can ignore."""
        return all(
            s.tag in _ADDITIVE and not s.destroys and not s.opaque and all(e.present for e in s.effects) and _ignorable(s)
            for s in statements(self.program)
        )


def kept(text: str, kind: StepKind, program: Callable[[], Program], derived: Mapping[str, object]) -> Reading:
    """A reading that was made before. ``program`` gives its program, and raises ``ValueError`` where there is none; ``derived``: what
    follows from that, by name.
    """
    found = object.__new__(Reading)
    held = found.__dict__
    held.update(derived)
    held["text"], held["kind"], held["problem"], held["named"], held["_kept"] = text, kind, None, _NOTHING, program
    return found


_NOTHING = frozenset[str]()


_KEPT = 16384
"""Readings that a process keeps: of the longest lists all of them."""

_known: dict[str, Reading] = {}


def known(text: str) -> Reading | None:
    """The reading that this process has of a text."""
    return _known.get(text)


def give(readings: Iterable[Reading]) -> None:
    """Readings that the same reader made of the same texts before: ``reading_of`` takes them for its own."""
    _known.update((reading.text, reading) for reading in readings)
    while len(_known) > _KEPT:
        _known.pop(next(iter(_known), ""), None)


def forget() -> None:
    """As in a process that has read nothing."""
    _known.clear()


def reading_of(text: str) -> Reading:
    """Read a text, or take what is known of it. Only a text that has to be read loads the parser."""
    found = _known.get(text)
    if found is None:
        found = _read(text)
        give([found])
    return found


def _read(text: str) -> Reading:
    from omega_bridge.analysis.programs import read_program

    problem = None
    opaque = (Sql(text, Tag.UNREADABLE, opaque=True),)
    try:
        program = read_program(text)
    except StepSyntaxError as exc:
        problem, program = exc, opaque
    except Exception:  # a tree of a form that was never seen: what breaks a reader is a reading of nothing
        program = opaque
    return Reading(text, program, kind_of(program), problem)


def unclaimed(reading: Reading) -> Reading:
    """The same text with nothing claimed of what it does."""
    opaque = (Sql(reading.text, Tag.UNREADABLE, opaque=True),)
    return Reading(reading.text, opaque, StepKind.MIXED, reading.problem, reading.names)


def kind_of(program: Program) -> StepKind:
    """Schema, data or mixed. Rows touched together with a schema change, under a guard on it, belong to that change."""
    data = schema = opaque = False
    for node in program:
        match node:
            case Sql():
                data, schema, opaque = data or node.data, schema or bool(node.effects), opaque or node.opaque
            case If():
                for condition, arm in (*node.arms, (None, node.otherwise)):
                    if not arm:
                        continue
                    kind = kind_of(arm)
                    guarded = condition is not None and is_decidable(condition) and protects(condition, arm)
                    if condition is not None and not is_decidable(condition):
                        opaque = True
                    if guarded and not any(s.opaque for s in statements(arm)):
                        schema = True
                    else:
                        data, schema = data or kind is not StepKind.SCHEMA, schema or kind is not StepKind.DATA
                        opaque = opaque or any(s.opaque for s in statements(arm))
            case Handled():
                kind = kind_of(node.body)
                handled = [kind_of(arm) for _, arm in node.handlers if any(True for _ in statements(arm))]
                data = data or StepKind.DATA in (kind, *handled) or StepKind.MIXED in (kind, *handled)
                schema = schema or StepKind.SCHEMA in (kind, *handled) or StepKind.MIXED in (kind, *handled)
    if opaque or (data and schema):
        return StepKind.MIXED
    return StepKind.DATA if data else StepKind.SCHEMA


def protects(condition: Condition, arm: Program) -> bool:
    """Whether a guard asks for just the object that its arm creates: an idempotence guard."""
    match condition:
        case Not(Exists(pattern)):
            return any(matches_effect(pattern, e) for s in statements(arm) for e in (*s.effects, *s.implied) if e.present)
        case Exists(pattern) | Compared(pattern) | Not(Compared(pattern)):
            return any(matches_effect(pattern, e) for s in statements(arm) for e in s.effects)
    return False


def asks_for_existence(pattern: Pattern) -> bool:
    """Whether a pattern says no more than the object's kind and name."""
    return all(f.attribute in ("relkind", "typtype") and f.operator in ("=", "in") for f in pattern.filters)


def matches_effect(pattern: Pattern, effect: Effect) -> bool:
    """Whether the pattern is about the effect's object."""
    key = effect.key
    name = key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name
    return (
        key.kind in pattern.kinds
        and pattern.name in (None, name)
        and (pattern.table is None or pattern.table == key.table)
        and (pattern.name is not None or pattern.table is not None)
    )


def _names_of(found: tuple[Sql, ...], program: Program) -> Iterator[str]:
    """Every identifier that a program with these statements names."""
    for s in found:
        for key in (*(e.key for e in (*s.effects, *s.implied)), *s.needs, *s.destroys):
            yield from _names(key)
        for e in (*s.effects, *s.implied):
            yield from (str(v) for a, v in e.attributes if a == "table")
    for condition in conditions(program):
        for pattern in patterns(condition):
            yield from (n for n in (pattern.name, pattern.table) if n)


def _names(key: Key) -> Iterator[str]:
    if key.kind is Kind.COLUMN:
        yield key.table
        return
    yield key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name
    if key.table:
        yield key.table


# --- what an older program can ignore -------------------------------------------------------------------------

_ADDITIVE = {tag for tag, said in READ.items() if said.is_additive}


def _ignorable(s: Sql) -> bool:
    """A new column must take rows from writers that do not know it; a new rule on existing rows may refuse theirs."""
    if s.tag == Tag.INDEX:
        return not any(("unique", True) in e.attributes for e in s.implied)
    if s.tag != Tag.ALTER_TABLE:
        return True
    new = {e.key: dict(e.attributes) for e in s.implied if e.key.kind is Kind.COLUMN and "type" in dict(e.attributes)}
    for effect in s.effects:
        if effect.key.kind is not Kind.COLUMN:
            return False
        column = new.get(effect.key)
        if column is None:
            if (
                effect.attributes not in ((("nullable", True),),)
                and effect.attributes[:1]
                and effect.attributes[0][0] != "default"
            ):
                return False
        elif not column["nullable"] and column["default"] is None and not column["identity"]:
            return False
    return True


# --- labels ----------------------------------------------------------------------------------------------------

_VERBS = {
    Tag.INSERT: "insert",
    Tag.UPDATE: "update",
    Tag.DELETE: "delete",
    Tag.TRUNCATE: "truncate",
    Tag.MERGE: "merge",
}


def _label(program: Program) -> str | None:
    for s in statements(program):
        if s.tag in _VERBS and s.needs:
            return _slug(_VERBS[s.tag], s.needs[0].name)
        gained = [e for e in s.effects if e.present] or list(s.effects)
        if gained:
            return _effect_label(s, gained[-1] if s.tag == Tag.RENAME else gained[0])
    return None


def _label_of_batches(text: str) -> str | None:
    from omega_bridge.analysis.batches import batches_of

    found = batches_of(text)
    return _slug("rows", "of", found.tables[0]) if found and found.tables else None


def _effect_label(s: Sql, effect: Effect) -> str:
    key, name = effect.key, effect.key.name.partition("(")[0]
    attributes = dict(effect.attributes)
    if not effect.present:
        return _slug("drop", key.table, name)
    if s.tag == Tag.RENAME:
        return _slug("rename", key.table, name)
    match key.kind:
        case Kind.TABLE:
            return _slug("create", name) if s.tag == Tag.CREATE else _slug("alter", name)
        case Kind.COLUMN if attributes:
            return _slug(key.table, name, next(iter(attributes)))
        case Kind.COLUMN | Kind.CONSTRAINT:
            return _slug(key.table, name)
        case Kind.ENUM if "label" in attributes:
            return _slug(name, "value", str(attributes["label"]))
        case Kind.INDEX:
            return _slug("index", name)
        case Kind.TRIGGER | Kind.POLICY:
            return _slug(key.kind, key.table, name)
    return _slug(key.kind, name)


def _slug(*parts: str) -> str:
    text = re.sub(r"[^a-z0-9]+", "-", "-".join(p for p in parts if p).lower()).strip("-")
    return text[:56].rstrip("-") or "step"
