"""What only the models know, as steps ahead of the list: one for each table that no step creates.

As ``MetaData.create_all`` would make them, but table by table: one that cannot be made yet does not stop the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.exc import CompileError, NoReferencedTableError, NoReferenceError
from sqlalchemy.schema import CreateIndex, CreateTable, SetColumnComment, SetTableComment, sort_tables
from sqlalchemy.types import ARRAY, Enum

from omega_bridge.analysis import analyse, statements
from omega_bridge.analysis.program import VISIBLE
from omega_bridge.catalog import Kind
from omega_bridge.errors import ConfigurationInvalid, ModelsIncomplete
from omega_bridge.model_files import of_table
from omega_bridge.planning.foundation import Foundation
from omega_bridge.revisions.dialect import DIALECT, type_name
from omega_bridge.steps import Place, Registry, Step
from omega_bridge.tags import Tag

PREFIX = "model-"
PLACE = Place("(models)")


def with_models(registry: Registry, metadata: MetaData, foundation: Foundation | None = None) -> Registry:
    """The registry with one step prepended for each table of the models that no step, and no foundation, creates, in dependency order.

    What a step of the list makes of a table's indexes is left to it: it may do so without a lock.
    """
    made = _made_by(registry) | _made_before(foundation)
    own = [t for t in _sorted(metadata) if (t.schema or VISIBLE, t.name) not in made and (VISIBLE, t.name) not in made]
    indexed = _indexed_by(registry)
    steps = (_step(t, {i for schema, table, i in indexed if (schema, table) == (t.schema or VISIBLE, t.name)}) for t in own)
    return Registry((*steps, *registry.steps), registry.source) if own else registry


def without_indexes(registry: Registry, metadata: MetaData, tables: Collection[tuple[str, str]]) -> Registry:
    """The registry whose steps for these tables of the models (by schema and name) make none of their indexes."""
    named = {_step(t).id: _step(t, None) for t in _sorted(metadata) if (t.schema or "public", t.name) in tables}
    return Registry(tuple(named.get(s.id or "", s) if is_model(s) else s for s in registry.steps), registry.source)


def every_table(metadata: MetaData, only: Table | None = None) -> Registry:
    """One step for each table of the models (or ``only`` for one), whoever else creates it: what the models promise."""
    return Registry(tuple(_step(table) for table in _sorted(metadata) if only is None or table is only))


def is_model(step: Step) -> bool:
    """Whether a step stands for a table that only the models know."""
    return step.place == PLACE


def _sorted(metadata: MetaData) -> list[Table]:
    try:
        return sort_tables(metadata.tables.values())
    except NoReferenceError as error:  # of a table, or of a column in one
        lost = str(getattr(error, "table_name", ""))
        one = of_table(metadata, lost) if isinstance(error, NoReferencedTableError) else None
        raise ModelsIncomplete(
            f"the models have a foreign key to what they do not know: {error}",
            hint=f"{one}."
            if one
            else "Import the module of that model before the MetaData is handed over, or declare the table in the models.",
        ) from error


def _made_by(registry: Registry) -> set[tuple[str, str]]:
    return {
        (e.key.schema, e.key.name)
        for step in analyse(registry)
        for s in statements(step.program, handlers=True)
        if s.tag in (Tag.CREATE, Tag.CREATE_TABLE_AS)
        for e in s.effects
        if e.present and e.key.kind is Kind.TABLE
    }


def _indexed_by(registry: Registry) -> set[tuple[str, str, str]]:
    """Schema, table and name of the indexes that steps make."""
    return {
        (e.key.schema, str(dict(e.attributes).get("table")), e.key.name)
        for step in analyse(registry)
        for s in statements(step.program)
        if s.tag == Tag.INDEX
        for e in s.effects
        if e.present and e.key.kind is Kind.INDEX
    }


def _made_before(foundation: Foundation | None) -> set[tuple[str, str]]:
    if foundation is None:
        return set()
    found = {(k.schema, k.name) for k in foundation.catalog if k.kind is Kind.TABLE}
    return found | {(VISIBLE, name) for schema, name in found if schema in foundation.catalog.search_path}


def _step(table: Table, others: Collection[str] | None = ()) -> Step:
    """``others``: the indexes that others make; ``None``: they make all."""
    parts = [*enum_types(table.columns), str(CreateTable(table, if_not_exists=True).compile(dialect=DIALECT)).strip()]
    if others is not None:
        parts += [index_text(i) for i in sorted(table.indexes, key=lambda i: str(i.name)) if i.name not in others]
    parts += comments(table)
    text = ";\n".join(_plain(p) for p in parts) + ";"
    return Step(
        text,
        id=f"{PREFIX}{table.fullname.replace('_', '-').replace('.', '-')}",
        title=f"table {table.name}, known only to the models",
        place=PLACE,
    )


def comments(table: Table) -> list[str]:
    """The statements that comment on a table and its columns."""
    on_table = [str(SetTableComment(table).compile(dialect=DIALECT)).strip()] if table.comment is not None else []
    return on_table + [text for column in table.columns for text in comment_on(column)]


def comment_on(column: Column[object]) -> list[str]:
    """The statement that comments on a column, where the model has one."""
    return [str(SetColumnComment(column).compile(dialect=DIALECT)).strip()] if column.comment is not None else []


def _plain(text: str) -> str:
    """Compiled DDL without its trailing blanks and tabs."""
    return "\n".join(line.rstrip().replace("\t", "    ") for line in text.splitlines())


def index_text(index: Index) -> str:
    """The statement that makes it. Raises ``ConfigurationInvalid`` for one without a name."""
    try:
        return str(CreateIndex(index, if_not_exists=True).compile(dialect=DIALECT)).strip()
    except (CompileError, AssertionError, TypeError) as error:  # which of them depends on SQLAlchemy's release
        where = f"{index.table.name} ({', '.join(c.name for c in index.columns)})" if index.table is not None else "a table"
        raise ConfigurationInvalid(
            f"the models have an index on {where} without a name",
            hint='Name it (Index("...", ...)), or give the MetaData a naming convention for "ix".',
        ) from error


def enum_types(columns: Iterable[Column[object]]) -> list[str]:
    """Types that the columns need, guarded: PostgreSQL has no ``CREATE TYPE IF NOT EXISTS``."""
    found = []
    for column in columns:
        kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
        if isinstance(kind, Enum) and kind.native_enum and kind.name:
            labels = ", ".join("'" + label.replace("'", "''") + "'" for label in kind.enums)
            name = type_name(kind)
            quoted = name.replace("'", "''")
            found.append(
                f"DO $$ BEGIN\n    IF to_regtype('{quoted}') IS NULL THEN\n        CREATE TYPE {name} AS ENUM ({labels});\n    END IF;\nEND $$"
            )
    return found
