"""Which catalogs a guard reads, how they are joined, and what their columns mean in our catalog's terms.

Which they are for a kind of object is said in its room (``omega_bridge.kinds``). A column that is not listed is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from omega_bridge.catalog import Kind
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.room import Room, Stored
from omega_bridge.values import dataclass

Tie = frozenset[str]
"""Two columns that have to be equal, such as ``pg_class.relnamespace`` and ``pg_namespace.oid``."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One catalog, or several joined ones.

    ``columns``: by relation, what each column means. ``ties``: the sets of equations of which one has to stand in the query;
    without them rows that have nothing to do with each other are paired. ``scope``: the relation whose rows are counted.
    ``own``: the type of the pseudo-constant that stands for an ``oid`` of it.
    """

    scope: str
    kinds: tuple[Kind, ...]
    columns: Mapping[str, Mapping[str, str]]
    ties: tuple[frozenset[Tie], ...] = (frozenset(),)
    own: str = ""


_NAMESPACE = {"nspname": "schema"}
_OWN = {"pg_class": "regclass", "pg_type": "regtype"}


def _views() -> Iterator[tuple[Iterable[str], Lookup]]:
    """The information schema's, and PostgreSQL's own: one row an object, with its names."""
    kinds: dict[str, list[Kind]] = {}
    columns: dict[str, Mapping[str, str]] = {}
    for room in ROOMS.values():
        for view, meanings in room.guards.views.items():
            kinds.setdefault(view, []).append(room.kind)
            columns[view] = {**columns.get(view, {}), **meanings}
    for view, several in kinds.items():
        yield (view,), Lookup(view, tuple(several), {view: columns[view]})


def _catalogs() -> Iterator[tuple[Iterable[str], Lookup]]:
    kinds: dict[str, list[Room]] = {}
    for room in ROOMS.values():
        if room.guards.columns is not None:
            kinds.setdefault(room.stored.catalog, []).append(room)
    for rooms in kinds.values():
        several = tuple(room.kind for room in rooms)
        found = _of_a_table if rooms[0].stored.table else _of_a_schema
        yield from found(several, rooms[0].stored, _columns(rooms[0]))
        for room in rooms:
            if room.stored.parts:
                yield from _parts(room, _columns(room))


def _columns(room: Room) -> Mapping[str, str]:
    """What the columns of a kind's own catalog mean."""
    stored = room.stored
    known = {stored.column: "name", stored.table: "table oid", stored.namespace: "schema oid", **(room.guards.columns or {})}
    return {column: meaning for column, meaning in known.items() if column.isidentifier()}


def _tie(one: str, other: str) -> Tie:
    return frozenset({one, other})


def _of_a_table(kinds: tuple[Kind, ...], stored: Stored, columns: Mapping[str, str]) -> Iterator[tuple[Iterable[str], Lookup]]:
    """What belongs to a table is tied to the table, and by that, or by itself, to a schema."""
    name = stored.catalog
    of_table = _tie(f"{name}.{stored.table}", "pg_class.oid")
    in_schema = _tie(f"{name}.{stored.namespace}", "pg_namespace.oid")
    both = [frozenset({of_table, _CLASS_IN_SCHEMA}), *([frozenset({of_table, in_schema})] if stored.namespace else [])]
    with_table = {name: columns, "pg_class": _OF_TABLE}
    yield (name,), Lookup(name, kinds, {name: columns})
    yield (name, "pg_class"), Lookup(name, kinds, with_table, (frozenset({of_table}),), "regclass")
    yield (
        (name, "pg_class", "pg_namespace"),
        Lookup(name, kinds, {**with_table, "pg_namespace": _NAMESPACE}, tuple(both), "regclass"),
    )
    if stored.namespace:
        yield (name, "pg_namespace"), Lookup(name, kinds, {name: columns, "pg_namespace": _NAMESPACE}, (frozenset({in_schema}),))


_OF_TABLE = {"relname": "table", "relnamespace": "schema oid", "relkind": "table relkind", "oid": "table oid"}
_CLASS_IN_SCHEMA = _tie("pg_class.relnamespace", "pg_namespace.oid")


def _of_a_schema(kinds: tuple[Kind, ...], stored: Stored, columns: Mapping[str, str]) -> Iterator[tuple[Iterable[str], Lookup]]:
    name, own = stored.catalog, _OWN.get(stored.catalog, "")
    yield (name,), Lookup(name, kinds, {name: columns}, own=own)
    if stored.namespace:
        ties = (frozenset({_tie(f"{name}.{stored.namespace}", "pg_namespace.oid")}),)
        yield (name, "pg_namespace"), Lookup(name, kinds, {name: columns, "pg_namespace": _NAMESPACE}, ties, own)


def _parts(room: Room, whole: Mapping[str, str]) -> Iterator[tuple[Iterable[str], Lookup]]:
    """The rows of an enum's labels."""
    stored, kinds = room.stored, (room.kind,)
    assert stored.parts is not None
    name, of = stored.parts
    own = _OWN[stored.catalog]
    columns = {**room.guards.part_columns, of: f"{own.removeprefix('reg')} oid"}
    of_whole = _tie(f"{name}.{of}", f"{stored.catalog}.oid")
    in_schema = _tie(f"{stored.catalog}.{stored.namespace}", "pg_namespace.oid")
    both = {name: columns, stored.catalog: whole}
    yield (name,), Lookup(name, kinds, {name: columns})
    yield (name, stored.catalog), Lookup(name, kinds, both, (frozenset({of_whole}),), own)
    yield (
        (name, stored.catalog, "pg_namespace"),
        Lookup(name, kinds, {**both, "pg_namespace": _NAMESPACE}, (frozenset({of_whole, in_schema}),), own),
    )


LOOKUPS: Mapping[frozenset[str], Lookup] = {frozenset(names): lookup for names, lookup in (*_views(), *_catalogs())}
"""By the names of the relations that a guard reads."""

TIES = frozenset(column for lookup in LOOKUPS.values() for ties in lookup.ties for tie in ties for column in tie)
"""Every column that ties catalogs together."""
