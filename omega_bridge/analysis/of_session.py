"""What steps make for their session alone, so that later ones lack it on another connection: temporary tables and what they hold, views,
routines and types in ``pg_temp``, prepared statements. Pure.

A definition may be given again by itself. A temporary table is made again by the steps that are about such tables alone, read what they
fill it with, and call PostgreSQL's own functions. Where anything else may have written to it, it is not made again: to lack it is an
error, and to read another content from it would be none. So it is with a temporary sequence: it is made again as long as nobody names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from omega_bridge.analysis.keeping import is_known
from omega_bridge.discarding import discards_all
from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import ParseNode, Statement, inner, name_of, parse, strings, walk
from omega_bridge.sql.grammar import DiscardMode, ObjectType, OnCommitAction
from omega_bridge.tags import Tag

_BEGINS = re.compile(r"\btemp(orary)?\b|\bpg_temp\b|\bdiscard\b|\b(prepare|deallocate)\b", re.IGNORECASE)
_HERE = ("", "pg_temp")
_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_ABOUT_A_TABLE = frozenset({Tag.INSERT, Tag.UPDATE, Tag.DELETE, Tag.INDEX, Tag.ALTER_TABLE})
_READING = frozenset({Tag.INSERT, Tag.UPDATE, Tag.DELETE, Tag.MERGE, Tag.SELECT, Tag.CREATE_TABLE_AS, Tag.VIEW})
_DROPPED = {
    ObjectType.TABLE: "table",
    ObjectType.VIEW: "view",
    ObjectType.TYPE: "type",
    ObjectType.FUNCTION: "routine",
    ObjectType.PROCEDURE: "routine",
    ObjectType.ROUTINE: "routine",
}


def making_again(texts: Iterable[str]) -> tuple[str, ...]:
    """What to send on a new connection, of the texts of a history in its order."""
    found = _Session()
    for place, text in enumerate(texts):
        found.take(place, text)
    return found.texts()


@dataclass(frozen=True, slots=True)
class _Step:
    """One about temporary tables alone, and those that it names."""

    place: int
    text: str
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Definition:
    place: int
    text: str
    kind: str
    name: str


@dataclass
class _Session:
    tables: frozenset[str] = frozenset()
    steps: list[_Step] = field(default_factory=list)
    definitions: list[_Definition] = field(default_factory=list)

    def texts(self) -> tuple[str, ...]:
        parts: list[_Step | _Definition] = [*self.steps, *self.definitions]
        return tuple(part.text for part in sorted(parts, key=lambda part: part.place))

    def take(self, place: int, text: str) -> None:
        """One step more."""
        if discards_all(text):
            self.tables, self.steps, self.definitions = frozenset(), [], []
            return
        named = frozenset(name for name in self.tables if _names(text, name))
        self._undefine(
            "sequence", [d.name for d in self.definitions if _names(text, d.name)]
        )  # where it stands then is not known
        if not named and not _BEGINS.search(text) and not (self.definitions and "drop" in text.lower()):
            return
        try:
            statements = parse(text)
        except StepSyntaxError:
            self._let_go(named)
            return
        left = _tables_behind(statements, self.tables)
        if left is None:
            if not all(_only_reads(statement, named) for statement in statements):
                self._let_go(named)
        elif named or left != self.tables:
            self.steps.append(_Step(place, text, named | (left - self.tables)))
            self._stand(left)
        for number, statement in enumerate(statements):
            self._define(place, statement)
            later = [other.text for other in statements[number + 1 :]]
            self._undefine("sequence", [d.name for d in self.definitions if any(_names(other, d.name) for other in later)])

    def _stand(self, tables: frozenset[str]) -> None:
        self.tables = tables
        if not tables:
            self.steps.clear()

    def _let_go(self, tables: frozenset[str]) -> None:
        """Not these, nor others that a step of theirs is about."""
        while found := [step for step in self.steps if step.tables & tables]:
            tables |= frozenset().union(*(step.tables for step in found))
            self.steps = [step for step in self.steps if step not in found]
        self._stand(self.tables - tables)

    def _define(self, place: int, statement: Statement) -> None:
        node = statement.node
        match statement.tag:
            case Tag.DISCARD if node.target == DiscardMode.TEMP:
                self.definitions = [d for d in self.definitions if d.kind == "prepared"]
            case Tag.DEALLOCATE:
                self._undefine("prepared", [node.name] if node.name else [d.name for d in self.definitions])
            case Tag.DROP if node.remove_type in _DROPPED:
                self._undefine(_DROPPED[node.remove_type], _dropped(node))
            case _ if (found := _defined(statement)) is not None:
                self.definitions.append(_Definition(place, statement.text, *found))

    def _undefine(self, kind: str, names: Iterable[str]) -> None:
        gone = set(names)
        self.definitions = [d for d in self.definitions if d.kind != kind or d.name not in gone]


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def _defined(statement: Statement) -> tuple[str, str] | None:
    """What a statement does no more than write down for the session."""
    node = statement.node
    match statement.tag:
        case Tag.CREATE_FUNCTION if strings(node.funcname)[0] == "pg_temp":
            return "routine", strings(node.funcname)[-1]
        case Tag.VIEW if _is_temporary(node.view):
            return "view", node.view.relname
        case Tag.CREATE_ENUM if strings(node.type_name)[0] == "pg_temp":
            return "type", strings(node.type_name)[-1]
        case Tag.COMPOSITE_TYPE if _is_temporary(node.typevar):
            return "type", node.typevar.relname
        case Tag.CREATE_SEQ if _is_temporary(node.sequence):
            return "sequence", node.sequence.relname
        case Tag.PREPARE:
            return "prepared", node.name
    return None


def _tables_behind(statements: Iterable[Statement], standing: frozenset[str]) -> frozenset[str] | None:
    """The temporary tables that stand behind these; ``None`` where they are about something else, too."""
    for statement in statements:
        node = statement.node
        _, *below = walk(node)
        if not all(map(_is_read_alone, below)):
            return None
        match statement.tag:
            case Tag.CREATE if _is_temporary(node.relation):
                standing |= {node.relation.relname} if node.oncommit != OnCommitAction.DROP else frozenset()
            case Tag.CREATE_TABLE_AS if _is_temporary(node.into.rel) and node.objtype == ObjectType.TABLE:
                standing |= {node.into.rel.relname} if node.into.on_commit != OnCommitAction.DROP else frozenset()
            case tag if tag in _ABOUT_A_TABLE and _stands(node.relation, standing):
                pass
            case Tag.TRUNCATE if all(_stands(inner(r), standing) for r in node.relations):
                pass
            case Tag.DROP if node.remove_type == ObjectType.TABLE and (gone := frozenset(_dropped(node))) <= standing:
                standing -= gone
            case Tag.DISCARD if node.target == DiscardMode.TEMP:
                standing = frozenset()
            case _:
                return None
    return standing


def _is_read_alone(node: ParseNode) -> bool:
    """Beside what ``is_known`` asks for, a query may read any relation: as it did where the step first ran."""
    return name_of(node) not in _WRITES and (name_of(node) == "SelectStmt" or is_known(node))


def _only_reads(statement: Statement, tables: frozenset[str]) -> bool:
    """Whether a statement certainly writes to none of these. A function that may is tied to them by its own text."""
    if not tables or _defined(statement) is not None:
        return True
    written = (found.relation.relname for found in walk(statement.node) if name_of(found) in _WRITES)
    return statement.tag in _READING and tables.isdisjoint(written)


def _is_temporary(relation: ParseNode) -> bool:
    return bool(relation.relpersistence == "t" or relation.schemaname == "pg_temp")


def _stands(relation: ParseNode, standing: frozenset[str]) -> bool:
    return relation.schemaname in _HERE and relation.relname in standing


def _dropped(node: ParseNode) -> Iterator[str]:
    """The names of what a ``DROP`` takes from ``pg_temp``; for anything else, a name that nothing has. A routine there is found by its schema alone."""
    for found in map(inner, node.objects):
        is_routine = name_of(found) == "ObjectWithArgs"
        *schema, name = strings(found.objname if is_routine else found.items if name_of(found) == "List" else found.names)
        yield name if schema == ["pg_temp"] or not (schema or is_routine) else "."
