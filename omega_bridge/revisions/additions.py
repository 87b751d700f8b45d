"""What the models have and the list lacks, as steps to append: columns with their indexes, labels, whole tables.

A column comes with the default that the model gives it, the server's or Python's own where that is a plain value: the rows that
are there take it. A mandatory column without one is told and not written, and so is whatever would change what is there, or
cannot be written so that it may run at every start: those are decisions.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, MetaData, Table, cast, literal, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import (
    CheckConstraint,
    Constraint,
    CreateColumn,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.types import JSON

from omega_bridge.catalog import Key, Kind
from omega_bridge.planning.gaps import MODELS, Unkept, What
from omega_bridge.revisions import guards
from omega_bridge.revisions.dialect import DIALECT, PREPARER
from omega_bridge.revisions.models import enum_types, every_table, index_text
from omega_bridge.steps import Step

NO_DEFAULT = "every row must have a value, and the model has no default: give it one, or make it nullable"
BY_PYTHON = "every row must have a value, and only Python makes its default: give the model a server_default, or make it nullable"
NOT_AN_ADDITION = "what is there would change: write the step that you mean"
BY_HAND = "no statement adds it where it is missing, and else does nothing: write a guarded step for it"
WITHOUT_COLUMN = "it needs a column that is left"


@dataclass(frozen=True, slots=True)
class Additions:
    """``steps`` to append, in their order. ``left``: what they do not bring about, and why."""

    steps: tuple[Step, ...]
    left: tuple[tuple[Unkept, str], ...]


@dataclass(slots=True)
class _Found:
    steps: list[Step] = field(default_factory=list)
    left: list[tuple[Unkept, str]] = field(default_factory=list)


def additions(unkept: Iterable[Unkept], metadata: MetaData) -> Additions:
    """Steps for what is not kept of the models' promises, as far as they only add."""
    found = _Found()
    columns: dict[Table, list[Unkept]] = {}
    for one in unkept:
        key = one.key
        if one.what is What.MISSING and key.kind is Kind.TABLE:
            table = _table(metadata, key.schema, key.name)
            found.steps += [Step(s.sql, title=_title(table.fullname)) for s in every_table(metadata, only=table)]
        elif one.what is What.MISSING and key.kind is Kind.COLUMN:
            columns.setdefault(_table(metadata, key.schema, key.table), []).append(one)
        elif key.kind is Kind.ENUM and one.attribute == "labels":
            found.steps += _labels(one)
        else:
            found.left.append((one, NOT_AN_ADDITION))
    for table, missing in columns.items():
        _columns(found, table, missing)
    return Additions(tuple({s.sql: s for s in found.steps}.values()), tuple(found.left))


def _title(what: str) -> str:
    return f"{what}, from the models"


def _table(metadata: MetaData, schema: str, name: str) -> Table:
    """The model's table; one without a schema stands where the ``search_path`` leads."""
    named = {t.schema: t for t in metadata.tables.values() if t.name == name}
    return named[schema] if schema in named else named[None]


def _labels(unkept: Unkept) -> Iterator[Step]:
    key = unkept.key
    name = guards.identifier(key.name, None if key.schema == "public" else key.schema)
    for label in (label for label in unkept.expected if label not in unkept.found):
        text = f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {guards.literal(label)}"
        yield Step(text, title=_title(f"{key.name}: {label}"))


# --- columns of one table --------------------------------------------------------------------------------------


def _columns(found: _Found, table: Table, missing: list[Unkept]) -> None:
    """The columns, then what hangs on them."""
    new = {u.key.name: u for u in missing}
    written: set[str] = set()
    for column in (c for c in table.columns if c.name in new):
        default = _default(column)
        if column.nullable or default is not None or column.computed is not None or column.identity is not None:
            found.steps += _column(table, column, default)
            written.add(column.name)
        else:
            found.left.append((new[column.name], NO_DEFAULT if column.default is None else BY_PYTHON))
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        made = index_text(index)
        if needs := _words(made, index) & new.keys():
            if needs <= written:
                concurrent = made.replace("INDEX IF", "INDEX CONCURRENTLY IF", 1)
                found.steps.append(Step(concurrent, title=_title(str(index.name))))
            else:
                found.left.append((_unkept(new, Kind.INDEX, "", str(index.name)), WITHOUT_COLUMN))
    for constraint in sorted(table.constraints, key=lambda c: str(c.name)):
        if _constraint_columns(constraint) & new.keys() and not _is_inline(constraint):
            name = str(constraint.name or f"({', '.join(sorted(_constraint_columns(constraint)))})")
            found.left.append((_unkept(new, Kind.CONSTRAINT, table.name, name), BY_HAND))


def _unkept(new: dict[str, Unkept], kind: Kind, table: str, name: str) -> Unkept:
    schema = next(iter(new.values())).key.schema
    return Unkept(What.MISSING, Key(kind, schema, table, name), MODELS)


def _words(made: str, index: Index) -> set[str]:
    """The columns that an index may be about: in its list, an expression, its condition, or what it includes."""
    return {*re.findall(r"\w+", made), *(c.name for c in index.columns)}


def _constraint_columns(constraint: Constraint) -> set[str]:
    match constraint:
        case PrimaryKeyConstraint():
            return set()
        case ForeignKeyConstraint() | UniqueConstraint():
            return {c.name for c in constraint.columns}
        case CheckConstraint():
            return set(
                re.findall(r"\w+", str(constraint.sqltext.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})))
            )
    return set()


def _is_inline(constraint: Constraint) -> bool:
    """Whether it comes with its column."""
    return isinstance(constraint, ForeignKeyConstraint | UniqueConstraint) and len(constraint.columns) == 1


def _column(table: Table, column: Column[Any], default: Any) -> Iterator[Step]:
    """The column, and its type where that is one of its own."""
    title = _title(f"{table.name}.{column.name}")
    for created in enum_types([column]):
        yield Step(created, title=title)
    named = PREPARER.format_table(table)
    yield Step(f"ALTER TABLE {named} ADD COLUMN IF NOT EXISTS {_definition(table, column, default)}", title=title)


def _definition(table: Table, column: Column[Any], default: Any) -> str:
    """The column as ``CREATE TABLE`` has it, with the constraints that are about it alone."""
    alone: Column[Any] = Column(column.name, column.type, *_generated(column), nullable=column.nullable, server_default=default)
    Table(table.name, MetaData(), alone, schema=table.schema)
    own = [c for c in table.constraints if _is_inline(c) and {n.name for n in c.columns} == {column.name}]  # type: ignore[attr-defined]
    parts = [str(CreateColumn(alone).compile(dialect=DIALECT)).strip(), *sorted(map(_inline, own), reverse=True)]
    return " ".join(parts)


def _generated(column: Column[Any]) -> list[Any]:
    return [part.copy() if hasattr(part, "copy") else part for part in (column.computed, column.identity) if part is not None]


def _inline(constraint: Any) -> str:
    name = PREPARER.format_constraint(constraint) if constraint.name is not None else None
    parts = [f"CONSTRAINT {name}"] if name else []
    if isinstance(constraint, UniqueConstraint):
        parts.append("UNIQUE")
    else:
        (key,) = constraint.elements
        parts.append(f"REFERENCES {PREPARER.format_table(key.column.table)} ({PREPARER.quote(key.column.name)})")
        parts += [f"{when} {what}" for when, what in (("ON DELETE", key.ondelete), ("ON UPDATE", key.onupdate)) if what]
    if constraint.deferrable is not None:
        parts.append("DEFERRABLE" if constraint.deferrable else "NOT DEFERRABLE")
    if constraint.initially:
        parts.append(f"INITIALLY {constraint.initially}")
    return " ".join(parts)


# --- defaults --------------------------------------------------------------------------------------------------


def _default(column: Column[Any]) -> Any:
    """The server's default, or Python's where it is a plain value; ``None`` where there is neither."""
    if column.server_default is not None:
        return getattr(column.server_default, "arg", None)
    if column.default is None or not column.default.is_scalar:
        return None
    value = column.default.arg  # type: ignore[attr-defined]
    if value is None or isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        written = literal(json.dumps(value)) if isinstance(column.type, JSON) else literal(value, column.type)
        shown = cast(written, column.type) if isinstance(value, list | tuple | dict) else written
        told = str(shown.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
    except (SQLAlchemyError, NotImplementedError, AttributeError, TypeError, ValueError, LookupError):
        return None
    return text(told.replace(":", r"\:"))
