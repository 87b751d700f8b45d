"""Registry to analysis: for each step its program, kind, label and checksum. Pure; nothing is asked of a server."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import NamedTuple

from omega_bridge import sql
from omega_bridge.analysis.blocks import read_program
from omega_bridge.analysis.program import (
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
from omega_bridge.errors import StepSyntaxError
from omega_bridge.steps import Registry, Step


class StepKind(StrEnum):
    """How a step is judged: by the catalog, by running it at every boot, or by running it when something changed."""

    SCHEMA = "schema"
    DATA = "data"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class StepAnalysis:
    """What is known of one step before any database is asked.

    ``id`` is the explicit one or a label from what the step does, unique within the registry. ``names`` are the identifiers
    that the step or a guard of it names. ``problem`` is set where the text does not parse: such a step is carried as it is,
    and the server has the last word. ``superseded`` is the id of a later step that replaces the view that this one makes:
    where the view is there, this step has nothing to say about it.
    """

    step: Step
    id: str
    kind: StepKind
    program: Program
    names: frozenset[str]
    problem: StepSyntaxError | None = None
    superseded: str | None = None

    @property
    def checksum(self) -> str:
        """Of the step's canonical text: deaf to white space, comments and keyword case. Found when it is asked for."""
        return sql.checksum(self.step.sql)

    @property
    def transactional(self) -> bool:
        """Whether the whole step may run inside a transaction."""
        return all(s.transactional for s in statements(self.program, handlers=True))

    @property
    def may_destroy(self) -> bool:
        """Whether a statement of the step drops or truncates, or may do so without our seeing it."""
        return any(s.destroys or s.opaque or s.cascade for s in statements(self.program, handlers=True))

    def texts(self) -> tuple[str, ...]:
        """The step's statements one by one, as written: for those that refuse a transaction."""
        if self.problem:
            return (self.step.sql,)
        return tuple(statement.text for statement in sql.parse(self.step.sql))

    @property
    def is_additive(self) -> bool:
        """Whether the step only adds what an older program can ignore: a release before it may go on running."""
        return all(
            s.tag in _ADDITIVE and not s.destroys and not s.opaque and all(e.present for e in s.effects) and _ignorable(s)
            for s in statements(self.program)
        )

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Every effect of every statement, in order, whatever its guard."""
        return tuple(e for s in statements(self.program) for e in s.effects)


_ADDITIVE = {
    "create_stmt",
    "index_stmt",
    "alter_table_stmt",
    "create_enum_stmt",
    "alter_enum_stmt",
    "create_extension_stmt",
    "create_schema_stmt",
    "create_seq_stmt",
    "create_function_stmt",
    "create_domain_stmt",
    "view_stmt",
    "comment_stmt",
    "insert_stmt",
    "select_stmt",
}


def _ignorable(s: Sql) -> bool:
    """A new column must take rows from writers that do not know it; a new rule on existing rows may refuse theirs."""
    if s.tag == "index_stmt":
        return not any(("unique", True) in e.attributes for e in s.implied)
    if s.tag != "alter_table_stmt":
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


@dataclass(frozen=True)
class Analysis:
    """The registry's steps with all that is known of them, in order."""

    registry: Registry
    steps: tuple[StepAnalysis, ...]

    def __iter__(self) -> Iterator[StepAnalysis]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def names(self) -> frozenset[str]:
        """Every identifier that a step or a guard names: what a catalog reader has to look at."""
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset().union(*(step.names for step in self.steps))

    def provided(self) -> frozenset[tuple[Kind, str]]:
        """Kind and name of everything that some step makes."""
        return frozenset(
            (e.key.kind, e.key.name.partition("(")[0] if e.key.kind is Kind.FUNCTION else e.key.name)
            for step in self.steps
            for s in statements(step.program, handlers=True)
            for e in (*s.effects, *s.implied)
            if e.present
        )


def analyse(registry: Registry) -> Analysis:
    """Read every step of the registry."""
    read = [_read(step.sql) for step in registry.steps]
    labels = _labels(registry.steps, [r.label for r in read])
    replaced = _superseded([r.program for r in read])
    return Analysis(
        registry,
        tuple(
            StepAnalysis(step, labels[n], r.kind, r.program, r.names, r.problem, labels[replaced[n]] if n in replaced else None)
            for n, (step, r) in enumerate(zip(registry.steps, read, strict=True))
        ),
    )


def _superseded(programs: Sequence[Program]) -> dict[int, int]:
    """Index of each step that only makes views of which later ones make each anew, and of the last of those.

    Anew is ``OR REPLACE``, or after a ``DROP`` in the same step: a plain ``CREATE`` leaves a view that is there as it is.
    """
    made: dict[int, list[Key]] = {}
    last: dict[Key, int] = {}
    for n, program in enumerate(programs):
        views = [s.effects[0] for s in program if isinstance(s, Sql) and s.tag == "view_stmt"]
        if not views:
            continue
        keys = [view.key for view in views]
        dropped = {e.key for s in program if isinstance(s, Sql) for e in s.effects if not e.present}
        last.update((view.key, n) for view in views if view.attributes or view.key in dropped)
        if all(isinstance(s, Sql) and not s.cascade and {e.key for e in s.effects} <= set(keys) for s in program):
            made[n] = keys
    return {n: last[keys[0]] for n, keys in made.items() if all(last.get(key, n) > n for key in keys)}


def with_escapes(analysis: Analysis) -> Analysis:
    """For a server on which a backslash in an ordinary literal is an escape: what holds one means something else there.

    The parser reads literals by the standard, so nothing is claimed of such a step: it runs as it is written.
    """
    return Analysis(
        analysis.registry,
        tuple(
            replace(s, kind=StepKind.MIXED, program=(Sql(s.step.sql, "unreadable", opaque=True),)) if "\\" in s.step.sql else s
            for s in analysis
        ),
    )


class _Read(NamedTuple):
    """What a text alone says."""

    program: Program
    kind: StepKind
    names: frozenset[str]
    label: str | None
    problem: StepSyntaxError | None


@lru_cache(maxsize=16384)
def _read(text: str) -> _Read:
    problem = None
    try:
        program = read_program(text)
    except StepSyntaxError as exc:
        problem, program = exc, (Sql(text, "unreadable", opaque=True),)
    return _Read(program, kind_of(program), frozenset(_names_of(program)), _label(program), problem)


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
        case Exists(pattern):
            return any(matches_effect(pattern, e) for s in statements(arm) for e in s.effects)
    return False


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


def _names_of(program: Program) -> Iterator[str]:
    """Every identifier that a program names."""
    for s in statements(program, handlers=True):
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


# --- labels ----------------------------------------------------------------------------------------------------


def _labels(steps: Iterable[Step], own: Iterable[str | None]) -> list[str]:
    wanted = [s.id or o or f"step-{sql.checksum(s.sql).partition(':')[2][:8]}" for s, o in zip(steps, own, strict=True)]
    explicit = {s.id for s in steps if s.id}
    seen: Counter[str] = Counter()
    taken: set[str] = set()
    labels: list[str] = []
    for step, label in zip(steps, wanted, strict=True):
        unique = label
        while step.id is None and (unique in explicit or unique in taken):
            seen[label] += 1
            unique = f"{label}-{seen[label] + 1}"
        taken.add(unique)
        labels.append(unique)
    return labels


_VERBS = {
    "insert_stmt": "insert",
    "update_stmt": "update",
    "delete_stmt": "delete",
    "truncate_stmt": "truncate",
    "merge_stmt": "merge",
}


def _label(program: Program) -> str | None:
    for s in statements(program):
        if s.tag in _VERBS and s.needs:
            return _slug(_VERBS[s.tag], s.needs[0].name)
        gained = [e for e in s.effects if e.present] or list(s.effects)
        if gained:
            return _effect_label(s, gained[-1] if s.tag == "rename_stmt" else gained[0])
    return None


def _effect_label(s: Sql, effect: Effect) -> str:
    key, name = effect.key, effect.key.name.partition("(")[0]
    attributes = dict(effect.attributes)
    if not effect.present:
        return _slug("drop", key.table, name)
    if s.tag == "rename_stmt":
        return _slug("rename", key.table, name)
    match key.kind:
        case Kind.TABLE:
            return _slug("create", name) if s.tag == "create_stmt" else _slug("alter", name)
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
