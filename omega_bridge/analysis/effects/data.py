"""Statements that touch rows, and the read-only question whether one would change anything.

The *lookahead* is a ``SELECT`` that is false only where the statement would change no row; it is given for the plain
forms (``UPDATE``/``DELETE ... WHERE``, ``INSERT ... VALUES ... ON CONFLICT (...) DO NOTHING``) without volatile calls.
"""

from __future__ import annotations

from typing import Any

from omega_bridge.analysis.effects.columns import references
from omega_bridge.analysis.effects.naming import relation
from omega_bridge.analysis.program import Sql
from omega_bridge.sql import Statement, deparse_expression, deparse_statement, inner, pb, strings, walk

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


def insert(statement: Statement) -> Sql:
    """New rows."""
    return _data(statement, _insert_lookahead(statement.node))


def update(statement: Statement) -> Sql:
    """Changed rows."""
    node = statement.node
    return _data(statement, None if node.HasField("with_clause") else _rows(node.relation, node.from_clause, node.where_clause))


def delete(statement: Statement) -> Sql:
    """Fewer rows."""
    node = statement.node
    return _data(statement, None if node.HasField("with_clause") else _rows(node.relation, node.using_clause, node.where_clause))


def other(statement: Statement) -> Sql:
    """``MERGE``, ``COPY``."""
    return _data(statement, None)


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


def select(statement: Statement) -> Sql:
    """A query: nothing, unless it calls a function, which may do anything."""
    if statement.node.HasField("into_clause"):
        return Sql(statement.text, statement.tag, opaque=True, offset=statement.offset)
    if all(_is_stable(found) for found in walk(statement.node)):
        return nothing(statement)
    return call(statement)


def explain(statement: Statement) -> Sql:
    """No effect, but with ``ANALYZE``, which runs the statement."""
    options = {o.def_elem.defname for o in statement.node.options}
    if "analyze" not in options:
        return nothing(statement)
    return Sql(statement.text, statement.tag, data=True, opaque=True, offset=statement.offset)


def nothing(statement: Statement) -> Sql:
    """No effect."""
    return Sql(statement.text, statement.tag, offset=statement.offset)


def _data(statement: Statement, lookahead: str | None) -> Sql:
    needs = tuple(references(statement.node))
    return Sql(statement.text, statement.tag, needs=needs, data=True, lookahead=lookahead, offset=statement.offset)


def _rows(target: Any, others: Any, where: Any) -> str | None:
    if not all(_is_stable(found) for found in walk(where)):
        return None
    query = pb.SelectStmt()
    query.target_list.add().res_target.val.a_const.ival.ival = 1
    query.from_clause.add().range_var.CopyFrom(target)
    query.from_clause.extend(others)
    if where.WhichOneof("node"):
        query.where_clause.CopyFrom(where)
    query.limit_option = pb.LIMIT_OPTION_DEFAULT
    query.op = pb.SETOP_NONE
    return f"SELECT EXISTS ({deparse_statement('select_stmt', query)})"


def _insert_lookahead(node: Any) -> str | None:
    conflict = node.on_conflict_clause
    if node.HasField("with_clause") or conflict.action != pb.ONCONFLICT_NOTHING or not conflict.HasField("infer"):
        return None
    if conflict.infer.HasField("where_clause"):
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
        if not all(k is not None and k.DESCRIPTOR.name in ("A_Const", "TypeCast") and _is_stable(k) for k in keys):
            return None
        tests = " AND ".join(f"{_quoted(t)} = {deparse_expression(row.items[columns.index(t)])}" for t in targets)
        missing.append(f"NOT EXISTS (SELECT 1 FROM {name} WHERE {tests})")
    return f"SELECT {' OR '.join(missing)}"


def _is_stable(node: Any) -> bool:
    if node.DESCRIPTOR.name == "FuncCall":
        parts = strings(node.funcname)
        return parts[-1] in _STABLE and (len(parts) == 1 or parts[0] == "pg_catalog")
    return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
