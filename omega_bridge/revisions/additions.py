"""What the models have and the list lacks, as steps to append: columns with their indexes, labels, whole tables.

A column that every row must have comes with the default that the model gives it, the server's or Python's own, so that the
rows that are there take it. Without one it is told and not written, and so is whatever would change what is there: those
are decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, MetaData, Table, literal, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateColumn, ForeignKey

from omega_bridge.catalog import Kind
from omega_bridge.planning.promises import Unkept, What
from omega_bridge.revisions.dialect import DIALECT, PREPARER
from omega_bridge.revisions.models import enum_types, every_table, index_text
from omega_bridge.steps import Step

NO_DEFAULT = "every row must have a value, and the model has no default: give it one, or make it nullable"
NOT_AN_ADDITION = "what is there would change: write the step that you mean"


@dataclass(frozen=True, slots=True)
class Additions:
    """``steps`` to append, in their order. ``left``: what they do not bring about, and why."""

    steps: tuple[Step, ...]
    left: tuple[tuple[Unkept, str], ...]


def additions(unkept: Iterable[Unkept], metadata: MetaData) -> Additions:
    """Steps for what is not kept of the models' promises, as far as they only add."""
    steps: list[Step] = []
    left: list[tuple[Unkept, str]] = []
    new = list(unkept)
    for one in new:
        found = list(_steps(one, new, metadata))
        steps += found
        if not found:
            left.append((one, NO_DEFAULT if one.what is What.MISSING else NOT_AN_ADDITION))
    return Additions(tuple({s.sql: s for s in steps}.values()), tuple(left))


def _steps(unkept: Unkept, new: list[Unkept], metadata: MetaData) -> Iterator[Step]:
    key = unkept.key
    match unkept.what, key.kind:
        case What.MISSING, Kind.TABLE:
            table = _table(metadata, key.schema, key.name)
            yield from (Step(s.sql, title=f"{table.fullname}, from the models") for s in every_table(metadata, only=table))
        case What.MISSING, Kind.COLUMN:
            table = _table(metadata, key.schema, key.table)
            yield from _column(table, table.columns[key.name], {u.key.name for u in new if u.key.table == key.table})
        case What.DIFFERENT, Kind.ENUM if unkept.attribute == "labels":
            name = PREPARER.quote(key.name)
            for label in (label for label in unkept.expected if label not in unkept.found):
                title = f"{key.name}: {label}, from the models"
                yield Step(f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {_literal(label)}", title=title)


def _table(metadata: MetaData, schema: str, name: str) -> Table:
    """The model's table; one without a schema stands where the ``search_path`` leads."""
    return next(t for t in metadata.tables.values() if t.name == name and t.schema in (schema, None))


def _column(table: Table, column: Column[Any], new: set[str]) -> Iterator[Step]:
    """The column, its type where that is one of its own, and the indexes that it makes possible."""
    default = _default(column)
    if not column.nullable and default is None and column.computed is None and column.identity is None:
        return
    named = PREPARER.format_table(table)
    title = f"{table.name}.{column.name}, from the models"
    for created in enum_types([column]):
        yield Step(created, title=title)
    yield Step(f"ALTER TABLE {named} ADD COLUMN IF NOT EXISTS {_definition(table, column, default)}", title=title)
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        columns = [c.name for c in index.columns]
        if column.name in columns and [n for n in columns if n in new][-1:] == [column.name]:
            yield Step(index_text(index).replace("INDEX IF", "INDEX CONCURRENTLY IF", 1), title=f"{index.name}, from the models")


def _definition(table: Table, column: Column[Any], default: Any) -> str:
    """The column as ``CREATE TABLE`` has it, with what a constraint of its own says."""
    alone: Column[Any] = Column(column.name, column.type, *_generated(column), nullable=column.nullable, server_default=default)
    Table(table.name, MetaData(), alone, schema=table.schema)
    parts = [str(CreateColumn(alone).compile(dialect=DIALECT)).strip()]
    if column.unique:
        parts.append("UNIQUE")
    parts += [_reference(key) for key in column.foreign_keys if len(key.constraint.elements) == 1]  # type: ignore[union-attr]
    return " ".join(parts)


def _generated(column: Column[Any]) -> list[Any]:
    return [part.copy() if hasattr(part, "copy") else part for part in (column.computed, column.identity) if part is not None]


def _reference(key: ForeignKey) -> str:
    told = f"REFERENCES {PREPARER.format_table(key.column.table)} ({PREPARER.quote(key.column.name)})"
    return told + "".join(f" {when} {what}" for when, what in (("ON DELETE", key.ondelete), ("ON UPDATE", key.onupdate)) if what)


def _default(column: Column[Any]) -> Any:
    """The server's default, or Python's where it is a plain value; ``None`` where there is neither."""
    if column.server_default is not None:
        return getattr(column.server_default, "arg", None)
    if column.default is None or not column.default.is_scalar:
        return None
    value = column.default.arg  # type: ignore[attr-defined]
    try:
        written = literal(value, column.type).compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
    except (SQLAlchemyError, NotImplementedError, AttributeError, TypeError, ValueError):
        return None
    return text(str(written).replace(":", r"\:"))


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
