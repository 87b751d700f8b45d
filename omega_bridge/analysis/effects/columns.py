"""Column definitions and table constraints: the effects that ``CREATE TABLE`` and ``ALTER TABLE`` share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from omega_bridge.analysis.effects.naming import (
    RELATION,
    TYPE,
    NotRead,
    apart,
    generated,
    member,
    needed_extension,
    qualified,
    relation,
)
from omega_bridge.analysis.program import ANYTHING, VISIBLE, Effect
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import ParseNode, as_printed, deparse_expression, deparse_type, fields, inner, known, name_of, strings, walk
from omega_bridge.sql.building import constraint_definition, index_of_constraint
from omega_bridge.sql.grammar import ConstrType
from omega_bridge.values import dataclass

_LETTER = {
    ConstrType.PRIMARY: "p",
    ConstrType.UNIQUE: "u",
    ConstrType.FOREIGN: "f",
    ConstrType.CHECK: "c",
    ConstrType.EXCLUSION: "x",
}
_SERIAL = {
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
    "smallserial": "smallint",
    "serial2": "smallint",
}


_MODIFYING = {
    ConstrType.ATTR_DEFERRABLE,
    ConstrType.ATTR_NOT_DEFERRABLE,
    ConstrType.ATTR_DEFERRED,
    ConstrType.ATTR_IMMEDIATE,
    ConstrType.ATTR_ENFORCED,
    ConstrType.ATTR_NOT_ENFORCED,
}
"""Beside a column these stand by themselves, and are about the constraint in front of them."""

CONSTRAINT = fields(
    RELATION,
    Constraint=known(
        "pktable",
        "conname deferrable initdeferred is_enforced skip_validation initially_valid is_no_inherit raw_expr nulls_not_distinct keys "
        "without_overlaps including exclusions options indexname indexspace access_method where_clause fk_attrs pk_attrs "
        "fk_with_period pk_with_period fk_matchtype fk_upd_action fk_del_action fk_del_set_cols",
        contype=(
            *_LETTER,
            ConstrType.NULL,
            ConstrType.NOTNULL,
            ConstrType.DEFAULT,
            ConstrType.IDENTITY,
            ConstrType.GENERATED,
            *_MODIFYING,
        ),
        generated_when=("a", "d"),
        generated_kind=("s", "v"),
    ),
)
COLUMN = fields(
    CONSTRAINT, TYPE, ColumnDef=known("type_name constraints", "colname compression storage_name is_local coll_clause")
)

_REFERRING = frozenset({"CommonTableExpr", "RangeVar", "TypeName", "FuncCall", "IndexElem"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What a definition makes (the object itself first) and what it needs."""

    effects: tuple[Effect, ...]
    needs: tuple[Key, ...]


def column(table: Key, definition: ParseNode) -> Parts:
    """A column with everything written beside it. Raises ``NotRead`` where it has no type of its own."""
    if not definition.HasField("type_name"):
        raise NotRead
    name = definition.colname
    effects: list[Effect] = []
    written = deparse_type(definition.type_name)
    serial = _SERIAL.get(written.lower())
    attributes: dict[str, Any] = {
        "type": serial or written,
        "nullable": True,
        "default": None,
        "identity": "",
        "generated": "",
    }
    if serial:
        attributes |= {"nullable": False, "default": ANYTHING}
        effects.append(Effect(Key(Kind.SEQUENCE, table.schema, "", generated(table.name, [name], "seq"))))
    for constraint in map(inner, definition.constraints):
        match constraint.contype:
            case ConstrType.NOTNULL:
                attributes["nullable"] = False
            case ConstrType.DEFAULT:
                wanted = default(constraint.raw_expr)
                is_kept = definition.type_name.typmods or as_printed(written) is None
                attributes["default"] = ANYTHING if wanted is None and is_kept else wanted
            case ConstrType.IDENTITY:
                attributes |= {"identity": constraint.generated_when, "nullable": False}
                effects.append(Effect(_sequence(table, name, constraint)))
            case ConstrType.GENERATED:
                attributes |= {"generated": "v" if constraint.generated_kind == "v" else "s", "default": ANYTHING}
            case contype if contype in _LETTER:
                attributes["nullable"] = attributes["nullable"] and contype != ConstrType.PRIMARY
                effects.extend(table_constraint(table, constraint, (name,)).effects)
    if any(inner(c).contype in _MODIFYING for c in definition.constraints):
        effects = [_changed(effect) for effect in effects]
    if definition.HasField("coll_clause"):
        attributes["collation"] = ANYTHING
    if definition.storage_name:
        attributes["storage"] = ANYTHING
    if definition.compression:
        attributes["compression"] = ANYTHING
    own = Effect(member(table, Kind.COLUMN, name), attributes=tuple(attributes.items()))
    return Parts((own, *effects), (*references(definition), *(k for k in columns_in(table, definition) if k != own.key)))


def _changed(effect: Effect) -> Effect:
    """A constraint of which something is said behind it."""
    if effect.key.kind is not Kind.CONSTRAINT:
        return effect
    return Effect(effect.key, attributes=tuple((n, ANYTHING if n != "type" else v) for n, v in effect.attributes))


def _sequence(table: Key, column: str, identity: ParseNode) -> Key:
    """The sequence of an identity column, which may have been given a name."""
    for option in (o.def_elem for o in identity.options):
        if option.defname == "sequence_name":
            return qualified(inner(option.arg).items, Kind.SEQUENCE)
    return Key(Kind.SEQUENCE, table.schema, "", generated(table.name, [column], "seq"))


def default(expression: ParseNode) -> object:
    """A default as the catalog has it. That of NULL is none; where the NULL is cast, only the server can tell.

    Of a type with a length PostgreSQL keeps it as ``NULL::character varying``, of a domain as ``NULL::integer``
    (``AddRelationNewConstraints`` in src/backend/catalog/heap.c spares a constant, and there it is coerced first); who knows the type alone
    can say, and which of a list's own names are domains is not known here.
    """
    node = inner(expression)
    is_cast = name_of(node) == "TypeCast"
    while name_of(node) == "TypeCast":
        node = inner(node.arg)
    if name_of(node) == "A_Const" and node.isnull:
        return ANYTHING if is_cast else None
    return deparse_expression(expression)


def table_constraint(table: Key, constraint: ParseNode, columns: tuple[str, ...] = (), *, is_added: bool = False) -> Parts:
    """A constraint, with its index where it has one; ``columns`` where it stands beside a column.

    ``is_added``: to a table that is there, perhaps in the place of one with an index that looked otherwise.
    Raises ``NotRead`` for one that is none of the table's, such as a ``NOT NULL`` with a name.
    """
    letter = _LETTER.get(constraint.contype)
    if letter is None:
        raise NotRead
    if constraint.contype == ConstrType.FOREIGN:
        columns = strings(constraint.fk_attrs) or columns
    elif constraint.contype == ConstrType.EXCLUSION:
        columns = tuple(inner(inner(pair).items[0]).name or "expr" for pair in constraint.exclusions)
    elif constraint.contype == ConstrType.CHECK:
        columns = columns or _single(sorted(set(_names(constraint.raw_expr))))
    else:
        columns = strings(constraint.keys) or columns
    named_by = apart((*columns, *strings(constraint.including)))
    name = constraint.conname or constraint.indexname or constraint_name(table.name, letter, named_by)
    own = Effect(
        member(table, Kind.CONSTRAINT, name),
        attributes=(
            ("type", letter),
            ("definition", constraint_definition(constraint, columns)),
            ("validated", not constraint.skip_validation),
        ),
    )
    effects = [own]
    if letter in ("p", "u", "x"):
        index = Key(Kind.INDEX, table.schema, "", name)
        told: list[tuple[str, Any]] = [("table", table.name), ("constraint", True)]
        if is_added:
            told += [("unique", letter != "x"), ("valid", True), ("definition", _index(table, constraint, columns))]
        effects.append(Effect(index, attributes=tuple(told)))
        if constraint.indexname not in ("", name):  # the index that it takes over is named like it from then on
            effects.append(Effect(index._replace(name=constraint.indexname), present=False))
    if letter == "p":
        effects.extend(Effect(member(table, Kind.COLUMN, c), attributes=(("nullable", False),)) for c in columns)
    asked = dict.fromkeys((*(member(table, Kind.COLUMN, c) for c in columns if c != "expr"), *columns_in(table, constraint)))
    return Parts(tuple(effects), (*references(constraint), *asked))


def constraint_name(table: str, letter: str, columns: Iterable[str]) -> str:
    """The name that PostgreSQL gives a constraint without one."""
    label = {"p": "pkey", "u": "key", "f": "fkey", "c": "check", "x": "excl"}[letter]
    return generated(table, () if letter == "p" else columns, label)


def _index(table: Key, constraint: ParseNode, columns: tuple[str, ...]) -> Any:
    """The index of a constraint as a statement of its own."""
    if constraint.indexname:
        return ANYTHING
    return index_of_constraint(table.name, constraint, columns)


def references(node: ParseNode) -> Iterator[Key]:
    """What a definition refers to: other tables, types by name, functions, and the extensions they come from.

    The name of a ``WITH`` query is no table.
    """
    nodes = [n for n in walk(node) if name_of(n) in _REFERRING]
    own = {n.ctename for n in nodes if name_of(n) == "CommonTableExpr"}
    for found in nodes:
        kind = name_of(found)
        if kind == "RangeVar" and (found.schemaname or found.relname not in own):
            yield relation(found)
        elif kind == "TypeName":
            parts = strings(found.names)
            if parts and parts[0] != "pg_catalog":
                yield needed_extension(parts[-1]) or Key(Kind.ENUM, parts[-2] if len(parts) > 1 else VISIBLE, "", parts[-1])
        elif kind == "FuncCall":
            parts = strings(found.funcname)
            if parts[0] != "pg_catalog":
                schema = parts[-2] if len(parts) > 1 else VISIBLE
                yield needed_extension(parts[-1]) or Key(Kind.FUNCTION, schema, "", parts[-1])
        elif kind == "IndexElem":
            for opclass in strings(found.opclass):
                if extension := needed_extension(opclass):
                    yield extension


_OF_EVERY_TABLE = {"tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"}


def columns_in(table: Key, node: ParseNode) -> Iterator[Key]:
    """The columns of a table that an expression, or what holds expressions on its rows alone, asks for; a whole row is none."""
    return (member(table, Kind.COLUMN, n) for n in dict.fromkeys(_names(node)) if n not in _OF_EVERY_TABLE | {table.name})


def _names(node: ParseNode) -> Iterator[str]:
    for found in walk(node):
        if name_of(found) == "ColumnRef":
            last = inner(found.fields[-1])
            if name_of(last) == "String":
                yield last.sval


def _single(columns: list[str]) -> tuple[str, ...]:
    return tuple(columns) if len(columns) == 1 else ()
