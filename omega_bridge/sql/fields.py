"""Which fields of which parse nodes a reader knows: what is set beyond them, nobody has looked at.

A whitelist, so that a field, a node or a word that a later grammar adds is seen not to be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

from google.protobuf.message import Message

from omega_bridge.sql.libpg_query import pb
from omega_bridge.sql.nodes import PLACES, ParseNode

Known: TypeAlias = "Mapping[str, bool | frozenset[int | str]]"
"""Of one kind of node: whether a field is walked into, or taken as it stands; or the values that it may have."""
Fields: TypeAlias = "Mapping[type[object], Mapping[object, bool | frozenset[int | str]]]"
"""By the kind of node, and the descriptor of its field."""

_NODE = pb.Node
_EVERYWHERE: Known = dict.fromkeys(PLACES, False)


def known(below: str = "", whole: str = "", **values: Collection[int | str]) -> Known:
    """The fields of a kind of node. ``below``: what they hold is looked at in turn. ``whole``: whatever they hold, it is
    carried, or compared, as it stands, or changes nothing about what is claimed. ``values``: known with these values alone.
    """
    return {
        **_EVERYWHERE,
        **dict.fromkeys(below.split(), True),
        **dict.fromkeys(whole.split(), False),
        **{name: frozenset(those) for name, those in values.items()},
    }


def fields(*several: Fields, **kinds: Known) -> Fields:
    """Kinds of node by their names, and those of others; what is said last counts."""
    joined: dict[type[object], Mapping[object, bool | frozenset[int | str]]] = {}
    for one in several:
        joined |= one
    for kind, those in kinds.items():
        node = getattr(pb, kind)
        by_name = node.DESCRIPTOR.fields_by_name
        joined[node] = {by_name[name]: how for name, how in those.items() if name in by_name or name not in PLACES}
    return joined


def goes_beyond(node: ParseNode, those: Fields) -> bool:
    """Whether something is set in a node, or in one that is walked into from there, that is not among the known."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if type(found) is _NODE:
            held = found.ListFields()
            if not held:
                return True
            found = held[0][1]
        mine = those.get(type(found))
        if mine is None:
            return True
        for field, value in found.ListFields():
            how = mine.get(field)
            if how is False:
                continue
            if how is True:
                if isinstance(value, Message):
                    waiting.append(value)
                else:
                    waiting.extend(value)
            elif how is None or value not in how:
                return True
    return False
