"""Statements that touch rows, and the read-only question whether one would change anything.

The *lookahead* is a ``SELECT`` that is false only where the statement would change no row; it is given for the plain
forms (``UPDATE``/``DELETE ... WHERE``, ``INSERT ... VALUES ... ON CONFLICT (...) DO NOTHING``) without volatile calls.
"""

from __future__ import annotations

from typing import Any

from omega_bridge.analysis.effects.columns import references
from omega_bridge.analysis.effects.naming import relation
from omega_bridge.analysis.program import Sql
from omega_bridge.sql import Statement, deparse_expression, deparse_statement, fields, inner, known, pb, strings, walk
from omega_bridge.tags import Tag

_STABLE = {
    "now",
    "lower",
    "upper",
    "length",
    "coalesce",
    "btrim",
    "trim",
    "replace",
    "left",
    "right",
    "jsonb_typeof",
    "md5",
    "concat",
}

_TARGET = fields(RangeVar=known("", "schemaname relname inh alias", relpersistence=("p",)))

INSERT = fields(
    _TARGET,
    InsertStmt=known("relation cols select_stmt on_conflict_clause", "override"),
    ResTarget=known("", "name"),
    SelectStmt=known("", "values_lists limit_option op"),
    OnConflictClause=known("infer", action=(pb.ONCONFLICT_NOTHING,)),
    InferClause=known("index_elems"),
    IndexElem=known("", "name", ordering=(pb.SORTBY_DEFAULT,), nulls_ordering=(pb.SORTBY_NULLS_DEFAULT,)),
)
"""What is beyond these fields touches rows, and has no lookahead; so it is with the next two."""


def insert(statement: Statement) -> Sql:
    """New rows."""
    return _data(statement, _insert_lookahead(statement.node))


UPDATE = fields(_TARGET, UpdateStmt=known("relation", "target_list from_clause where_clause"))


def update(statement: Statement) -> Sql:
    """Changed rows."""
    node = statement.node
    return _data(statement, _rows(node.relation, node.from_clause, node.where_clause))


DELETE = fields(_TARGET, DeleteStmt=known("relation", "using_clause where_clause"))


def delete(statement: Statement) -> Sql:
    """Fewer rows."""
    node = statement.node
    return _data(statement, _rows(node.relation, node.using_clause, node.where_clause))


MERGE = fields(MergeStmt=known("", "relation source_relation join_condition merge_when_clauses returning_clause with_clause"))
COPY = fields(CopyStmt=known("", "relation query attlist is_from is_program filename options where_clause"))


def other(statement: Statement) -> Sql:
    """``MERGE``, ``COPY``."""
    return _data(statement, None)


CALL = fields(CallStmt=known("", "funccall"))
REFRESH = fields(RefreshMatViewStmt=known("", "concurrent skip_data relation"))


def call(statement: Statement) -> Sql:
    """Something runs, and only the server knows what."""
    return Sql(
        statement.text,
        statement.tag,
        needs=tuple(references(statement.node)),
        data=True,
        opaque=True,
        offset=statement.offset,
    )


SELECT = fields(
    SelectStmt=known(
        "",
        "distinct_clause target_list from_clause where_clause group_clause group_distinct having_clause window_clause values_lists "
        "sort_clause limit_offset limit_count limit_option locking_clause with_clause op all larg rarg",
    )
)
_ASKING = frozenset({
    pb.A_ArrayExpr, pb.A_Const, pb.A_Expr, pb.A_Indices, pb.A_Indirection, pb.A_Star, pb.Alias, pb.BitString, pb.BoolExpr,
    pb.Boolean, pb.BooleanTest, pb.CaseExpr, pb.CaseWhen, pb.CoalesceExpr, pb.CollateClause, pb.ColumnRef,
    pb.CommonTableExpr, pb.Float, pb.FuncCall, pb.GroupingFunc, pb.GroupingSet, pb.Integer, pb.JoinExpr, pb.List,
    pb.LockingClause, pb.MinMaxExpr, pb.NamedArgExpr, pb.NullTest, pb.RangeSubselect, pb.RangeVar, pb.ResTarget,
    pb.RowExpr, pb.SQLValueFunction, pb.SelectStmt, pb.SortBy, pb.String, pb.SubLink, pb.TypeCast, pb.TypeName,
    pb.WindowDef, pb.WithClause,
})  # fmt: skip
"""Of what a query may be made that only asks."""

_WRITING = frozenset({pb.InsertStmt, pb.UpdateStmt, pb.DeleteStmt, pb.MergeStmt})


def select(statement: Statement) -> Sql:
    """A query: nothing, unless it calls a function, which may do anything, or a ``WITH`` of it writes rows."""
    kinds = set(map(type, walk(statement.node)))
    is_writing = not kinds.isdisjoint(_WRITING)
    if statement.node.HasField("into_clause"):
        return Sql(statement.text, statement.tag, data=is_writing, opaque=True, offset=statement.offset)
    if is_writing:
        return _data(statement, None)
    if kinds <= _ASKING and all(_is_stable(found) for found in walk(statement.node)):
        return nothing(statement)
    return call(statement)


EXPLAIN = fields(ExplainStmt=known("", "query options"))
_ONLY_TELLING = {
    "buffers", "costs", "format", "generic_plan", "memory", "serialize", "settings", "summary", "timing", "verbose", "wal",
}  # fmt: skip


def explain(statement: Statement) -> Sql:
    """No effect, but with ``ANALYZE``, which runs the statement."""
    if {o.def_elem.defname for o in statement.node.options} <= _ONLY_TELLING:
        return nothing(statement)
    return Sql(statement.text, statement.tag, data=True, opaque=True, offset=statement.offset)


LOCK = fields(LockStmt=known("", "relations mode nowait"))
SHOW = fields(VariableShowStmt=known("", "name"))


def nothing(statement: Statement) -> Sql:
    """No effect."""
    return Sql(statement.text, statement.tag, offset=statement.offset)


def _data(statement: Statement, lookahead: str | None) -> Sql:
    needs = tuple(references(statement.node))
    return Sql(statement.text, statement.tag, needs=needs, data=True, lookahead=lookahead, offset=statement.offset)


def _rows(target: Any, others: Any, where: Any) -> str | None:
    if not all(_is_stable(found) for part in (where, *others) for found in walk(part)):
        return None
    query = pb.SelectStmt()
    query.target_list.add().res_target.val.a_const.ival.ival = 1
    query.from_clause.add().range_var.CopyFrom(target)
    query.from_clause.extend(others)
    if where.WhichOneof("node"):
        query.where_clause.CopyFrom(where)
    query.limit_option = pb.LIMIT_OPTION_DEFAULT
    query.op = pb.SETOP_NONE
    return f"SELECT EXISTS ({deparse_statement(Tag.SELECT, query)})"


def _insert_lookahead(node: Any) -> str | None:
    conflict = node.on_conflict_clause
    if conflict.action != pb.ONCONFLICT_NOTHING or not conflict.HasField("infer"):
        return None
    targets = [inner(e).name for e in conflict.infer.index_elems]
    columns = [inner(c).name for c in node.cols]
    query = inner(node.select_stmt)
    if query is None or query.DESCRIPTOR.name != "SelectStmt" or not query.values_lists or not all(t in columns for t in targets):
        return None
    table = relation(node.relation)
    name = f"{_quoted(table.schema)}.{_quoted(table.name)}" if table.schema else _quoted(table.name)
    missing = []
    for row in map(inner, query.values_lists):
        keys = [inner(row.items[columns.index(t)]) for t in targets]
        if not all(
            k is not None and k.DESCRIPTOR.name in ("A_Const", "TypeCast") and all(map(_is_stable, walk(k))) for k in keys
        ):
            return None
        tests = " AND ".join(f"{_quoted(t)} = {deparse_expression(row.items[columns.index(t)])}" for t in targets)
        missing.append(f"NOT EXISTS (SELECT 1 FROM {name} WHERE {tests})")
    return f"SELECT {' OR '.join(missing)}"


def _is_stable(node: Any) -> bool:
    if type(node) in (pb.RangeTableSample, pb.CurrentOfExpr):
        return False
    if node.DESCRIPTOR.name == "FuncCall":
        parts = strings(node.funcname)
        return parts[-1] in _STABLE and (len(parts) == 1 or parts[0] == "pg_catalog")
    return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
