"""Conditions of ``IF``, and what variables hold: which object does a guard look for?

What is not recognised stays ``Unknown`` and is left to the server.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from omega_bridge.analysis.constants import NotRecognised, called, named_in, only, operator_of, target_of, text_of, uncast
from omega_bridge.analysis.program import (
    RELATIONS,
    TYPES,
    All,
    AnyOf,
    Compared,
    Condition,
    Constant,
    Exists,
    Filter,
    Not,
    Pattern,
    Unknown,
)
from omega_bridge.analysis.queries import comparison, read_query
from omega_bridge.catalog import Kind
from omega_bridge.sql import ParseNode, inner, name_of, parse_expression, strings, walk
from omega_bridge.sql.grammar import BoolExprType, BoolTestType, ExprKind, NullTestType, SubLinkType
from omega_bridge.values import dataclass


@dataclass(frozen=True, slots=True)
class Scalar:
    """A variable that holds one attribute of the object a pattern finds (NULL where there is none)."""

    pattern: Pattern
    attribute: str


Bindings = Mapping[str, "Condition | Scalar"]
ROW = "row"
"""The attribute of a query that selects a constant: it is NULL only where there is no row."""


def read_condition(text: str, bindings: Bindings | None = None, variables: Collection[str] = ()) -> Condition:
    """A PL/pgSQL condition's text as a condition.

    ``bindings`` are variables whose value is known as a look-up; no query is understood in which ``variables`` may be meant.
    """
    try:
        return _condition(parse_expression(text), _Scope(bindings or {}, variables))
    except NotRecognised:
        return Unknown(text)


def read_value(node: ParseNode, bindings: Bindings, variables: Collection[str]) -> Condition | Scalar | None:
    """What an expression's value is, where it is a condition or the outcome of a look-up."""
    scope, plain = _Scope(bindings, variables), inner(node)
    try:
        if name_of(plain) == "SubLink" and plain.sub_link_type == SubLinkType.EXPR:
            return _selected(inner(plain.subselect), variables)
        return _condition(node, scope)
    except NotRecognised:
        return None


def read_binding(query: ParseNode, bindings: Bindings, variables: Collection[str]) -> Condition | Scalar | None:
    """What ``SELECT ... INTO variable`` puts into the variable, where it is a look-up."""
    try:
        if not query.from_clause:
            only(query, "target_list", "limit_option", "op")
            return _condition(target_of(query), _Scope(bindings, variables))
        return _selected(query, variables)
    except NotRecognised:
        return None


def found_pattern(query: ParseNode, variables: Collection[str]) -> Pattern | None:
    """What a query finds a row for, where that is an object."""
    try:
        target = target_of(query) if query.target_list else None
        pattern, search = read_query(query, variables)
        if target is not None and name_of(target) != "A_Const":
            search.column(target)
        return pattern
    except NotRecognised:
        return None


_HARMLESS = frozenset(
    """abs array_agg array_length btrim ceil char_length coalesce concat concat_ws count current_database current_schema
    current_setting date_trunc floor format greatest initcap json_agg jsonb_agg jsonb_build_object jsonb_typeof least left length
    lower lpad ltrim max md5 min mod now obj_description octet_length pg_get_constraintdef pg_get_expr pg_get_functiondef
    pg_get_indexdef pg_get_viewdef position quote_ident quote_literal quote_nullable regexp_replace replace right round rtrim
    split_part strpos string_agg substr substring sum to_char to_regclass to_regnamespace to_regproc to_regtype translate
    trim unnest upper version""".split()  # noqa: SIM905
)


def is_harmless(node: ParseNode) -> bool:
    """Whether evaluating an expression changes nothing: it calls PostgreSQL's own functions alone."""
    for found in walk(node):
        kind = name_of(found)
        if kind == "FuncCall":
            parts = strings(found.funcname)
            if parts[-1] not in _HARMLESS or not (len(parts) == 1 or parts[0] == "pg_catalog"):
                return False
        elif (kind == "A_Expr" and len(found.name) > 1) or kind in (
            "IntoClause",
            "LockingClause",
            "InsertStmt",
            "UpdateStmt",
            "DeleteStmt",
            "MergeStmt",
        ):
            return False
    return True


def cannot_fail(node: ParseNode, variables: Collection[str]) -> bool:
    """Whether an expression is made of constants and of these variables alone: a column that is none of them is there for nobody."""
    return all(_is_there(n, variables) for n in walk(node))


def _is_there(node: ParseNode, variables: Collection[str]) -> bool:
    if name_of(node) == "ColumnRef":
        return len(node.fields) == 1 and name_of(name := inner(node.fields[0])) == "String" and name.sval in variables
    return name_of(node) in ("A_Const", "String", "Integer", "Boolean", "SQLValueFunction")


@dataclass(frozen=True, slots=True)
class _Scope:
    bindings: Bindings
    variables: Collection[str]

    def bound(self, node: ParseNode) -> Condition | Scalar | None:
        """What a variable of one part holds."""
        if name_of(node) != "ColumnRef" or len(node.fields) != 1 or name_of(inner(node.fields[0])) != "String":
            return None
        return self.bindings.get(inner(node.fields[0]).sval)


def _condition(node: ParseNode, scope: _Scope) -> Condition:
    node = inner(node)
    if node is None:
        raise NotRecognised
    match name_of(node):
        case "BoolExpr":
            only(node, "boolop", "args")
            parts = tuple(_condition(a, scope) for a in node.args)
            if node.boolop == BoolExprType.NOT:
                return Not(parts[0])
            return All(parts) if node.boolop == BoolExprType.AND else AnyOf(parts)
        case "A_Const" if node.WhichOneof("val") == "boolval":
            return Constant(node.boolval.boolval)
        case "SubLink" if node.sub_link_type == SubLinkType.EXISTS:
            only(node, "sub_link_type", "subselect")
            query = inner(node.subselect)
            return Exists(_rows(query, scope))
        case "NullTest":
            only(node, "arg", "nulltesttype")
            return _null_test(inner(node.arg), scope, is_null=node.nulltesttype == NullTestType.IS_NULL)
        case "ColumnRef":
            bound = scope.bound(node)
            if isinstance(bound, Scalar):
                raise NotRecognised
            if bound is not None:
                return bound
        case "BooleanTest" if node.booltesttype in (
            BoolTestType.IS_TRUE,
            BoolTestType.IS_NOT_TRUE,
            BoolTestType.IS_FALSE,
            BoolTestType.IS_NOT_FALSE,
        ):
            only(node, "arg", "booltesttype")
            tested = _condition(node.arg, scope)
            if may_be_null(tested):
                raise NotRecognised
            return tested if node.booltesttype in (BoolTestType.IS_TRUE, BoolTestType.IS_NOT_FALSE) else Not(tested)
        case "A_Expr":
            return _comparison(node, scope)
    raise NotRecognised


def may_be_null(condition: Condition) -> bool:
    """Whether a condition may be neither true nor false."""
    match condition:
        case Compared(filter=test):
            return test.operator not in ("null", "not null", "distinct", "not distinct")
        case Not(other):
            return may_be_null(other)
        case All(several) | AnyOf(several):
            return any(may_be_null(c) for c in several)
        case Unknown():
            return True
    return False


def _rows(query: ParseNode, scope: _Scope) -> Pattern:
    """What a query gives rows for. What it selects may be anything that is no aggregate and fails nowhere."""
    pattern, _ = read_query(query, scope.variables)
    for target in query.target_list:
        only(target.res_target, "val", "name")
        selected = inner(target.res_target.val)
        if name_of(selected) == "ColumnRef":
            if any(name_of(inner(f)) not in ("String", "A_Star") for f in selected.fields):
                raise NotRecognised
        elif name_of(selected) != "A_Const":
            raise NotRecognised
    return pattern


def _selected(query: ParseNode, variables: Collection[str]) -> Scalar:
    """The one value that a query gives, or NULL where it has no row."""
    target = target_of(query)
    pattern, search = read_query(query, variables)
    if name_of(target) == "A_Const" and target.WhichOneof("val") is not None:
        return Scalar(pattern, ROW)
    attribute = search.told(uncast(target))
    return Scalar(pattern, ROW if attribute in ("name", "table", "schema", "oid") else attribute)


def _comparison(node: ParseNode, scope: _Scope) -> Condition:
    only(node, "kind", "name", "lexpr", "rexpr")
    left, right = inner(node.lexpr), inner(node.rexpr)
    if name_of(left) == "SubLink" and left.sub_link_type == SubLinkType.EXPR:
        only(left, "sub_link_type", "subselect")
        query = inner(left.subselect)
        target = target_of(query)
        if name_of(target) == "FuncCall" and strings(target.funcname)[-1] == "count":
            return _count(query, target, node, right, scope)
        return _compared(_selected(query, scope.variables), node, right)
    if isinstance(bound := scope.bound(left), Scalar):
        return _compared(bound, node, right)
    raise NotRecognised


def _count(query: ParseNode, target: ParseNode, node: ParseNode, right: ParseNode, scope: _Scope) -> Condition:
    only(target, "funcname", "args", "agg_star", "funcformat")
    counts_rows = target.agg_star or (len(target.args) == 1 and name_of(inner(target.args[0])) == "A_Const")
    is_null = len(target.args) == 1 and name_of(inner(target.args[0])) == "A_Const" and inner(target.args[0]).isnull
    if strings(target.funcname) not in (("count",), ("pg_catalog", "count")) or not counts_rows or is_null:
        raise NotRecognised
    exists = Exists(read_query(query, scope.variables)[0])
    number = right.ival.ival if name_of(right) == "A_Const" and right.WhichOneof("val") == "ival" else None
    if node.kind == ExprKind.OP:
        match operator_of(node), number:
            case ("=", 0) | ("<", 1) | ("<=", 0):
                return Not(exists)
            case (">", 0) | (">=", 1) | ("<>", 0) | ("!=", 0):
                return exists
    raise NotRecognised


def _compared(scalar: Scalar, node: ParseNode, right: ParseNode) -> Condition:
    if scalar.attribute == ROW:
        raise NotRecognised
    return Compared(scalar.pattern, comparison(scalar.attribute, node, right))


def _null_test(node: ParseNode, scope: _Scope, *, is_null: bool) -> Condition:
    """``x IS NULL``, ``x IS NOT NULL``."""
    if name_of(node) == "TypeCast" and name_of(inner(node.arg)) == "FuncCall":
        node = uncast(node)
    if name_of(node) == "FuncCall":
        found = Exists(_named(node))
        return Not(found) if is_null else found
    scalar = scope.bound(node)
    if name_of(node) == "SubLink" and node.sub_link_type == SubLinkType.EXPR:
        only(node, "sub_link_type", "subselect")
        scalar = _selected(inner(node.subselect), scope.variables)
    if not isinstance(scalar, Scalar):
        raise NotRecognised
    return Compared(scalar.pattern, Filter(scalar.attribute, "null" if is_null else "not null"))


_NAMING: Mapping[str, tuple[Kind, ...]] = {
    "to_regclass": RELATIONS,
    "to_regtype": TYPES,
    "to_regnamespace": (Kind.SCHEMA,),
}


def _named(node: ParseNode) -> Pattern:
    """``to_regclass('t')`` and its like."""
    function = called(node)
    if function not in _NAMING or len(node.args) != 1:
        raise NotRecognised
    schema, name = named_in(function.removeprefix("to_"), text_of(node.args[0]))
    if function == "to_regnamespace" and schema:
        raise NotRecognised
    return replace(Pattern(_NAMING[function], schema, name=name), scope=function)
