"""Statements that touch rows, and the read-only question whether one would change anything.

The *lookahead* is a ``SELECT`` that is false only where the statement would change no row; it is given for the plain
forms (``UPDATE``/``DELETE ... WHERE``, ``INSERT ... VALUES ... ON CONFLICT (...) DO NOTHING``) without volatile calls.
"""

from __future__ import annotations

from collections.abc import Iterable

from omega_bridge.analysis.effects.columns import references
from omega_bridge.analysis.effects.naming import relation
from omega_bridge.analysis.program import Sql
from omega_bridge.sql import ParseNode, Statement, deparse_expression, fields, held, inner, known, name_of, strings, walk
from omega_bridge.sql.building import asking_for_rows
from omega_bridge.sql.grammar import OnConflictAction, SortByDir, SortByNulls

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
    OnConflictClause=known("infer", action=(OnConflictAction.NOTHING,)),
    InferClause=known("index_elems"),
    IndexElem=known("", "name", ordering=(SortByDir.DEFAULT,), nulls_ordering=(SortByNulls.NULLS_DEFAULT,)),
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


def refresh(statement: Statement) -> Sql:
    """Rows, written anew from others; without data, all of them taken away."""
    return call(statement) if statement.node.skip_data else _data(statement, None)


SELECT = fields(
    SelectStmt=known(
        "",
        "distinct_clause target_list from_clause where_clause group_clause group_distinct having_clause window_clause values_lists "
        "sort_clause limit_offset limit_count limit_option locking_clause with_clause op all larg rarg",
    )
)
_ASKING = frozenset({
    "A_ArrayExpr", "A_Const", "A_Expr", "A_Indices", "A_Indirection", "A_Star", "Alias", "BitString", "BoolExpr",
    "Boolean", "BooleanTest", "CaseExpr", "CaseWhen", "CoalesceExpr", "CollateClause", "ColumnRef",
    "CommonTableExpr", "Float", "FuncCall", "GroupingFunc", "GroupingSet", "Integer", "JoinExpr", "List",
    "LockingClause", "MinMaxExpr", "NamedArgExpr", "NullTest", "RangeSubselect", "RangeVar", "ResTarget",
    "RowExpr", "SQLValueFunction", "SelectStmt", "SortBy", "String", "SubLink", "TypeCast", "TypeName",
    "WindowDef", "WithClause",
})  # fmt: skip
"""Of what a query may be made that only asks."""

_WRITING = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


def select(statement: Statement) -> Sql:
    """A query: nothing, unless it calls a function, which may do anything, or a ``WITH`` of it writes rows."""
    kinds = set(map(name_of, walk(statement.node)))
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


def _rows(target: ParseNode, others: Iterable[ParseNode], where: ParseNode) -> str | None:
    if not all(_is_stable(found) for part in (where, *others) for found in walk(part)):
        return None
    return asking_for_rows(target, others, where)


def _insert_lookahead(node: ParseNode) -> str | None:
    conflict = node.on_conflict_clause
    if conflict.action != OnConflictAction.NOTHING or not conflict.HasField("infer"):
        return None
    targets = [inner(e).name for e in conflict.infer.index_elems]
    columns = [inner(c).name for c in node.cols]
    query = held(node.select_stmt)
    if query is None or name_of(query) != "SelectStmt" or not query.values_lists or not all(t in columns for t in targets):
        return None
    table = relation(node.relation)
    name = f"{_quoted(table.schema)}.{_quoted(table.name)}" if table.schema else _quoted(table.name)
    missing = []
    for row in map(inner, query.values_lists):
        keys = [held(row.items[columns.index(t)]) for t in targets]
        if not all(k is not None and name_of(k) in ("A_Const", "TypeCast") and all(map(_is_stable, walk(k))) for k in keys):
            return None
        tests = " AND ".join(f"{_quoted(t)} = {deparse_expression(row.items[columns.index(t)])}" for t in targets)
        missing.append(f"NOT EXISTS (SELECT 1 FROM {name} WHERE {tests})")
    return f"SELECT {' OR '.join(missing)}"


def _is_stable(node: ParseNode) -> bool:
    if name_of(node) in ("RangeTableSample", "CurrentOfExpr"):
        return False
    if name_of(node) == "FuncCall":
        parts = strings(node.funcname)
        return parts[-1] in _STABLE and (len(parts) == 1 or parts[0] == "pg_catalog")
    return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
