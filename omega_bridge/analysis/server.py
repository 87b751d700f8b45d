"""What a list says of the server that its database lies in: roles by their names, and the database itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omega_bridge.analysis.analysis import Analysis
from omega_bridge.catalog import Key, Kind
from omega_bridge.kinds.privileges import RUNNER
from omega_bridge.sql import Statement, inner, parse
from omega_bridge.sql.grammar import RoleSpecType
from omega_bridge.tags import Tag

DATABASE = Key(Kind.DATABASE, "", "", "current_database()")

_TAGS = frozenset({Tag.CREATE_ROLE, Tag.ALTER_ROLE, Tag.ALTER_ROLE_SET, Tag.GRANT_ROLE})
_OF_DATABASE = re.compile(r"\b(?:on|alter)\s+database\b", re.IGNORECASE)


def said_of_server(analysis: Analysis) -> frozenset[Key]:
    """The roles that it makes, changes, or makes members of others; a name that is put together at run time is not one.

    A role that it makes who runs the list a member of is a key of its own (``RUNNER`` in the place of a table): whatever else he is a
    member of is not the list's.
    """
    return frozenset(
        key
        for step in analysis
        for said in step.reading.statements
        if said.tag in _TAGS
        for statement in parse(said.text)
        for key in _roles(statement)
    ) | frozenset(DATABASE for step in analysis if _OF_DATABASE.search(step.step.sql))


def _roles(statement: Statement) -> Iterator[Key]:
    node = statement.node
    if statement.tag is Tag.CREATE_ROLE:
        yield Key(Kind.ROLE, "", "", node.role)
        return
    for spec in map(inner, node.grantee_roles) if statement.tag is Tag.GRANT_ROLE else (node.role,):
        if spec.roletype == RoleSpecType.CSTRING:
            yield Key(Kind.ROLE, "", "", spec.rolename)
        elif statement.tag is Tag.GRANT_ROLE:
            yield from (Key(Kind.ROLE, "", RUNNER, inner(granted).priv_name) for granted in node.granted_roles)
