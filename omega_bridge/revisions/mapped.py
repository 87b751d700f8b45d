"""The class that maps a table, and where it is written: what a person calls it who wrote the model."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData, Table

from omega_bridge.catalog import Key, Kind
from omega_bridge.steps import Place


def mapped_class(table: Table) -> type | None:
    """The class that is mapped to it; ``None`` for a table without one."""
    return next((mapper.class_ for mapper in _mappers() if mapper.local_table is table), None)


def attribute_of(table: Table, column: str) -> str:
    """``Tenant.new_flag`` for a column of a mapped table, ``tenants.new_flag`` for one of another."""
    for mapper in (m for m in _mappers() if m.local_table is table):
        for name, mapped in mapper.columns.items():
            if getattr(mapped, "name", None) == column and getattr(mapped, "table", None) is table:
                return f"{mapper.class_.__name__}.{name}"
    return f"{table.fullname}.{column}"


def place_of(table: Table, attribute: str = "") -> Place:
    """Where the class that maps it is written, as far as Python knows; or an attribute of the class, where that is found in it."""
    mapped = mapped_class(table)
    if mapped is None:
        return Place()
    try:
        file, (lines, line) = inspect.getsourcefile(mapped), inspect.getsourcelines(mapped)
    except (OSError, TypeError):  # it was made at run time, or its source is not there
        return Place()
    written = re.compile(rf"\s+{re.escape(attribute)}\s*[:=]")
    line += next((n for n, text in enumerate(lines) if attribute and written.match(text)), 0)
    relative = os.path.relpath(file) if file else ""
    return Place(file if relative.startswith("..") else relative, line) if file else Place()


def table_of(metadata: MetaData, key: Key) -> Table | None:
    """The models' table that an object is or belongs to; one without a schema stands where the ``search_path`` leads."""
    if key.kind is Kind.INDEX:
        return next((t for t in metadata.tables.values() if any(index.name == key.name for index in t.indexes)), None)
    name = key.name if key.kind is Kind.TABLE else key.table
    named = {t.schema: t for t in metadata.tables.values() if t.name == name}
    return named[key.schema] if key.schema in named else named.get(None)


def _mappers() -> Iterator[Any]:
    """Every mapper of the program; none where the ORM is not loaded."""
    mapping = sys.modules.get("sqlalchemy.orm.mapper")
    for registry in list(mapping._all_registries()) if mapping is not None else ():
        yield from list(registry.mappers)
