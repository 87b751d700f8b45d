"""The statement that reads a schema: one row an object (kind, schema, table, name, values), made of the rooms; and what a row says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from omega_bridge.catalog import Kind
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.room import Room, Since


@lru_cache(maxsize=8)
def arms(version: int, *, every: bool) -> str:
    """A SELECT for each kind, for a server of that version; of those that are looked for by name, or of ``every`` kind.

    They read the queries ``schemas``, ``extension_owned``, ``version_tables``, ``relations``, ``tables``, ``index_ids``, ``sequence_ids``,
    ``types`` and ``not_nulls`` of ``omega_bridge/postgres/queries/catalog.sql``, and hold its placeholders.
    """
    return "\nUNION ALL\n".join(
        _arm(room, version) for room in ROOMS.values() if room.is_common or (every and not room.is_of_server)
    )


@lru_cache(maxsize=8)
def of_server(version: int) -> str:
    """A SELECT for each kind that lies in the server, with the placeholder ``names`` for those that are looked for."""
    return "\nUNION ALL\n".join(_arm(room, version) for room in ROOMS.values() if room.is_of_server)


def _arm(room: Room, version: int) -> str:
    schema, table = _place(room)
    shown = ", ".join(_attributes(room, version).values())
    where = [room.only] if room.only else []
    if not room.rows:
        where += [_of_users(room), f"x.oid NOT IN ({_EXTENSION_OWNED.format(room.stored.catalog)})"]
    return "\n".join(
        (
            f"SELECT '{room.kind}' AS kind, {schema} AS schema, {table} AS \"table\", {room.stored.name}::text AS name,",
            f"  json_build_array({shown}) AS attributes",
            f"FROM {room.rows or _rows(room)}",
            *([room.joins] if room.joins else []),
            *([f"WHERE {' AND '.join(where)}"] if where else []),
        )
    )


@lru_cache(maxsize=1)
def named() -> Mapping[str, tuple[Kind, tuple[str, ...]]]:
    """By a row's kind: that, and the attributes whose values it lists. To name them in each of a thousand rows is most of what such a
    row costs the server.
    """
    return {str(kind): (kind, tuple(_attributes(room, 0))) for kind, room in ROOMS.items()}


_EXTENSION_OWNED = "SELECT objid FROM extension_owned WHERE classid = '{}'::regclass::oid"


def _place(room: Room) -> tuple[str, str]:
    if room.place is not None:
        return room.place
    if room.stored.table:
        return "t.schema", "t.relname"
    if not room.stored.namespace:
        return "''", "''"
    return ("x.schema" if room.rows in ("relations x", "types x") else "s.nspname"), "''"


def _rows(room: Room) -> str:
    catalog = f"pg_catalog.{room.stored.catalog} x"
    return f"{catalog} JOIN schemas s ON s.oid = x.{room.stored.namespace}" if room.stored.namespace else catalog


def _of_users(room: Room) -> str:
    """Whether an object was made after the server was (``FirstNormalObjectId``, src/include/access/transam.h)."""
    return "true" if room.stored.namespace else "x.oid >= 16384::oid"


def _attributes(room: Room, version: int) -> dict[str, str]:
    found = {name: _sql(value, version) for name, value in room.attributes.items()}
    stored = room.stored
    if stored.owner:
        found.setdefault("owner", f"pg_get_userbyid(x.{stored.owner})")
    if stored.acl:
        items = f"coalesce((SELECT array_agg(g::text ORDER BY g::text) FROM unnest(x.{stored.acl}) g), '{{}}')"
        found.setdefault("grants", f"CASE WHEN x.{stored.acl} IS NULL THEN NULL ELSE {items} END")
    comment = f"obj_description(x.oid, '{stored.catalog}')" if room.comment is None else room.comment
    if comment:
        found["comment"] = comment
    return found


def _sql(value: str | Since, version: int) -> str:
    if isinstance(value, str):
        return value
    return value.sql if version >= value.version else value.otherwise
