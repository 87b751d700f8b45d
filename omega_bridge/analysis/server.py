"""What a list says of the server that its database lies in: roles by their names, and the database itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omega_bridge.analysis.analysis import Analysis
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import Statement, inner, parse
from omega_bridge.sql.grammar import RoleSpecType
from omega_bridge.tags import Tag

DATABASE = Key(Kind.DATABASE, "", "", "current_database()")

_TAGS = frozenset({Tag.CREATE_ROLE, Tag.ALTER_ROLE, Tag.ALTER_ROLE_SET, Tag.GRANT_ROLE})
_OF_DATABASE = re.compile(r"\b(?:on|alter)\s+database\b", re.IGNORECASE)


def said_of_server(analysis: Analysis) -> frozenset[Key]:
    """The roles that it makes, changes, or makes members of others; a name that is put together at run time is not one."""
    return frozenset(
        Key(Kind.ROLE, "", "", name)
        for step in analysis
        for said in step.reading.statements
        if said.tag in _TAGS
        for statement in parse(said.text)
        for name in _roles(statement)
    ) | frozenset(DATABASE for step in analysis if _OF_DATABASE.search(step.step.sql))


def _roles(statement: Statement) -> Iterator[str]:
    node = statement.node
    if statement.tag is Tag.CREATE_ROLE:
        yield node.role
        return
    specs = map(inner, node.grantee_roles) if statement.tag is Tag.GRANT_ROLE else (node.role,)
    yield from (spec.rolename for spec in specs if spec.roletype == RoleSpecType.CSTRING)
