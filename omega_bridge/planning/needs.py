"""What a program with these models needs of a database, and the database lacks: tables, columns, labels of enumerations.

By name alone, so that it is certain and cheap: every start that repairs asks it at its end, and no text is read for it. Of a
``MetaData`` only plain attributes are touched, so SQLAlchemy is not loaded for it either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from omega_bridge.analysis.program import VISIBLE
from omega_bridge.catalog import Catalog, Key, Kind, texts
from omega_bridge.planning.gaps import MODELS, Unkept, What
from omega_bridge.planning.world import World
from omega_bridge.steps import Place

if TYPE_CHECKING:
    from sqlalchemy import MetaData


_LONGEST = 63
"""Bytes of a name in PostgreSQL; a longer one is cut, and so cannot be looked for (``NAMEDATALEN``)."""


def unmet(catalog: Catalog, metadata: MetaData) -> tuple[Unkept, ...]:
    """What the models name and the catalog, read for their names, does not have."""
    world = World(catalog)
    found: dict[Key, Unkept] = {}
    for table in metadata.tables.values():
        for one in _of_table(world, table):
            found.setdefault(one.key, one)
    return tuple(found.values())


def type_names(metadata: MetaData) -> frozenset[str]:
    """The names of the enumerations that the models have the database make."""
    kinds = (_enum(column) for table in metadata.tables.values() for column in table.columns)
    return frozenset(str(kind.name) for kind in kinds if kind is not None)


def _of_table(world: World, table: Any) -> Iterator[Unkept]:
    key = Key(Kind.TABLE, table.schema or VISIBLE, "", str(table.name))
    there = world.find(key)
    if there is None:
        if not _is_long(key.name) and not any(name == key.name for _, name in world.catalog.hidden):
            yield Unkept(What.MISSING, world.place(key), MODELS)
        return
    columns = {k.name for k in world.catalog.columns(there.schema, there.name)}
    for column in table.columns:
        if columns and not column.system and column.name not in columns and not _is_long(column.name):
            yield Unkept(What.MISSING, Key(Kind.COLUMN, there.schema, there.name, str(column.name)), MODELS)
        elif (kind := _enum(column)) is not None:
            yield from _of_enum(world, kind, table.schema)


def _of_enum(world: World, kind: Any, schema: str | None) -> Iterator[Unkept]:
    key = world.find(Key(Kind.ENUM, kind.schema or VISIBLE, "", str(kind.name)))
    if key is None and kind.schema is None and schema is not None:
        key = world.find(Key(Kind.ENUM, schema, "", str(kind.name)))  # a release of SQLAlchemy puts it beside its table
    labels = (world.get(key) or {}).get("labels") if key is not None and key.kind is Kind.ENUM else None
    if labels is not None and (lacking := [label for label in kind.enums if label not in texts(labels)]):
        assert key is not None  # it has labels
        yield Unkept(What.DIFFERENT, key, MODELS, Place(), "labels", [*texts(labels), *lacking], labels)


def _enum(column: Any) -> Any:
    """The column's enumeration, or that of an array's elements, where PostgreSQL has a type for it."""
    kind = getattr(column.type, "item_type", column.type)
    is_native = getattr(kind, "enums", None) is not None and getattr(kind, "native_enum", False) and getattr(kind, "name", None)
    return kind if is_native else None


def _is_long(name: str) -> bool:
    return len(name.encode("utf-8", "surrogatepass")) > _LONGEST
