"""What a list says of its tables' columns and keys, with the models' tables and, where one was read, the database's.

A name that stands in two schemas, and a column that is given two types, make no claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from omega_bridge import sql
from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Listed
from omega_bridge.analysis.program import Effect, Sql, statements
from omega_bridge.catalog import Key, Kind
from omega_bridge.errors import StepSyntaxError


@dataclass(frozen=True, slots=True)
class Reference:
    """One foreign key: ``columns`` of ``table`` point to ``keys`` of ``other``; no ``keys`` where its primary key is meant."""

    table: str
    columns: tuple[str, ...]
    other: str
    keys: tuple[str, ...]


@dataclass
class Tables:
    """Columns' types as they were written first, and primary keys, by the tables' names."""

    types: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    keys: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    schemas: dict[str, set[str]] = field(default_factory=dict)

    def type_of(self, table: str, column: str) -> str | None:
        """The column's type, where all that is said of it is one."""
        said = self.types.get((table, column), [])
        if not said or len(self.schemas.get(table, ())) > 1 or any(sql.same_type(said[0], t) is not True for t in said[1:]):
            return None
        return said[0]

    def key_of(self, table: str) -> tuple[str, ...] | None:
        """The columns of the table's primary key, where just one is known."""
        found = self.keys.get(table, set())
        return next(iter(found)) if len(found) == 1 else None


def tables_of(listed: Listed) -> Tables:
    """All that the list, the models and the database say."""
    found = Tables()
    for step in listed.analysis:
        for s in statements(step.program, handlers=True):
            for effect in (*s.effects, *s.implied):
                _take(found, effect.key, dict(effect.attributes), is_present=effect.present)
    if listed.catalog is not None:
        for key, attributes in listed.catalog.objects.items():
            _take(found, key, dict(attributes), is_present=True)
    return found


def _take(found: Tables, key: Key, said: dict[str, Any], *, is_present: bool) -> None:
    if not is_present or key.kind not in (Kind.COLUMN, Kind.CONSTRAINT):
        return
    found.schemas.setdefault(key.table, set()).add(key.schema or "public")
    if key.kind is Kind.COLUMN and "type" in said:
        found.types.setdefault((key.table, key.name), []).append(str(said["type"]))
    elif key.kind is Kind.CONSTRAINT and said.get("type") == "p":
        node = constraint(str(said["definition"]))
        if node is not None and node.keys:
            found.keys.setdefault(key.table, set()).add(sql.strings(node.keys))


def references(listed: Listed) -> Iterator[tuple[StepAnalysis, Sql, Reference]]:
    """Every foreign key that a statement of the list makes, or a table of the models has."""
    for step in listed.analysis:
        for s in statements(step.program):
            for effect in s.implied:
                if found := reference(effect):
                    yield step, s, found


def reference(effect: Effect) -> Reference | None:
    """The foreign key that an effect is about."""
    said = dict(effect.attributes)
    if effect.key.kind is not Kind.CONSTRAINT or said.get("type") != "f" or not isinstance(said.get("definition"), str):
        return None
    return _reference(effect.key.table, str(said["definition"]))


def references_there(listed: Listed) -> Iterator[tuple[Key, Reference]]:
    """Every foreign key of the database."""
    for key, said in () if listed.catalog is None else listed.catalog.objects.items():
        if key.kind is Kind.CONSTRAINT and said.get("type") == "f" and (found := _reference(key.table, str(said["definition"]))):
            yield key, found


def _reference(table: str, definition: str) -> Reference | None:
    node = constraint(definition)
    if node is None or not node.fk_attrs:
        return None
    return Reference(table, sql.strings(node.fk_attrs), node.pktable.relname, sql.strings(node.pk_attrs))


def constraint(definition: str) -> sql.ParseNode | None:
    """The parse node of a constraint's definition; ``None`` where it has none."""
    try:
        (statement,) = sql.parse(f"ALTER TABLE t ADD {definition}")
    except StepSyntaxError:
        return None
    (command,) = statement.node.cmds
    return sql.inner(getattr(sql.inner(command), "def"))
