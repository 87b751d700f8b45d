"""Look-ups in catalogs: which object does ``SELECT ... FROM pg_catalog`` ask for?

Every clause of a query has to be one that is read here; see ``constants.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field

from omega_bridge.analysis.constants import (
    NAME_BYTES,
    NotRecognised,
    called,
    named_in,
    only,
    operator_of,
    target_of,
    text_of,
    uncast,
    value_of,
)
from omega_bridge.analysis.lookups import LOOKUPS, TIES, Lookup
from omega_bridge.analysis.program import ANY_SCHEMA, CURRENT, PATH, VISIBLE, Filter, Pattern
from omega_bridge.catalog import Key, Kind
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.room import OF_TYPE
from omega_bridge.sql import ParseNode, beyond, inner, name_of, strings
from omega_bridge.sql.grammar import (
    BoolExprType,
    ExprKind,
    JoinType,
    LimitOption,
    NullTestType,
    SetOperation,
    SQLValueFunctionOp,
    SubLinkType,
)
from omega_bridge.values import dataclass

PRINTED_TYPE = "printed type"
"""The attribute of a column that ``format_type(atttypid, atttypmod)`` tells."""
_ORDERS = ("<", "<=", ">", ">=")


@dataclass(slots=True)
class _Search:
    """A look-up under construction. ``aliases``: the relation behind each name in the query."""

    lookup: Lookup
    aliases: dict[str, str]
    variables: Collection[str]
    schema: str = ANY_SCHEMA
    table: str | None = None
    name: str | None = None
    kinds: tuple[Kind, ...] = ()
    filters: list[Filter] = field(default_factory=list)
    demands: list[Key] = field(default_factory=list)
    ties: set[frozenset[str]] = field(default_factory=set)

    def column(self, node: ParseNode) -> tuple[str, str]:
        """The relation and the column that a reference means."""
        node = inner(node)
        if node is None or name_of(node) != "ColumnRef":
            raise NotRecognised
        only(node, "fields")
        if any(name_of(inner(f)) != "String" for f in node.fields):
            raise NotRecognised
        parts = strings(node.fields)
        if len(parts) > 2 or parts[0] in self.variables:
            raise NotRecognised
        places = [self.aliases[parts[0]]] if len(parts) == 2 and parts[0] in self.aliases else []
        if len(parts) == 1:
            places = [r for r in self.aliases.values() if parts[0] in self.lookup.columns.get(r, ()) or f"{r}.{parts[0]}" in TIES]
        if len(places) != 1:
            raise NotRecognised
        return places[0], parts[-1]

    def meaning(self, node: ParseNode) -> str:
        """Our word for a column."""
        relation, column = self.column(node)
        found = self.lookup.columns[relation].get(column, OF_TYPE)
        if found == OF_TYPE:
            raise NotRecognised
        return found

    def told(self, node: ParseNode) -> str:
        """Our word for a column, or for its type as ``format_type`` prints it."""
        if name_of(node) != "FuncCall":
            return self.meaning(node)
        if called(node) != "format_type" or len(node.args) != 2:
            raise NotRecognised
        if [self.column(argument) for argument in node.args] != [("pg_attribute", name) for name in ("atttypid", "atttypmod")]:
            raise NotRecognised
        return PRINTED_TYPE


def read_query(query: ParseNode, variables: Collection[str] = ()) -> tuple[Pattern, _Search]:
    """The object that ``SELECT ... FROM catalog WHERE ...`` looks for; what it selects is left to the caller."""
    if query is None or name_of(query) != "SelectStmt":
        raise NotRecognised
    only(query, "target_list", "from_clause", "where_clause", "limit_count", "limit_option", "op")
    if query.op != SetOperation.NONE or query.limit_option not in (LimitOption.DEFAULT, LimitOption.COUNT):
        raise NotRecognised
    if query.limit_count.WhichOneof("node") and not _at_least_one(inner(query.limit_count)):
        raise NotRecognised
    aliases: dict[str, str] = {}
    tests: list[ParseNode] = []
    for source in query.from_clause:
        _source(inner(source), aliases, tests)
    lookup = LOOKUPS.get(frozenset(aliases.values()))
    if lookup is None:
        raise NotRecognised
    if query.where_clause.WhichOneof("node"):
        tests.append(inner(query.where_clause))
    search = _Search(lookup, aliases, variables, kinds=lookup.kinds)
    for test in tests:
        _conjunct(search, test)
    if not any(ties <= search.ties for ties in lookup.ties) or (search.name is None and search.table is None):
        raise NotRecognised
    if Kind.ENUM in search.kinds and len(search.kinds) == 1 and [f.operator for f in search.filters] not in (["="], ["in"]):
        raise NotRecognised  # a row is a label here
    pattern = Pattern(
        search.kinds, search.schema, search.table, search.name, tuple(search.filters), tuple(search.demands), lookup.scope
    )
    return pattern, search


def _at_least_one(node: ParseNode) -> bool:
    return bool(name_of(node) == "A_Const" and node.WhichOneof("val") == "ival" and node.ival.ival >= 1)


def _source(node: ParseNode, aliases: dict[str, str], tests: list[ParseNode]) -> None:
    match name_of(node):
        case "RangeVar":
            only(node, "schemaname", "relname", "inh", "relpersistence", "alias")
            if node.HasField("alias"):
                only(node.alias, "aliasname")
            is_schema_view = node.schemaname == "information_schema" and not node.relname.startswith("pg_")
            if not node.inh or not (is_schema_view or (node.schemaname in ("", "pg_catalog") and node.relname.startswith("pg_"))):
                raise NotRecognised
            alias = node.alias.aliasname or node.relname
            if alias in aliases or node.relname in aliases.values():
                raise NotRecognised
            aliases[alias] = node.relname
        case "JoinExpr" if node.jointype == JoinType.INNER:
            only(node, "jointype", "larg", "rarg", "quals")
            _source(inner(node.larg), aliases, tests)
            _source(inner(node.rarg), aliases, tests)
            if node.quals.WhichOneof("node"):
                tests.append(inner(node.quals))
        case _:
            raise NotRecognised


def _conjunct(search: _Search, test: ParseNode) -> None:
    match name_of(test):
        case "BoolExpr" if test.boolop == BoolExprType.AND:
            only(test, "boolop", "args")
            for part in test.args:
                _conjunct(search, inner(part))
        case "BoolExpr" if test.boolop == BoolExprType.NOT:
            only(test, "boolop", "args")
            _add(search, Filter(search.meaning(test.args[0]), "=", False))
        case "ColumnRef":
            _add(search, Filter(search.meaning(test), "=", True))
        case "NullTest":
            only(test, "arg", "nulltesttype")
            operator = "null" if test.nulltesttype == NullTestType.IS_NULL else "not null"
            meaning = search.meaning(uncast(test.arg))
            if meaning in _OIDS or meaning in ("name", "table", "schema", "relkind", "label"):
                raise NotRecognised
            _add(search, Filter(meaning, operator))
        case "A_Expr":
            _test(search, test)
        case _:
            raise NotRecognised


_BY_LETTER = {letter: room.kind for room in ROOMS.values() for letter in room.guards.letters}
_OIDS = ("schema oid", "table oid", "type oid", "index oid", "oid")


def _test(search: _Search, test: ParseNode) -> None:
    only(test, "kind", "name", "lexpr", "rexpr")
    left, right = uncast(test.lexpr), inner(test.rexpr)
    if right is None:
        raise NotRecognised
    plain = inner(right.arg) if name_of(right) == "TypeCast" else right
    if name_of(plain) == "ColumnRef":
        plain = uncast(right)
        if operator_of(test) != "=" or test.kind != ExprKind.OP:
            raise NotRecognised
        search.ties.add(frozenset(".".join(search.column(side)) for side in (left, plain)))
        return
    meaning = search.told(left)
    operator = operator_of(test)
    if meaning == "schema":
        search.schema = _once(search.schema, _schema(test, operator, right))
    elif meaning in _OIDS:
        _oid(search, meaning, test, operator, right)
    elif meaning == "attnum":
        if (operator, value_of(right)) not in ((">", 0), (">=", 1)):
            raise NotRecognised
    else:
        _add(search, comparison(meaning, test, right))


def _once(before: str, found: str) -> str:
    if before not in (ANY_SCHEMA, found):
        raise NotRecognised
    return found


def _add(search: _Search, found: Filter) -> None:
    match found.attribute:
        case "name" | "table":
            if found.operator != "=" or getattr(search, found.attribute) not in (None, found.value):
                raise NotRecognised
            if not isinstance(found.value, str) or len(found.value.encode()) > NAME_BYTES:
                raise NotRecognised
            setattr(search, found.attribute, found.value)
        case "always false":
            if (found.operator, found.value) != ("=", False):
                raise NotRecognised
        case "relkind":
            wanted = tuple(map(str, found.values)) if found.operator in ("=", "in") else ()
            if not wanted or not all(letter in _BY_LETTER for letter in wanted):
                raise NotRecognised
            search.kinds = tuple(dict.fromkeys(_BY_LETTER[letter] for letter in wanted))
            search.filters.append(Filter("relkind", "in", wanted))
        case "schema" | "attnum":
            raise NotRecognised
        case attribute if attribute in _OIDS:
            raise NotRecognised
        case _:
            search.filters.append(found)


def comparison(attribute: str, test: ParseNode, right: ParseNode) -> Filter:
    """An attribute compared with constants."""
    operator = operator_of(test)
    match test.kind:
        case ExprKind.OP if operator in ("=", "<>", "!="):
            return Filter(attribute, "=" if operator == "=" else "!=", value_of(right))
        case ExprKind.OP if operator in _ORDERS and attribute == "length" and isinstance(number := value_of(right), int):
            return Filter(attribute, operator, number)
        case ExprKind.IN if operator in ("=", "<>"):
            only(right, "items")
            return Filter(attribute, "in" if operator == "=" else "not in", tuple(value_of(v) for v in right.items))
        case ExprKind.OP_ANY if operator == "=":
            right = uncast(right, arrays=True)
            if name_of(right) != "A_ArrayExpr":
                raise NotRecognised
            only(right, "elements")
            return Filter(attribute, "in", tuple(value_of(v) for v in right.elements))
        case ExprKind.DISTINCT | ExprKind.NOT_DISTINCT if operator == "=":
            return Filter(attribute, "distinct" if test.kind == ExprKind.DISTINCT else "not distinct", value_of(right))
    raise NotRecognised


def _schema(test: ParseNode, operator: str, right: ParseNode) -> str:
    if test.kind == ExprKind.OP_ANY and operator == "=":
        right = uncast(right, arrays=True)
        is_path = name_of(right) == "FuncCall" and called(right) == "current_schemas" and len(right.args) == 1
        if is_path and value_of(right.args[0]) is False:
            return PATH
        raise NotRecognised
    if test.kind != ExprKind.OP or operator != "=":
        raise NotRecognised
    right = uncast(right)
    if _is_current_schema(right):
        return CURRENT
    return text_of(right)


def _is_current_schema(node: ParseNode) -> bool:
    if name_of(node) == "SQLValueFunction":
        only(node, "op", "typmod")
        return bool(node.op == SQLValueFunctionOp.CURRENT_SCHEMA)
    return name_of(node) == "FuncCall" and called(node) == "current_schema" and not node.args


def _oid(search: _Search, meaning: str, test: ParseNode, operator: str, right: ParseNode) -> None:
    """``conrelid = 'public.tenants'::regclass``, ``relnamespace = 'public'::regnamespace``, a sub-select for an oid."""
    if operator != "=" or test.kind != ExprKind.OP or meaning == "index oid":
        raise NotRecognised
    wanted = {"schema oid": "regnamespace", "table oid": "regclass", "type oid": "regtype", "oid": search.lookup.own}[meaning]
    is_demanded = False
    match name_of(right):
        case "SubLink":
            schema, name = _subselect(search, meaning, right)
        case "FuncCall" if called(right) == f"to_{wanted}" and len(right.args) == 1:
            schema, name = named_in(wanted, text_of(right.args[0]))
        case "TypeCast":
            only(right, "arg", "type_name")
            names = strings(right.type_name.names)
            if names[-1] == "oid":
                inside = inner(right.arg)
                if name_of(inside) != "TypeCast":
                    raise NotRecognised
                right, names = inside, strings(inside.type_name.names)
                only(right, "arg", "type_name")
            if names not in ((wanted,), ("pg_catalog", wanted)) or beyond(right.type_name, ("names", "typemod")):
                raise NotRecognised
            if meaning == "schema oid" and _is_current_schema(uncast(right.arg)):
                schema, name = VISIBLE, CURRENT
            else:
                schema, name = named_in(wanted, text_of(right.arg))
                is_demanded = True
        case _:
            raise NotRecognised
    if meaning == "schema oid":
        if schema != VISIBLE:
            raise NotRecognised
        search.schema = _once(search.schema, name)
        if is_demanded:
            search.demands.append(Key(Kind.SCHEMA, "", "", name))
        return
    search.schema = _once(search.schema, schema)
    if meaning == "table oid":
        _add(search, Filter("table", "=", name))
        if is_demanded:
            search.demands.append(Key(Kind.TABLE, schema, "", name))
    else:
        _add(search, Filter("name", "=", name))
        if is_demanded:
            search.demands.append(Key(Kind.ENUM if wanted == "regtype" else Kind.TABLE, schema, "", name))


def _subselect(search: _Search, meaning: str, node: ParseNode) -> tuple[str, str]:
    """``(SELECT oid FROM pg_class WHERE relname = 't')``: no row is no oid, and of two PostgreSQL makes an error."""
    only(node, "sub_link_type", "subselect")
    if node.sub_link_type != SubLinkType.EXPR:
        raise NotRecognised
    query = inner(node.subselect)
    inside, found = read_query(query, search.variables)
    relation, column = found.column(target_of(query))
    home = {"schema oid": "pg_namespace", "table oid": "pg_class", "type oid": "pg_type"}.get(meaning)
    if column != "oid" or relation != home or inside.name is None or inside.demands:
        raise NotRecognised
    if any(f.attribute != "relkind" for f in inside.filters):
        raise NotRecognised
    if meaning == "schema oid":
        return VISIBLE, inside.name
    return inside.schema, inside.name
