"""The critical tables, as they stand after a start."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.outcomes import CriticalTable
from omega_bridge.planning import World

if TYPE_CHECKING:
    from sqlalchemy import MetaData


log = logging.getLogger("omega_bridge")


def inspect(catalog: Catalog, critical: Iterable[str], metadata: MetaData | None) -> tuple[CriticalTable, ...]:
    """Critical tables: present, missing, or of the old shape (the models have columns that the table lacks)."""
    found = []
    world = World(catalog)
    for name in critical:
        schema, _, table = name.rpartition(".")
        key = world.find(_table_key(schema, table))
        if key is None:
            found.append(CriticalTable(name, "missing"))
            continue
        there = {k.name for k in catalog.columns(key.schema, key.name)}
        model = metadata.tables.get(name) if metadata is not None else None
        lacks = tuple(c.name for c in model.columns if c.name not in there) if model is not None else ()
        found.append(CriticalTable(name, "old-shape" if lacks else "present", lacks))
    return tuple(found)


def _table_key(schema: str, table: str) -> Key:
    return Key(Kind.TABLE, schema, "", table)


def report(inspection: Iterable[CriticalTable]) -> None:
    """Log those that are not as they should be."""
    for table in inspection:
        if table.state != "present":
            log.info(
                "[MIGRATION] critical table %s: %s%s",
                table.name,
                table.state,
                f" (lacks {', '.join(table.lacks)})" if table.lacks else "",
            )
