"""What the bridge knows of each kind of object: a room for each kind, complete, or this import fails.

A new kind is a word in ``omega_bridge.catalog.Kind`` and a module here.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from omega_bridge.catalog import Kind
from omega_bridge.kinds.room import Room

__all__ = ["ROOMS"]

_FRAME = frozenset({"room", "question", "restoring"})


def _rooms() -> Mapping[Kind, Room]:
    found: dict[Kind, Room] = {}
    for module in sorted(entry.name for entry in pkgutil.iter_modules(__path__) if entry.name not in _FRAME):
        room: Room = import_module(f"{__name__}.{module}").ROOM
        if module != room.kind.replace(" ", "_"):
            raise ImportError(f"omega_bridge/kinds/{module}.py is the room of {room.kind}: name it so")
        found[room.kind] = room
    if lacking := [str(kind) for kind in Kind if kind not in found]:
        raise ImportError(f"omega_bridge/kinds lacks a room for: {', '.join(lacking)}")
    return MappingProxyType({kind: found[kind] for kind in Kind})


ROOMS: Mapping[Kind, Room] = _rooms()
"""By kind, in the order in which ``Kind`` names them."""
