"""What a list says of its extensions beyond that they are there: the schema of their objects, and the version."""

from __future__ import annotations

from omega_bridge.analysis.analysis import Analysis
from omega_bridge.sql import inner, parse
from omega_bridge.sql.grammar import ObjectType
from omega_bridge.tags import Tag

_SAID = {"schema": "schema", "new_version": "version"}
_TAGS = frozenset({Tag.CREATE_EXTENSION, Tag.ALTER_EXTENSION, Tag.ALTER_OBJECT_SCHEMA})


def said_of_extensions(analysis: Analysis) -> frozenset[tuple[str, str]]:
    """Names with ``schema`` or ``version``: what is left out, a server decides by what it has installed, and where."""
    return frozenset(said for step in analysis for s in step.reading.statements if s.tag in _TAGS for said in _of(s.text))


def _of(text: str) -> list[tuple[str, str]]:
    found = []
    for statement in parse(text):
        node = statement.node
        if statement.tag is Tag.ALTER_OBJECT_SCHEMA:
            if node.object_type == ObjectType.EXTENSION:
                found.append((inner(node.object).sval, "schema"))
        elif statement.tag in _TAGS:
            found += [(node.extname, _SAID[name]) for name in (inner(o).defname for o in node.options) if name in _SAID]
    return found
