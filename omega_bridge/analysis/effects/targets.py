"""What a ``DROP``, ``COMMENT`` or ``RENAME`` is about: the kind by libpg_query's ``ObjectType``, and the name as the parse tree has it.

Which types of object are read, and as which kind, is said in ``omega_bridge.kinds``.
"""

from __future__ import annotations

from collections.abc import Mapping

from omega_bridge.analysis.effects.naming import member, qualified, routine, split
from omega_bridge.catalog import Key, Kind
from omega_bridge.kinds import ROOMS, stored_in
from omega_bridge.sql import ParseNode, inner, strings
from omega_bridge.sql.grammar import object_type

_TYPES = stored_in("pg_type")
_ROUTINES = stored_in("pg_proc")


def _about(verb: str) -> Mapping[int, Kind]:
    """The kinds by type of object, for one verb."""
    words = ((word, room.kind) for room in ROOMS.values() for said in room.statements.read(verb) for word in said.objects)
    try:
        return {object_type(word): kind for word, kind in words}
    except ValueError as exc:
        raise ImportError(f"libpg_query knows no such type of object for {verb.upper()}: {exc}") from exc


DROPPED = _about("drop")
COMMENTED = _about("comment")
RENAMED = _about("rename")


def target(kind: Kind, node: ParseNode) -> Key:
    """The key of an object by its name in a ``DROP`` or ``COMMENT``. Raises ``NotRead`` where that is not one of ours."""
    stored = ROOMS[kind].stored
    if kind in _TYPES:
        return qualified(node.names, kind)
    if kind in _ROUTINES:
        key = qualified(node.objname, kind)
        return key if node.args_unspecified else routine(key, map(inner, node.objargs))
    if stored.table:
        *owner, name = strings(node.items)
        schema, table = split(tuple(owner))
        return member(Key(Kind.TABLE, schema, "", table), kind, name)
    if stored.namespace:
        return qualified(node.items, kind)
    return Key(kind, "", "", node.sval)
