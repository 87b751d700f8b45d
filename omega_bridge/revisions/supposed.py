"""On what can a step be tried whose tables nothing makes? On what its own text says of them for certain: that they are there, which columns
they have, and of which type where the statement settles that. Pure.

What it does not say is supposed in two ways, so that what hangs on it comes out otherwise in one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from omega_bridge.analysis import StepAnalysis, statements
from omega_bridge.analysis.effects.naming import member, relation
from omega_bridge.analysis.program import RELATIONS, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.planning import World
from omega_bridge.sql import ParseNode, deparse_type, identifier, inner, name_of, parse, strings
from omega_bridge.sql.grammar import AlterTableType, ConstrType
from omega_bridge.tags import Tag

_WAYS = (("integer", "id"), ("text", "key"))
"""The type of a column of which nothing is said, and the name of a primary key of which only that is said."""
_PLAIN = ("", "btree")
_PRIMARY = ""
"""In the place of a column's name: the table's primary key, whatever it is called."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """``tables``: what is supposed, for people; ``ways``: the SQL that makes it, each time otherwise in what is not said."""

    tables: tuple[str, ...]
    ways: tuple[str, ...]


class _Uncertain(Exception):
    """More has to be known of the tables than the text says."""


@dataclass
class _Table:
    """What a text says of one table. ``columns``: the type, or ``None``; ``keys``: what a foreign key needs to be unique."""

    columns: dict[str, str | None] = field(default_factory=dict)
    keys: dict[tuple[str, ...], None] = field(default_factory=dict)


def supposed(step: StepAnalysis, world: World) -> Supposed | None:
    """What a step of one statement says of the tables that it lacks; ``None`` where that is not enough to try it on, or nothing lacks."""
    found = list(statements(step.program, handlers=True))
    if len(found) != 1 or found[0].opaque or found[0].data or not step.transactional or step.problem is not None:
        return None
    try:
        tables = _Reader(world).read(found[0])
    except _Uncertain:
        return None
    if not tables:
        return None
    return Supposed(
        tuple(_told(key, table) for key, table in tables.items()),
        tuple("; ".join(_made(key, table, *way) for key, table in tables.items()) for way in _WAYS),
    )


def _told(key: Key, table: _Table) -> str:
    said = (f"{identifier(name)} {kind or ''}".strip() if name else "its primary key" for name, kind in table.columns.items())
    return f"{identifier(key.name)} ({', '.join(said)})"


def _made(key: Key, table: _Table, unknown: str, primary: str) -> str:
    columns = [f"{identifier(name or primary)} {kind or unknown}" for name, kind in table.columns.items()]
    keys = [
        f"PRIMARY KEY ({primary})" if names == (_PRIMARY,) else f"UNIQUE ({', '.join(identifier(n) for n in names)})"
        for names in table.keys
    ]
    return f"CREATE TABLE public.{identifier(key.name)} ({', '.join([*columns, *keys])})"


class _Reader:
    """Reads one statement."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables: dict[Key, _Table] = {}

    def read(self, s: Sql) -> dict[Key, _Table]:
        """What is lacking. Raises ``_Uncertain``."""
        (statement,) = parse(s.text)
        match s.tag:
            case Tag.ALTER_TABLE if len(statement.node.cmds) == 1:
                self._alter(statement.node)
            case Tag.INDEX:
                self._index(statement.node)
            case Tag.CREATE:
                self._create(statement.node)
            case _:
                raise _Uncertain
        if any(self._is_unsaid(key) for key in s.needs):
            raise _Uncertain
        return self._tables

    def _is_unsaid(self, key: Key) -> bool:
        """Whether the statement needs a table or a column that neither is there nor is supposed; of the rest the server judges."""
        if key.kind is Kind.COLUMN:
            table = self._tables.get(Key(Kind.TABLE, "", "", key.table))
            return key.name not in table.columns if table is not None else self._world.has(key) is not True
        is_said = key.kind not in RELATIONS or Key(Kind.TABLE, "", "", key.name) in self._tables
        return not is_said and self._world.has(key) is not True

    def _table(self, node: ParseNode) -> tuple[Key, _Table | None]:
        """A table that is named, and what is said of it where it is not there."""
        key = relation(node)
        if self._world.find(key) is not None:
            return key, None
        if node.schemaname not in ("", "public") or not node.inh:
            raise _Uncertain
        return key, self._tables.setdefault(Key(Kind.TABLE, "", "", key.name), _Table())

    def _want(self, node: ParseNode, columns: Iterable[tuple[str, str | None]]) -> None:
        _, table = self._table(node)
        for name, kind in columns if table is not None else ():
            assert table is not None
            if kind is not None and table.columns.get(name) not in (None, kind):
                raise _Uncertain
            table.columns[name] = kind or table.columns.get(name)

    def _alter(self, node: ParseNode) -> None:
        command = inner(node.cmds[0])
        definition = inner(getattr(command, "def"))
        self._table(node.relation)
        match command.subtype:
            case AlterTableType.ADD_COLUMN:
                self._column(definition)
            case AlterTableType.ADD_CONSTRAINT if definition.contype in (ConstrType.UNIQUE, ConstrType.PRIMARY):
                if definition.indexname:
                    raise _Uncertain
                self._want(node.relation, ((name, None) for name in strings(definition.keys)))
            case AlterTableType.ADD_CONSTRAINT if definition.contype == ConstrType.FOREIGN:
                names = strings(definition.fk_attrs)
                kinds = [self._kind(node.relation, name) for name in names]
                self._want(node.relation, zip(names, self._foreign(definition, kinds), strict=True))
            case _:
                raise _Uncertain

    def _column(self, definition: ParseNode) -> None:
        for constraint in map(inner, definition.constraints):
            if constraint.contype == ConstrType.FOREIGN:
                self._foreign(constraint, [deparse_type(definition.type_name)])
            elif constraint.contype in (ConstrType.CHECK, ConstrType.GENERATED):
                raise _Uncertain

    def _index(self, node: ParseNode) -> None:
        elements = [inner(e) for e in (*node.index_params, *node.index_including_params)]
        is_plain = node.access_method in _PLAIN and not node.where_clause.WhichOneof("node")
        if not is_plain or any(not e.name or e.opclass or e.collation for e in elements):
            raise _Uncertain
        self._want(node.relation, ((e.name, None) for e in elements))

    def _create(self, node: ParseNode) -> None:
        elements = [inner(e) for e in (*node.table_elts, *node.constraints)]
        if node.inh_relations or any(name_of(e) not in ("ColumnDef", "Constraint") for e in elements):
            raise _Uncertain
        kinds = {e.colname: deparse_type(e.type_name) for e in elements if name_of(e) == "ColumnDef"}
        for element in elements:
            if name_of(element) == "ColumnDef":
                for constraint in map(inner, element.constraints):
                    if constraint.contype == ConstrType.FOREIGN and not self._is_itself(constraint, node):
                        self._foreign(constraint, [kinds[element.colname]])
            elif element.contype == ConstrType.FOREIGN and not self._is_itself(element, node):
                self._foreign(element, [kinds.get(name) for name in strings(element.fk_attrs)])

    def _is_itself(self, constraint: ParseNode, node: ParseNode) -> bool:
        return bool(constraint.pktable.relname == node.relation.relname)

    def _kind(self, node: ParseNode, name: str) -> str | None:
        """The type of a column of a table that is there."""
        found = self._world.find(member(relation(node), Kind.COLUMN, name))
        kind = (self._world.get(found) or {}).get("type") if found is not None else None
        return kind if isinstance(kind, str) else None

    def _foreign(self, constraint: ParseNode, kinds: list[str | None]) -> Iterator[str | None]:
        """What a foreign key says of the table that it is to, and the types of the columns that it is of."""
        names = strings(constraint.pk_attrs) or (_PRIMARY,)
        if len(names) != len(kinds) or any(kind is not None and "serial" in kind for kind in kinds):
            raise _Uncertain
        _, table = self._table(constraint.pktable)
        if table is None:
            return iter([kind or self._kind(constraint.pktable, name) for name, kind in zip(names, kinds, strict=True)])
        self._want(constraint.pktable, zip(names, kinds, strict=True))
        table.keys[names] = None
        return iter([table.columns[name] for name in names])
