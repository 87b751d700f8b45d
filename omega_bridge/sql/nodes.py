"""The nodes of PostgreSQL's parse trees: what one is called, what is inside it and below. Relies on libpg_query's protobuf messages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias, cast

from google.protobuf.message import Message

from omega_bridge.sql.libpg_query import pb

_NODE = pb.Node

PLACES = frozenset({"location", "stmt_location", "stmt_len", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end"})
"""The fields that say where in the text a node stands, and nothing else."""


class Field(Protocol):
    """A field of a node. ``message_type``: none of what is no node."""

    name: str
    message_type: object


class ParseNode(Protocol):
    """A node. Its fields are those of PostgreSQL's grammar (``nodes/parsenodes.h``), by the names that libpg_query gives them."""

    def ListFields(self) -> Sequence[tuple[Field, Any]]:
        """The fields that are set, with what they hold."""

    def HasField(self, field_name: str, /) -> bool:
        """Whether a field is set."""

    def WhichOneof(self, oneof_group: str, /) -> str | None:
        """Which of the fields that exclude each other is."""

    def __getattr__(self, name: str, /) -> Any: ...

    def __setattr__(self, name: str, value: object, /) -> None: ...


Tree: TypeAlias = "dict[str, Any]"
"""A node of PL/pgSQL's tree, which is JSON: its fields by their names, and in them a further node by the name of its kind."""


def name_of(node: object) -> str:
    """What a node is called, such as ``FuncCall``."""
    return type(node).__name__


def held(node: ParseNode) -> ParseNode | None:
    """The node inside a ``Node`` wrapper, if there is one; what is no wrapper is given back as it is."""
    if type(node) is _NODE:
        field = node.WhichOneof("node")
        return getattr(node, field) if field else None
    return node


inner = cast("Callable[[ParseNode], ParseNode]", held)
"""The same of a wrapper that certainly holds one."""


def unwrapped(node: ParseNode) -> ParseNode:
    """The same of one that may hold none: then it is the wrapper itself."""
    found = held(node)
    return node if found is None else found


def copied(node: ParseNode) -> ParseNode:
    """A node that may be changed: those that ``parse`` gives are shared."""
    copy: ParseNode = type(node)()
    copy.CopyFrom(node)
    return copy


def beyond(node: ParseNode, known: Collection[str]) -> bool:
    """Whether a node has a field set that is not among the ``known`` ones; where it stands in the text is none.

    What reads a node names the fields that it reads: one that a later grammar adds is then seen not to be read.
    """
    return any(field.name not in known and field.name not in PLACES for field, _ in node.ListFields())


def strings(nodes: Iterable[ParseNode]) -> tuple[str, ...]:
    """The texts of a list of ``String`` nodes, such as the parts of a qualified name."""
    return tuple([inner(n).sval for n in nodes])


def walk(node: ParseNode) -> Iterator[ParseNode]:
    """A node and every node below it, unwrapped, in the order of the text."""
    waiting = [node]
    while waiting:
        found = held(waiting.pop())
        if found is None:
            continue
        yield found
        below: list[ParseNode] = []
        for field, value in found.ListFields():
            if field.message_type is None:
                continue
            if isinstance(value, Message):
                below.append(value)
            else:
                below.extend(value)
        waiting.extend(reversed(below))


def wrapped(message: ParseNode) -> ParseNode:
    """A node inside a ``Node`` wrapper."""
    node: ParseNode = pb.Node()
    for field in node.DESCRIPTOR.oneofs_by_name["node"].fields:
        if field.message_type is message.DESCRIPTOR:
            getattr(node, field.name).CopyFrom(message)
            break
    return node
