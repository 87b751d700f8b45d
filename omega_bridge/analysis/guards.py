"""Conditions of ``IF``: which object does a guard look for? Reads the common look-ups of ``information_schema`` and
``pg_catalog``; what it does not recognise stays ``Unknown`` and is left to the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from omega_bridge.analysis.lookups import FIELDS, JOIN_COLUMNS, Lookup
from omega_bridge.analysis.program import (
    ANY_SCHEMA,
    RELATIONS,
    VISIBLE,
    All,
    AnyOf,
    Condition,
    Constant,
    Exists,
    Filter,
    Not,
    Pattern,
    Unknown,
)
from omega_bridge.catalog import Kind
from omega_bridge.sql import inner, parse_expression, pb, strings


@dataclass(frozen=True, slots=True)
class Scalar:
    """A variable that holds one attribute of the object a pattern finds (NULL where there is none)."""

    pattern: Pattern
    attribute: str


Bindings = Mapping[str, "Condition | Scalar"]


class _NotRecognised(Exception):
    """This guard is none of the known forms."""


def read_condition(text: str, bindings: Bindings | None = None) -> Condition:
    """A PL/pgSQL condition's text as a condition; ``bindings`` are variables whose value is known as a look-up."""
    try:
        return _condition(parse_expression(text), bindings or {})
    except _NotRecognised:
        return Unknown(text)


def read_binding(node: Any, bindings: Bindings) -> Condition | Scalar | None:
    """What ``SELECT ... INTO variable`` puts into the variable, where it is a look-up."""
    if node.DESCRIPTOR.name != "SelectStmt" or len(node.target_list) != 1:
        return None
    target = inner(node.target_list[0].res_target.val)
    try:
        if not node.from_clause:
            return _condition(target, bindings)
        if target.DESCRIPTOR.name == "ColumnRef":
            pattern, lookup = _pattern(node)
            return Scalar(pattern, lookup.attribute(_last(target)))
        if target.DESCRIPTOR.name == "A_Const" and not target.isnull:
            pattern, _ = _pattern(node)
            return Exists(pattern)
    except _NotRecognised:
        pass
    return None


def _condition(node: Any, bindings: Bindings) -> Condition:
    node = inner(node)
    match node.DESCRIPTOR.name:
        case "BoolExpr":
            parts = tuple(_condition(a, bindings) for a in node.args)
            if node.boolop == pb.NOT_EXPR:
                return Not(parts[0])
            return All(parts) if node.boolop == pb.AND_EXPR else AnyOf(parts)
        case "A_Const" if node.WhichOneof("val") == "boolval":
            return Constant(node.boolval.boolval)
        case "SubLink" if node.sub_link_type == pb.EXISTS_SUBLINK:
            return Exists(_pattern(inner(node.subselect))[0])
        case "NullTest":
            found = _value_exists(inner(node.arg), bindings)
            return Not(found) if node.nulltesttype == pb.IS_NULL else found
        case "ColumnRef":
            bound = bindings.get(_last(node))
            if bound is not None and not isinstance(bound, Scalar):
                return bound
        case "BooleanTest" if node.booltesttype in (pb.IS_TRUE, pb.IS_NOT_TRUE, pb.IS_FALSE, pb.IS_NOT_FALSE):
            tested = _condition(node.arg, bindings)
            return tested if node.booltesttype in (pb.IS_TRUE, pb.IS_NOT_FALSE) else Not(tested)
        case "A_Expr":
            return _comparison(node, bindings)
    raise _NotRecognised


def _comparison(node: Any, bindings: Bindings) -> Condition:
    operator = strings(node.name)[-1]
    left, right = inner(node.lexpr), inner(node.rexpr)
    if left.DESCRIPTOR.name == "SubLink" and left.sub_link_type == pb.EXPR_SUBLINK:
        query = inner(left.subselect)
        target = inner(query.target_list[0].res_target.val)
        if target.DESCRIPTOR.name == "FuncCall" and strings(target.funcname) == ("count",):
            return _count(Exists(_pattern(query)[0]), operator, right)
        if target.DESCRIPTOR.name == "ColumnRef":
            pattern, lookup = _pattern(query)
            return _scalar(Scalar(pattern, lookup.attribute(_last(target))), node, operator, right)
    if left.DESCRIPTOR.name == "ColumnRef" and isinstance(bound := bindings.get(_last(left)), Scalar):
        return _scalar(bound, node, operator, right)
    raise _NotRecognised


def _count(exists: Exists, operator: str, right: Any) -> Condition:
    number = right.ival.ival if right.DESCRIPTOR.name == "A_Const" and right.WhichOneof("val") == "ival" else None
    match operator, number:
        case ("=", 0) | ("<", 1) | ("<=", 0):
            return Not(exists)
        case (">", 0) | (">=", 1) | ("<>", 0) | ("!=", 0):
            return exists
    raise _NotRecognised


def _scalar(scalar: Scalar, node: Any, operator: str, right: Any) -> Condition:
    """``value = 'x'`` holds where the object exists with it; where there is none, NULL makes it false, as in SQL."""
    found = _filter(scalar.attribute, node, operator, right)
    return Exists(replace(scalar.pattern, filters=(*scalar.pattern.filters, found)))


def _value_exists(node: Any, bindings: Bindings) -> Condition:
    """``x IS NOT NULL``."""
    node = _uncast(node)
    if node.DESCRIPTOR.name == "FuncCall":
        name = strings(node.funcname)[-1]
        kinds = {
            "to_regclass": RELATIONS,
            "to_regtype": (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE),
            "to_regproc": (Kind.FUNCTION,),
            "to_regnamespace": (Kind.SCHEMA,),
        }
        if name in kinds:
            schema, relation = _name(_text(node.args[0]))
            return Exists(Pattern(kinds[name], schema, name=relation))
    if node.DESCRIPTOR.name == "ColumnRef" and isinstance(bound := bindings.get(_last(node)), Scalar):
        return Exists(replace(bound.pattern, filters=(*bound.pattern.filters, Filter(bound.attribute, "not null"))))
    if node.DESCRIPTOR.name == "SubLink" and node.sub_link_type == pb.EXPR_SUBLINK:
        query = inner(node.subselect)
        pattern, lookup = _pattern(query)
        target = inner(query.target_list[0].res_target.val)
        if target.DESCRIPTOR.name == "ColumnRef":
            attribute = lookup.attribute(_last(target))
            extra = () if attribute in ("name", "table", "schema", "oid") else (Filter(attribute, "not null"),)
            return Exists(replace(pattern, filters=(*pattern.filters, *extra)))
    raise _NotRecognised


@dataclass(slots=True)
class _Search:
    """A look-up under construction."""

    lookup: Lookup
    aliases: dict[str, str]
    schema: str = ANY_SCHEMA
    table: str | None = None
    name: str | None = None
    kinds: tuple[Kind, ...] = ()
    filters: list[Filter] = field(default_factory=list)


def _pattern(query: Any) -> tuple[Pattern, Lookup]:
    """The object that ``SELECT ... FROM catalog WHERE ...`` looks for."""
    if (
        query.DESCRIPTOR.name != "SelectStmt"
        or query.HasField("with_clause")
        or query.group_clause
        or query.having_clause.WhichOneof("node")
    ):
        raise _NotRecognised
    aliases: dict[str, str] = {}
    tests: list[Any] = []
    for source in query.from_clause:
        _source(inner(source), aliases, tests)
    lookup = FIELDS.get(frozenset(aliases.values()))
    if lookup is None:
        raise _NotRecognised
    if query.where_clause.WhichOneof("node"):
        tests.append(inner(query.where_clause))
    search = _Search(lookup, aliases, kinds=lookup.kinds)
    for test in tests:
        _conjunct(search, test)
    if search.name is None and search.table is None and search.kinds != (Kind.COLUMN,):
        raise _NotRecognised
    if search.name is None and search.table is None:
        raise _NotRecognised
    return Pattern(search.kinds, search.schema, search.table, search.name, tuple(search.filters)), lookup


def _source(node: Any, aliases: dict[str, str], tests: list[Any]) -> None:
    match node.DESCRIPTOR.name:
        case "RangeVar":
            if node.schemaname not in ("", "information_schema", "pg_catalog"):
                raise _NotRecognised
            aliases[node.alias.aliasname or node.relname] = node.relname
        case "JoinExpr" if node.jointype == pb.JOIN_INNER and not node.using_clause:
            _source(inner(node.larg), aliases, tests)
            _source(inner(node.rarg), aliases, tests)
            if node.quals.WhichOneof("node"):
                tests.append(inner(node.quals))
        case _:
            raise _NotRecognised


def _conjunct(search: _Search, test: Any) -> None:
    match test.DESCRIPTOR.name:
        case "BoolExpr" if test.boolop == pb.AND_EXPR:
            for part in test.args:
                _conjunct(search, inner(part))
        case "BoolExpr" if test.boolop == pb.NOT_EXPR and inner(test.args[0]).DESCRIPTOR.name == "ColumnRef":
            column = _last(inner(test.args[0]))
            if column != "attisdropped":
                _add(search, column, Filter(search.lookup.attribute(column), "=", False))
        case "ColumnRef":
            _add(search, _last(test), Filter(search.lookup.attribute(_last(test)), "=", True))
        case "NullTest":
            column = _last(_uncast(inner(test.arg)))
            operator = "null" if test.nulltesttype == pb.IS_NULL else "not null"
            search.filters.append(Filter(search.lookup.attribute(column), operator))
        case "A_Expr":
            _test(search, test)
        case _:
            raise _NotRecognised


def _test(search: _Search, test: Any) -> None:
    left, right = _uncast(inner(test.lexpr)), inner(test.rexpr)
    if left.DESCRIPTOR.name != "ColumnRef":
        raise _NotRecognised
    column = _last(left)
    plain = _uncast(right) if right is not None and right.DESCRIPTOR.name == "TypeCast" else right
    if plain is not None and plain.DESCRIPTOR.name == "ColumnRef":
        if column in JOIN_COLUMNS and _last(plain) in JOIN_COLUMNS:
            return
        raise _NotRecognised
    operator = strings(test.name)[-1]
    meaning = search.lookup.attribute(column)
    if meaning == "attisdropped":
        return
    if meaning == "schema":
        search.schema = _schema(test, operator, right)
    elif meaning in ("schema oid", "table oid", "type oid"):
        _oid(search, meaning, operator, right)
    elif meaning in ("attnum", "oid"):
        if operator not in (">", ">="):
            raise _NotRecognised
    else:
        _add(search, column, _filter(meaning, test, operator, right))


def _add(search: _Search, column: str, found: Filter) -> None:
    if found.attribute in ("name", "table"):
        if found.operator != "=" or getattr(search, found.attribute) not in (None, found.value):
            raise _NotRecognised
        setattr(search, found.attribute, found.value)
    elif found.attribute == "attisdropped":
        return
    elif found.attribute == "relkind":
        search.kinds = _relkinds(found)
    else:
        search.filters.append(found)


def _relkinds(found: Filter) -> tuple[Kind, ...]:
    kinds = {
        "r": Kind.TABLE,
        "p": Kind.TABLE,
        "v": Kind.VIEW,
        "m": Kind.MATERIALIZED_VIEW,
        "S": Kind.SEQUENCE,
        "i": Kind.INDEX,
    }
    wanted = (found.value,) if found.operator == "=" else found.value if found.operator == "in" else ()
    if not wanted or not all(w in kinds for w in wanted):
        raise _NotRecognised
    return tuple(dict.fromkeys(kinds[w] for w in wanted))


def _filter(attribute: str, test: Any, operator: str, right: Any) -> Filter:
    match test.kind:
        case pb.AEXPR_OP if operator in ("=", "<>", "!="):
            return Filter(attribute, "=" if operator == "=" else "!=", _value(right))
        case pb.AEXPR_IN:
            values = tuple(_value(inner(v)) for v in right.items)
            return Filter(attribute, "in" if operator == "=" else "not in", values)
        case pb.AEXPR_OP_ANY if operator == "=" and right.DESCRIPTOR.name == "A_ArrayExpr":
            return Filter(attribute, "in", tuple(_value(inner(v)) for v in right.elements))
        case pb.AEXPR_DISTINCT | pb.AEXPR_NOT_DISTINCT:
            return Filter(attribute, "!=" if test.kind == pb.AEXPR_DISTINCT else "=", _value(right))
    raise _NotRecognised


def _schema(test: Any, operator: str, right: Any) -> str:
    if operator != "=":
        raise _NotRecognised
    right = _uncast(right)
    if right.DESCRIPTOR.name == "SQLValueFunction" or (
        right.DESCRIPTOR.name == "FuncCall" and strings(right.funcname)[-1] in ("current_schema", "current_schemas")
    ):
        return VISIBLE
    if right.DESCRIPTOR.name == "SubLink":
        raise _NotRecognised
    return _text(right)


def _oid(search: _Search, meaning: str, operator: str, right: Any) -> None:
    """``conrelid = 'public.tenants'::regclass``, ``relnamespace = 'public'::regnamespace``, a sub-select for an oid."""
    if operator != "=":
        raise _NotRecognised
    if right.DESCRIPTOR.name == "SubLink" and right.sub_link_type == pb.EXPR_SUBLINK:
        inside, _ = _pattern(inner(right.subselect))
        if inside.name is None or inside.filters:
            raise _NotRecognised
        schema, name = inside.schema, inside.name
    elif right.DESCRIPTOR.name == "FuncCall" and strings(right.funcname)[-1] in (
        "to_regclass",
        "to_regtype",
        "to_regnamespace",
    ):
        schema, name = _name(_text(right.args[0]))
    elif right.DESCRIPTOR.name == "TypeCast":
        schema, name = _name(_text(right.arg))
    elif right.DESCRIPTOR.name == "FuncCall" and strings(right.funcname)[-1] == "current_schema":
        schema, name = "", ""
    else:
        raise _NotRecognised
    if meaning == "schema oid":
        search.schema = name or VISIBLE
        return
    search.schema = schema
    if meaning == "type oid":
        search.name = name
    else:
        search.table = name


def _value(node: Any) -> Any:
    node = _uncast(inner(node))
    if node.DESCRIPTOR.name != "A_Const":
        raise _NotRecognised
    match node.WhichOneof("val"):
        case "sval":
            return node.sval.sval
        case "ival":
            return node.ival.ival
        case "boolval":
            return node.boolval.boolval
    raise _NotRecognised


def _text(node: Any) -> str:
    value = _value(node)
    if not isinstance(value, str):
        raise _NotRecognised
    return value


def _name(text: str) -> tuple[str, str]:
    """``schema.name`` as PostgreSQL reads it in ``regclass``; unqualified is ``VISIBLE``."""
    reference = _uncast(inner(parse_expression(text)))
    if reference.DESCRIPTOR.name != "ColumnRef":
        raise _NotRecognised
    parts = strings(reference.fields)
    return (parts[-2] if len(parts) > 1 else VISIBLE), parts[-1]


def _uncast(node: Any) -> Any:
    node = inner(node)
    while node is not None and node.DESCRIPTOR.name == "TypeCast":
        node = inner(node.arg)
    if node is None:
        raise _NotRecognised
    return node


def _last(node: Any) -> str:
    node = inner(node)
    if node.DESCRIPTOR.name != "ColumnRef" or inner(node.fields[-1]).DESCRIPTOR.name != "String":
        raise _NotRecognised
    return str(inner(node.fields[-1]).sval)
