"""The tables that a list stands on: its steps need them, and neither they nor a foundation makes them. Found in thought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omega_bridge.analysis import Analysis
from omega_bridge.analysis.program import RELATIONS, VISIBLE
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.settling import empty_catalog, settle_in
from omega_bridge.planning.world import World
from omega_bridge.sql import identifier

_ROUNDS = 16
"""Each finds what the steps need first; one step may need several tables."""


def unfounded(analysis: Analysis, ground: Catalog | None = None) -> tuple[str, ...]:
    """Their names, as the list has them. What a step asks for before it uses it, or does without where it is missing, is none."""
    below = ground if ground is not None else empty_catalog()
    provided = analysis.provided()
    found: dict[Key, None] = {}
    for _ in range(_ROUNDS):
        world = World(Catalog({**below.objects, **dict.fromkeys(found, _ANY_COLUMNS)}))
        lacking = dict.fromkeys(_tables(settle_in(world, analysis).lacking.values()))
        more = [k for k in lacking if k not in found and not any((kind, k.name) in provided for kind in RELATIONS)]
        if not more:
            break
        found.update(dict.fromkeys(more))
    return tuple(identifier("" if k.schema == below.search_path[0] else k.schema, k.name) for k in found)


_ANY_COLUMNS = {"columns known": False}


def _tables(keys: Iterable[Key]) -> Iterator[Key]:
    for key in keys:
        name = key.table if key.kind is not Kind.TABLE else key.name
        if name:
            yield Key(Kind.TABLE, "public" if key.schema in ("", VISIBLE) else key.schema, "", name)


def told(tables: tuple[str, ...]) -> str:
    """A line for people; empty where there is nothing to tell."""
    if not tables:
        return ""
    shown = ", ".join(tables[:8]) + (f" and {len(tables) - 8} more" if len(tables) > 8 else "")
    return (
        f"the list stands on table{'s' if len(tables) > 1 else ''} {shown}, which nothing in it makes: give them as its foundation "
        "(omega-bridge init --from-database URL writes it)"
    )
