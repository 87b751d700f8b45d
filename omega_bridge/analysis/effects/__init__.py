"""Statement to ``Sql``: one function a kind of statement, found by libpg_query's name for it, with the fields that it knows.

What no function knows is carried as opaque: it runs, and nothing is claimed about it. So it is with a statement in which a
field is set that its function does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import NamedTuple

from omega_bridge.analysis.effects.naming import OWN_SCHEMA, NotRead, relation
from omega_bridge.analysis.effects.repeating import errors_again
from omega_bridge.analysis.program import DOUBT, Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.kinds import NAMING_TABLES, READ
from omega_bridge.kinds.statements import Read
from omega_bridge.sql import Fields, ParseNode, Statement, goes_beyond, inner, name_of, walk
from omega_bridge.sql.grammar import AlterTableType, ObjectType, ReindexObjectType
from omega_bridge.tags import Tag


class Reader(NamedTuple):
    """What reads a kind of statement, and the fields of its parse tree that were thought of."""

    read: Callable[[Statement], Sql]
    known: Fields


@cache
def reader_of(tag: Tag) -> Reader | None:
    """What reads a kind of statement, as the room of its kind says; loaded when it is asked for. ``None`` for what nothing reads."""
    said = READ.get(tag)
    return None if said is None else _reader(said)


def _reader(said: Read) -> Reader:
    """The function that a room names, and the fields beside it."""
    module, name = said.reader.split(".")
    try:
        home = import_module(f"{__name__}.{module}")
        return Reader(getattr(home, name), getattr(home, said.known or name.upper()))
    except (AttributeError, ImportError) as exc:
        raise ImportError(f"{said.tag} is said to be read by {said.reader}: {exc}") from exc


_OUTSIDE_TRANSACTIONS = {
    Tag.VACUUM,
    Tag.CREATEDB,
    Tag.DROPDB,
    Tag.ALTER_SYSTEM,
    Tag.CREATE_SUBSCRIPTION,
    Tag.ALTER_SUBSCRIPTION,
    Tag.DROP_SUBSCRIPTION,
    Tag.CREATE_TABLE_SPACE,
    Tag.DROP_TABLE_SPACE,
    Tag.TRANSACTION,
}


def read(statement: Statement) -> Sql:
    """What is known of one statement."""
    reader = reader_of(statement.tag)
    if reader is None:
        return Sql(
            statement.text,
            statement.tag,
            needs=tuple(_named(statement)),
            opaque=True,
            transactional=statement.tag not in _OUTSIDE_TRANSACTIONS and not _refuses_a_transaction(statement),
            offset=statement.offset,
        )
    try:
        found = reader.read(statement)
    except NotRead:
        return _left_to_the_server(statement)
    if not found.data and any(key.schema == OWN_SCHEMA for key in _about(found)):
        return _left_to_the_server(statement)
    if _refuses_a_transaction(statement):
        found = replace(found, transactional=False)
    if goes_beyond(statement.node, reader.known):
        return _in_doubt(found)
    again = () if found.opaque or not found.effects else tuple(errors_again(statement))
    return replace(found, again=again) if again else found


def _left_to_the_server(statement: Statement) -> Sql:
    """One of which nothing is claimed: what it is about is not read here, or is the session's own, which no catalog of ours shows."""
    transactional = not getattr(statement.node, "concurrent", False) and not _refuses_a_transaction(statement)
    return Sql(statement.text, statement.tag, opaque=True, transactional=transactional, offset=statement.offset)


def _about(found: Sql) -> Iterator[Key]:
    yield from (effect.key for effect in (*found.effects, *found.implied))
    yield from (*found.needs, *found.destroys)


def _in_doubt(found: Sql) -> Sql:
    """A statement that says more than was read: it runs, and how what it is about looks then, only the server can tell.

    What touches rows alone runs at every boot, whatever else it says.
    """
    if found.data and not found.opaque:
        return replace(found, lookahead=None)
    about = dict.fromkeys(e.key for e in (*found.effects, *found.implied))
    doubts = tuple(Effect(key, attributes=((DOUBT, True),)) for key in about)
    return replace(found, effects=(), implied=doubts, needs=(), opaque=True)


def _named(statement: Statement) -> Iterator[Key]:
    """The tables that a statement of unknown effect is about: without them it fails."""
    if statement.tag not in NAMING_TABLES:
        return
    is_sequence = getattr(statement.node, "objtype", None) == ObjectType.SEQUENCE
    kind = Kind.SEQUENCE if is_sequence else Kind.TABLE
    for found in walk(statement.node):
        if name_of(found) == "RangeVar":
            yield relation(found, kind)


def _refuses_a_transaction(statement: Statement) -> bool:
    """Whether the statement's own words say that it does; that a table is partitioned they do not say."""
    node: ParseNode = statement.node
    if statement.tag == Tag.REINDEX:
        is_concurrent = any(p.def_elem.defname == "concurrently" for p in node.params)
        return is_concurrent or node.kind in (ReindexObjectType.SCHEMA, ReindexObjectType.SYSTEM, ReindexObjectType.DATABASE)
    if statement.tag == Tag.CLUSTER:
        return not node.HasField("relation")
    if statement.tag == Tag.ALTER_TABLE:
        commands = (inner(c) for c in node.cmds)
        return any(c.subtype == AlterTableType.DETACH_PARTITION and inner(getattr(c, "def")).concurrent for c in commands)
    return False
