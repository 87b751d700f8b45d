"""Steps that are about temporary tables alone: what they make is gone with the session, so that later steps lack it on another one. Pure.

Certain is a step of which each statement makes such a table, or is about one that stands, reads what it fills it with, and calls
PostgreSQL's own functions alone. A step that writes to another table from it is none: that has been done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from omega_bridge.analysis.keeping import is_known
from omega_bridge.discarding import discards_all
from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import ParseNode, Statement, inner, name_of, parse, strings, walk
from omega_bridge.sql.grammar import DiscardMode, ObjectType, OnCommitAction
from omega_bridge.tags import Tag

_NAMES_ONE = re.compile(r"\btemp(orary)?\b|\bpg_temp\b|\bdiscard\b", re.IGNORECASE)
_PLACES = ("", "pg_temp")
_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_ABOUT_ONE = frozenset({Tag.INSERT, Tag.UPDATE, Tag.DELETE, Tag.INDEX, Tag.ALTER_TABLE})


def making_again(texts: Iterable[str]) -> tuple[str, ...]:
    """Of the texts of a history, in its order, those that make the temporary tables that stand behind the last one, on a new connection."""
    standing: set[str] = set()
    kept: list[str] = []
    for text in texts:
        if discards_all(text):
            standing.clear()
        elif _NAMES_ONE.search(text) or any(name in text for name in standing):
            found = _left(text, frozenset(standing))
            if found is not None:
                standing = set(found)
                kept.append(text)
        if not standing:
            kept.clear()
    return tuple(kept)


def _left(text: str, standing: frozenset[str]) -> frozenset[str] | None:
    """The tables that stand behind a text; ``None`` where it is about something else, too."""
    try:
        for statement in parse(text):
            changed = _behind(statement, standing)
            if changed is None:
                return None
            standing = changed
    except StepSyntaxError:
        return None
    return standing


def _behind(statement: Statement, standing: frozenset[str]) -> frozenset[str] | None:
    node = statement.node
    if statement.tag == Tag.DISCARD and node.target == DiscardMode.TEMP:
        return frozenset()
    _, *below = walk(node)
    if not all(map(_is_read_alone, below)):
        return None
    match statement.tag:
        case Tag.CREATE if _is_temporary(node.relation):
            return standing if node.oncommit == OnCommitAction.DROP else standing | {node.relation.relname}
        case Tag.CREATE_TABLE_AS if _is_temporary(node.into.rel) and node.objtype == ObjectType.TABLE:
            return standing if node.into.on_commit == OnCommitAction.DROP else standing | {node.into.rel.relname}
        case tag if tag in _ABOUT_ONE and _stands(node.relation, standing):
            return standing
        case Tag.TRUNCATE if all(_stands(inner(r), standing) for r in node.relations):
            return standing
        case Tag.DROP if node.remove_type == ObjectType.TABLE and (gone := set(_dropped(node))) <= standing:
            return standing - gone
    return None


def _is_read_alone(node: ParseNode) -> bool:
    """Beside what ``is_known`` asks for, a query may read any relation: as it did where the step first ran."""
    return name_of(node) not in _WRITES and (name_of(node) == "SelectStmt" or is_known(node))


def _is_temporary(relation: ParseNode) -> bool:
    return bool(relation.relpersistence == "t" or relation.schemaname == "pg_temp")


def _stands(relation: ParseNode, standing: frozenset[str]) -> bool:
    return relation.schemaname in _PLACES and relation.relname in standing


def _dropped(node: ParseNode) -> Iterator[str]:
    """The names that a ``DROP`` gives; of one in another schema, a name that no table has."""
    for found in node.objects:
        *schema, name = strings(inner(found).items)
        yield name if schema in ([], ["pg_temp"]) else "."
