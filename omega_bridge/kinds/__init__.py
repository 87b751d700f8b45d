"""What the bridge knows of each kind of object: a room for each kind, complete, or this import fails.

A new kind is a word in ``omega_bridge.catalog.Kind`` and a module here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import COMMENTS, Counted
from omega_bridge.kinds.room import Room
from omega_bridge.kinds.statements import OF_NO_KIND, Opaque, Read, ReadAs, Said
from omega_bridge.tags import Tag

__all__ = ["COUNTED", "IN_CATALOG", "LEAVES", "MEMBERS", "NAMING_TABLES", "READ", "ROOMS", "SAID", "gathered", "stored_in"]


def gathered(modules: Iterable[str]) -> Mapping[Kind, Room]:
    """The rooms by kind, in the order in which ``Kind`` names them. Raises ``ImportError`` that names what is lacking."""
    found: dict[Kind, Room] = {}
    for module in modules:
        try:
            room: Room = import_module(f"{__name__}.{module}").ROOM
        except ModuleNotFoundError as exc:
            if exc.name != f"{__name__}.{module}":
                raise
            continue
        except (AttributeError, TypeError) as exc:
            raise ImportError(f"omega_bridge/kinds/{module}.py is not complete: {exc}") from exc
        if module != room.kind.replace(" ", "_"):
            raise ImportError(f"omega_bridge/kinds/{module}.py is the room of {room.kind}: name it so")
        found[room.kind] = room
    if lacking := [str(kind) for kind in Kind if kind not in found]:
        raise ImportError(f"omega_bridge/kinds lacks a room for: {', '.join(lacking)}")
    return MappingProxyType({kind: found[kind] for kind in Kind})


ROOMS: Mapping[Kind, Room] = gathered(str(kind).replace(" ", "_") for kind in Kind)
"""By kind, in the order in which ``Kind`` names them."""


def stored_in(catalog: str) -> tuple[Kind, ...]:
    """The kinds that PostgreSQL keeps in a catalog, among those that are looked for by their names."""
    return tuple(room.kind for room in ROOMS.values() if room.is_common and room.stored.catalog == catalog)


IN_CATALOG: Mapping[Kind, str] = MappingProxyType(
    {room.kind: room.stored.parts[0] if room.stored.parts else room.stored.catalog for room in ROOMS.values() if room.is_common}
)
"""Where a change of one shows, of the kinds that are looked for by their names."""

MEMBERS = tuple(room.kind for room in ROOMS.values() if room.is_common and room.stored.table and room.kind is not Kind.COLUMN)
"""The kinds that belong to a relation, and are rows of a catalog of their own."""

SAID: tuple[Said, ...] = (*(said for room in ROOMS.values() for said in room.statements.all()), *OF_NO_KIND)
"""What is said of any statement."""


READ: Mapping[Tag, Read] = MappingProxyType({said.tag: said for said in SAID if isinstance(said, Read)})
"""The statements that are read, by libpg_query's names."""


def _leaves() -> Mapping[Tag, tuple[str, ...]]:
    found: dict[Tag, dict[str, None]] = {}
    anywhere: set[Tag] = set()
    for said in SAID:
        if isinstance(said, ReadAs):
            continue
        if said.leaves is None:
            anywhere.update(said.tags)
        else:
            for tag in said.tags:
                found.setdefault(tag, {}).update(dict.fromkeys(said.leaves))
    return MappingProxyType({tag: tuple(catalogs) for tag, catalogs in found.items() if tag not in anywhere})


LEAVES: Mapping[Tag, tuple[str, ...]] = _leaves()
"""Where statements leave what no look-up by name finds, by libpg_query's names. What is not here may leave its effect anywhere."""

NAMING_TABLES = frozenset(tag for said in SAID if isinstance(said, Opaque) and said.names_tables for tag in said.tags)
"""Statements that are not read, and fail without the tables in their text."""

COUNTED: Mapping[str, Counted] = MappingProxyType(
    {counted.catalog: counted for room in ROOMS.values() for counted in room.counted} | {COMMENTS.catalog: COMMENTS}
)
"""The catalogs that may count as a whole."""
