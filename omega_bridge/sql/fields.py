"""Which fields of which parse nodes a reader knows: what is set beyond them, nobody has looked at.

A whitelist, so that a field, a node or a word that a later grammar adds is seen not to be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from omega_bridge.sql.parser import PLACES, inner

Known: TypeAlias = "Mapping[str, bool | frozenset[int | str]]"
"""Of one kind of node: whether a field is walked into, or taken as it stands; or the values that it may have."""
Fields: TypeAlias = "Mapping[type[Any], Known]"
"""By the kind of node."""

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
    joined: dict[type[Any], Known] = {}
    for one in several:
        joined |= one
    return joined | {getattr(pb, name): those for name, those in kinds.items()}


def goes_beyond(node: Any, those: Fields) -> bool:
    """Whether something is set in a node, or in one that is walked into from there, that is not among the known."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        mine = those.get(type(found))
        if mine is None:
            return True
        for field, value in found.ListFields():
            how = mine.get(field.name)
            if how is False:
                continue
            if how is True:
                if isinstance(value, Message):
                    waiting.append(inner(value))
                else:
                    waiting.extend([inner(one) for one in value])
            elif how is None or value not in how:
                return True
    return False
