"""Whom a list gives its objects to: what ``ALTER ... OWNER TO`` says. Nothing is claimed of it at a start; ``drift`` expects it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from omega_bridge.analysis.analysis import Analysis
from omega_bridge.analysis.effects.naming import NotRead, qualified, relation
from omega_bridge.analysis.effects.targets import target
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import ParseNode, inner, name_of, parse
from omega_bridge.sql.grammar import AlterTableType, ObjectType, RoleSpecType
from omega_bridge.tags import Tag


class Given(NamedTuple):
    """``key``: as the statement names it; ``role``: empty for who runs the list."""

    key: Key
    role: str


_OBJECTS = {
    ObjectType.SCHEMA: Kind.SCHEMA, ObjectType.FUNCTION: Kind.FUNCTION, ObjectType.PROCEDURE: Kind.FUNCTION, ObjectType.ROUTINE: Kind.FUNCTION,
    ObjectType.AGGREGATE: Kind.FUNCTION, ObjectType.TYPE: Kind.ENUM, ObjectType.DOMAIN: Kind.DOMAIN, ObjectType.PUBLICATION: Kind.PUBLICATION,
    ObjectType.EVENT_TRIGGER: Kind.EVENT_TRIGGER, ObjectType.FDW: Kind.FOREIGN_DATA_WRAPPER, ObjectType.FOREIGN_SERVER: Kind.FOREIGN_SERVER,
    ObjectType.LANGUAGE: Kind.LANGUAGE,
}  # fmt: skip
_RELATIONS = (Kind.TABLE, Kind.SEQUENCE)
"""As which ``ALTER TABLE`` and its like name one; the first stands for views, too."""
_RUNNER = frozenset({RoleSpecType.CURRENT_ROLE, RoleSpecType.CURRENT_USER, RoleSpecType.SESSION_USER})


def given(analysis: Analysis) -> Iterator[Given]:
    """In the list's order; what is named in another way is left out."""
    for step in analysis:
        for said in step.reading.statements:
            if said.tag in (Tag.ALTER_OWNER, Tag.ALTER_TABLE):
                try:
                    yield from _given(said.text)
                except NotRead:
                    continue


def _given(text: str) -> Iterator[Given]:
    for statement in parse(text):
        node = statement.node
        if statement.tag == Tag.ALTER_OWNER and node.object_type in _OBJECTS:
            yield from (Given(_named(_OBJECTS[node.object_type], inner(node.object)), role) for role in _role(node.newowner))
        elif statement.tag == Tag.ALTER_TABLE:
            changes = [c for c in map(inner, node.cmds) if c.subtype == AlterTableType.CHANGE_OWNER]
            yield from (
                Given(relation(node.relation, kind), role) for c in changes for role in _role(c.newowner) for kind in _RELATIONS
            )


def _named(kind: Kind, node: ParseNode) -> Key:
    return qualified(node.items, kind) if name_of(node) == "List" else target(kind, node)


def _role(spec: ParseNode) -> tuple[str, ...]:
    if spec.roletype == RoleSpecType.CSTRING:
        return (spec.rolename,)
    return ("",) if spec.roletype in _RUNNER else ()
