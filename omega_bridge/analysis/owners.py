"""Whom a list gives its objects to: what ``ALTER ... OWNER TO`` says. Nothing is claimed of it at a start; ``drift`` expects it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from omega_bridge.analysis.analysis import Analysis
from omega_bridge.analysis.effects.naming import NotRead, qualified, relation
from omega_bridge.analysis.effects.targets import target
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import inner, parse, pb
from omega_bridge.tags import Tag


class Given(NamedTuple):
    """``key``: as the statement names it; ``role``: empty for who runs the list."""

    key: Key
    role: str


_OBJECTS = {
    pb.OBJECT_SCHEMA: Kind.SCHEMA, pb.OBJECT_FUNCTION: Kind.FUNCTION, pb.OBJECT_PROCEDURE: Kind.FUNCTION, pb.OBJECT_ROUTINE: Kind.FUNCTION,
    pb.OBJECT_AGGREGATE: Kind.FUNCTION, pb.OBJECT_TYPE: Kind.ENUM, pb.OBJECT_DOMAIN: Kind.DOMAIN, pb.OBJECT_PUBLICATION: Kind.PUBLICATION,
    pb.OBJECT_EVENT_TRIGGER: Kind.EVENT_TRIGGER, pb.OBJECT_FDW: Kind.FOREIGN_DATA_WRAPPER, pb.OBJECT_FOREIGN_SERVER: Kind.FOREIGN_SERVER,
    pb.OBJECT_LANGUAGE: Kind.LANGUAGE,
}  # fmt: skip
_RELATIONS = (Kind.TABLE, Kind.SEQUENCE)
"""As which ``ALTER TABLE`` and its like name one; the first stands for views, too."""
_RUNNER = frozenset({pb.ROLESPEC_CURRENT_ROLE, pb.ROLESPEC_CURRENT_USER, pb.ROLESPEC_SESSION_USER})


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
            changes = [c for c in map(inner, node.cmds) if c.subtype == pb.AT_ChangeOwner]
            yield from (
                Given(relation(node.relation, kind), role) for c in changes for role in _role(c.newowner) for kind in _RELATIONS
            )


def _named(kind: Kind, node: pb.List | pb.ObjectWithArgs | pb.String) -> Key:
    return qualified(node.items, kind) if isinstance(node, pb.List) else target(kind, node)


def _role(spec: pb.RoleSpec) -> tuple[str, ...]:
    if spec.roletype == pb.ROLESPEC_CSTRING:
        return (spec.rolename,)
    return ("",) if spec.roletype in _RUNNER else ()
