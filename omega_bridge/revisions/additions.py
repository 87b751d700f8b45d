"""What the models have and the list lacks, as steps to append: columns, labels, whole tables, and what hangs on them.

A column comes with the default that the model gives it, the server's or Python's own where that is a plain value: the rows that
are there take it, and so do those that the release before still writes. A mandatory column without one needs to be told what the rows
that are there get; where nobody tells, it is named and not written, and so is whatever would change what is there: those are decisions.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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

from omega_bridge.catalog import Key, Kind, texts
from omega_bridge.planning.gaps import MODELS, Unkept, What
from omega_bridge.planning.renames import Along, Rename
from omega_bridge.revisions import guards, safe_steps
from omega_bridge.revisions.dialect import DIALECT, PREPARER
from omega_bridge.revisions.mapped import table_of
from omega_bridge.revisions.models import comment_on, enum_types, every_table, index_text
from omega_bridge.steps import Step

NO_DEFAULT = (
    "every row must have a value: say which those get that are there, omega-bridge add --fill {name}=SQL; "
    "or give the model a default, or make it nullable"
)
MADE_BY_LIST = (
    "no model has it, and a row that the program writes is rejected: take out of the list what makes it ({step}), "
    "and append: ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL"
)
NOT_AN_ADDITION = "what is there would change: write the step that you mean"
BY_HAND = "no statement adds it where it is missing, and else does nothing: write a guarded step for it"
WITHOUT_COLUMN = "an index or constraint of it comes when its column has a step"


@dataclass(frozen=True, slots=True)
class Additions:
    """``steps`` to append, in their order. ``left``: what they do not bring about, and why."""

    steps: tuple[Step, ...]
    left: tuple[tuple[Unkept, str], ...]


@dataclass(slots=True)
class _Found:
    """``filled``: by ``table.column``, what the rows that are there get."""

    filled: Mapping[str, str]
    is_whole: bool
    own: Collection[tuple[str, str]]
    steps: list[Step] = field(default_factory=list)
    left: list[tuple[Unkept, str]] = field(default_factory=list)


def additions(
    unkept: Iterable[Unkept],
    metadata: MetaData,
    filled: Mapping[str, str] | None = None,
    moved: Iterable[Rename] = (),
    *,
    is_whole: bool = False,
    own: Collection[tuple[str, str]] = (),
) -> Additions:
    """Steps for what is not kept of the models' promises, as far as they only add.

    ``filled``: by ``table.column``, an expression for the rows that are there. ``moved``: columns with a new name.
    ``is_whole``: what hangs on a column (its indexes and constraints) is among the ``unkept``; else it is read from the models.
    ``own``: schema and name of tables that only the models make.
    """
    found = _Found(filled or {}, is_whole, own)
    for rename in moved:
        old, new_ = rename.old, rename.new
        renamed = safe_steps.renamed(old.table, old.name, new_.name, _schema(metadata, new_), rename.along)
        found.steps.append(Step(renamed, title=_title(f"{old.table}.{old.name} is {new_.name}")))
    columns: dict[Table, list[Unkept]] = {}
    parts: list[Unkept] = []
    for lacking in unkept:
        key = lacking.key
        if lacking.what is What.MISSING and key.kind is Kind.TABLE:
            table = _table(metadata, key)
            found.steps += [Step(s.sql, title=_title(table.fullname)) for s in every_table(metadata, only=table)]
        elif lacking.what is What.MISSING and key.kind is Kind.COLUMN:
            columns.setdefault(_table(metadata, key), []).append(lacking)
        elif key.kind is Kind.ENUM and lacking.attribute == "labels":
            found.steps += _labels(lacking)
        else:
            parts.append(lacking)
    written: set[tuple[str, str]] = set()
    for table, missing in columns.items():
        written |= _columns(found, table, missing)
    new = {(u.key.table, u.key.name) for missing in columns.values() for u in missing}
    for one in parts:
        _part(found, metadata, one, new, written)
    return Additions(tuple({s.sql: s for s in found.steps}.values()), tuple(found.left))


def _title(what: str, how: str = "") -> str:
    """``how``: what this one of several steps does for it."""
    return f"{what}, from the models" + (f": {how}" if how else "")


_STAGES = ("rows that are there get a value", "rows that come have a value", "so have those that are there", "mandatory")
"""The steps of ``safe_steps.not_null``, the first only where a value is given."""


def _mandatory(what: str, texts: Sequence[str]) -> Iterator[Step]:
    yield from (Step(text_, title=_title(what, how)) for text_, how in zip(texts, _STAGES[-len(texts) :], strict=True))


def _table(metadata: MetaData, key: Key) -> Table:
    """The model's table; one without a schema stands where the ``search_path`` leads."""
    table = table_of(metadata, key)
    assert table is not None  # the models promised it
    return table


def _labels(unkept: Unkept) -> Iterator[Step]:
    key = unkept.key
    name = guards.identifier(key.name, None if key.schema == "public" else key.schema)
    for label in (label for label in texts(unkept.expected) if label not in texts(unkept.found)):
        text = f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {guards.literal(label)}"
        yield Step(text, title=_title(f"{key.name}: {label}"))


# --- what hangs on tables that are there -----------------------------------------------------------------------


def _part(found: _Found, metadata: MetaData, one: Unkept, new: set[tuple[str, str]], written: set[tuple[str, str]]) -> None:
    """An index, a constraint, a comment, or an attribute of a column."""
    key = one.key
    owner = key.table or _indexed(one)
    needs = {name for table, name in new if table == owner and name in _named_in(one)}
    if not {(owner, name) for name in needs} <= written:
        found.left.append((one, WITHOUT_COLUMN))
        return
    texts = _texts(found, metadata, one) if one.by == MODELS else ()
    if not texts:
        found.left.append((one, _why(one)))
    name = f"{owner}.{key.name}" if owner else key.name
    is_mandatory = one.attribute == "nullable" and not one.expected
    found.steps += _mandatory(name, texts) if is_mandatory else [Step(text, title=_title(name)) for text in texts]


def _texts(found: _Found, metadata: MetaData, one: Unkept) -> tuple[str, ...]:
    key, schema = one.key, _schema(metadata, one.key)
    if one.attribute == "name":
        renamed = safe_steps.renamed_alone(Along(str(key.kind), str(one.found), key.name), key.table, schema)
        made = _index_by_name(metadata, key.name) if key.kind is Kind.INDEX else None
        return (renamed, made.replace("INDEX IF", "INDEX CONCURRENTLY IF", 1)) if made is not None else (renamed,)
    if one.attribute == "comment":
        return (
            f"COMMENT ON {guards.named(str(key.kind), key.name, key.table or None, schema)} IS {guards.literal(str(one.expected))}",
        )
    if key.kind is Kind.INDEX and one.what is What.MISSING:
        made = _index_by_name(metadata, key.name) or str(one.expected).replace("INDEX ", "INDEX IF NOT EXISTS ", 1)
        return (made.replace("INDEX IF", "INDEX CONCURRENTLY IF", 1),)
    if key.kind is Kind.CONSTRAINT and one.what is What.MISSING and not str(one.expected).startswith("PRIMARY KEY"):
        return safe_steps.constraint(key.table, key.name, _defined(metadata, one), schema)
    if key.kind is Kind.CONSTRAINT and one.attribute == "validated":
        return (safe_steps.validated(key.table, key.name, schema),)
    if key.kind is Kind.COLUMN and one.attribute in ("nullable", "default"):
        name = f"ALTER TABLE {guards.identifier(key.table, schema)} ALTER COLUMN {guards.identifier(key.name)}"
        if one.attribute == "nullable" and one.expected:
            return (f"{name} DROP NOT NULL",)
        if one.attribute == "default":
            value = one.expected if one.found is None else one.found if one.expected is None else None
            if value == one.expected and (own := _OWN_SEQUENCE.fullmatch(str(value))) is not None:
                kind = str(_column_of(metadata, key).type.compile(DIALECT)).lower()
                sequence = own[1].replace("''", "'")
                return (safe_steps.numbered(key.table, key.name, kind, sequence, schema), f"{name} SET DEFAULT {value}")
            return (f"{name} SET DEFAULT {value}",) if value is not None else ()
        value = found.filled.get(f"{key.table}.{key.name}") or _written(_default(_column_of(metadata, key)))
        return safe_steps.not_null(key.table, key.name, schema, value) if value is not None else ()
    return ()


_OWN_SEQUENCE = re.compile(r"nextval\('((?:[^']|'')+)'::regclass\)")
"""How PostgreSQL prints the default of a column that SQLAlchemy numbers."""


def _column_of(metadata: MetaData, key: Key) -> Column[Any]:
    return next(c for c in _table(metadata, key).columns if c.name == key.name)


def _defined(metadata: MetaData, one: Unkept) -> str:
    """A constraint's definition: a check as the model has it, since PostgreSQL would print what it printed in other words."""
    for constraint in _table(metadata, one.key).constraints:
        if isinstance(constraint, CheckConstraint) and constraint.name == one.key.name:
            return f"CHECK ({constraint.sqltext.compile(dialect=DIALECT, compile_kwargs={'literal_binds': True})})"
    return str(one.expected)


def _why(one: Unkept) -> str:
    table = guards.identifier(one.key.table, None if one.key.schema == "public" else one.key.schema)
    name = guards.identifier(one.key.name)
    if one.by != MODELS:
        return MADE_BY_LIST.format(step=one.by, table=table, name=name)
    if one.key.kind is Kind.COLUMN and one.attribute == "type":
        return f"{NOT_AN_ADDITION}, such as: omega-bridge add --sql 'ALTER TABLE {table} ALTER COLUMN {name} TYPE {one.expected}'"
    is_mandatory = one.attribute == "nullable" and not one.expected
    return NO_DEFAULT.format(name=f"{one.key.table}.{one.key.name}") if is_mandatory else NOT_AN_ADDITION


def _named_in(one: Unkept) -> set[str]:
    return set(re.findall(r"\w+", str(one.expected)))


def _indexed(one: Unkept) -> str:
    """The table that an index is on, by its definition."""
    match = re.search(
        r' ON (?:ONLY )?(?:(?:"(?:[^"]|"")+"|[^\s."]+)\.)?("(?:[^"]|"")+"|[^\s."]+) USING ', str(one.expected or "")
    )
    return match[1].strip('"').replace('""', '"') if one.key.kind is Kind.INDEX and match else ""


def _schema(metadata: MetaData, key: Key) -> str | None:
    """The schema that a step has to name: none where the model names none."""
    table = table_of(metadata, key)
    return str(table.schema) if table is not None and table.schema else None


def _index_by_name(metadata: MetaData, name: str) -> str | None:
    found = [index for table in metadata.tables.values() for index in table.indexes if index.name == name]
    return index_text(found[0]) if len(found) == 1 else None


# --- columns of one table --------------------------------------------------------------------------------------


def _columns(found: _Found, table: Table, missing: list[Unkept]) -> set[tuple[str, str]]:
    """The columns, then what hangs on them; those that are written."""
    new = {u.key.name: u for u in missing}
    written: set[str] = set()
    for column in (c for c in table.columns if c.name in new):
        filled = found.filled.get(f"{table.name}.{column.name}")
        default = _default(column)
        is_free = column.nullable or default is not None or column.computed is not None or column.identity is not None
        if filled is None and not is_free:
            found.left.append((new[column.name], NO_DEFAULT.format(name=f"{table.name}.{column.name}")))
            continue
        written.add(column.name)
        commented = [Step(text_, title=_title(f"{table.name}.{column.name}", "its comment")) for text_ in comment_on(column)]
        if filled is not None or _is_volatile(column):
            found.steps += _filled(table, column, filled or str(_written(default)), default)
        else:
            found.steps += _column(table, column, default)
            is_own = (new[column.name].key.schema, table.name) in found.own
            if is_own and column.server_default is None and default is not None:
                found.steps.append(_set_default(table, column, str(_written(default)), "the default, where they made the table"))
        found.steps += commented
    if not found.is_whole:
        _hanging(found, table, new, written)
    return {(table.name, name) for name in written}


def _hanging(found: _Found, table: Table, new: Mapping[str, Unkept], written: set[str]) -> None:
    """Indexes and constraints of new columns, as the models have them."""
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


def _filled(table: Table, column: Column[Any], filled: str, default: Any) -> Iterator[Step]:
    """A column that every row must have: without, filled, and then mandatory, each in a step of its own."""
    name = f"{table.name}.{column.name}"
    yield from _column(table, column, None, is_open=True)
    if default is not None:
        yield _set_default(table, column, str(_written(default)), "its default")
    if column.nullable:
        yield Step(safe_steps.in_batches(table.name, column.name, filled, table.schema), title=_title(name, _STAGES[0]))
        return
    yield from _mandatory(name, safe_steps.not_null(table.name, column.name, table.schema, filled))


def _set_default(table: Table, column: Column[Any], value: str, how: str) -> Step:
    """For databases in which the column came without: those in which the models made the table, since ``default=`` is Python's alone."""
    made = f"ALTER TABLE {PREPARER.format_table(table)} ALTER COLUMN {PREPARER.quote(column.name)} SET DEFAULT {value}"
    return Step(made, title=_title(f"{table.name}.{column.name}", how))


_STABLE = re.compile(r"^(now|current_\w+|localtime\w*|statement_timestamp|transaction_timestamp)$")


def _is_volatile(column: Column[Any]) -> bool:
    """Whether the server would have to compute the default for each row, and so write the whole table anew under its lock."""
    if column.server_default is None or column.computed is not None or column.identity is not None:
        return False
    called = re.findall(r"(\w+)\s*\(", str(_written(getattr(column.server_default, "arg", "")) or ""))
    return any(
        not _STABLE.match(name.lower())
        for name in called
        if name.lower() not in ("cast", "numeric", "varchar", "char", "decimal")
    )


def _written(default: Any) -> str | None:
    """A default as SQL."""
    if default is None or isinstance(default, str):
        return guards.literal(default) if isinstance(default, str) else None
    told = (
        str(default.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
        if hasattr(default, "compile")
        else str(default)
    )
    return told


def _unkept(new: Mapping[str, Unkept], kind: Kind, table: str, name: str) -> Unkept:
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


def _column(table: Table, column: Column[Any], default: Any, *, is_open: bool = False) -> Iterator[Step]:
    """The column, and its type where that is one of its own. ``is_open``: rows may be without it."""
    name = f"{table.name}.{column.name}"
    for created in enum_types([column]):
        yield Step(created, title=_title(name, "its type"))
    named = PREPARER.format_table(table)
    yield Step(f"ALTER TABLE {named} ADD COLUMN IF NOT EXISTS {_definition(table, column, default, is_open)}", title=_title(name))


def _definition(table: Table, column: Column[Any], default: Any, is_open: bool) -> str:
    """The column as ``CREATE TABLE`` has it, with the constraints that are about it alone."""
    alone: Column[Any] = Column(
        column.name, column.type, *_generated(column), nullable=column.nullable or is_open, server_default=default
    )
    Table(table.name, MetaData(), alone, schema=table.schema)
    own = [c for c in table.constraints if _is_inline(c) and {n.name for n in c.columns} == {column.name}]  # type: ignore[attr-defined]
    parts = [str(CreateColumn(alone).compile(dialect=DIALECT)).strip(), *sorted(map(_inline, own), reverse=True)]
    return " ".join(parts)


def _generated(column: Column[Any]) -> list[Any]:
    return [part._copy() for part in (column.computed, column.identity) if part is not None]


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
