"""``ON CONFLICT DO UPDATE`` with a time stamp: rows rewritten at every start."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.effects.naming import relation
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import Sql, statements
from omega_bridge.sql.grammar import OnConflictAction, SQLValueFunctionOp
from omega_bridge.steps import Repeat
from omega_bridge.tags import Tag

_CLOCKS = {"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday"}


def find(listed: Listed) -> Iterator[Hit]:
    """Upserts that set a column to the time of day, whatever the row already holds."""
    for _, step in listed.steps():
        if step.step.repeat is Repeat.ONCE:
            continue
        for s in statements(step.program):
            if s.tag == Tag.INSERT and (clocks := _clocks(node := sql.parse(s.text)[0].node)):
                yield Hit(
                    step,
                    f"writes every row of {relation(node.relation).name} anew at every start, because {clocks[0]} is the time of day",
                    "Update only what differs: add WHERE (...) IS DISTINCT FROM (EXCLUDED. ...).",
                    _instead(s, node, clocks),
                    at=s.text,
                )


def _clocks(node: sql.ParseNode) -> list[str]:
    """The columns that a conflict sets to the time, where nothing asks whether the row differs."""
    conflict = node.on_conflict_clause
    if conflict.action != OnConflictAction.UPDATE or sql.held(conflict.where_clause) is not None:
        return []
    stamped = _stamped(node)
    found = []
    for target in map(sql.inner, conflict.target_list):
        value = sql.held(target.val)
        taken = [sql.inner(f).sval for f in value.fields] if value is not None and sql.name_of(value) == "ColumnRef" else []
        if _tells_time(target.val) or (taken[:1] == ["excluded"] and taken[-1] in stamped):
            found.append(target.name)
    return found


def _stamped(node: sql.ParseNode) -> set[str]:
    """The columns into which the rows to insert put the time."""
    query = sql.inner(node.select_stmt)
    columns = [sql.inner(c).name for c in node.cols]
    rows = [sql.inner(r).items for r in getattr(query, "values_lists", ())]
    return {column for row in rows for column, value in zip(columns, row, strict=False) if _tells_time(value)}


def _tells_time(value: sql.ParseNode) -> bool:
    for found in sql.walk(value):
        if sql.name_of(found) == "SQLValueFunction" and found.op <= SQLValueFunctionOp.LOCALTIMESTAMP_N:
            return True
        if sql.name_of(found) == "FuncCall" and sql.strings(found.funcname)[-1] in _CLOCKS:
            return True
    return False


def _instead(s: Sql, node: sql.ParseNode, clocks: list[str]) -> tuple[str, ...]:
    told = [sql.inner(t).name for t in node.on_conflict_clause.target_list if sql.inner(t).name not in clocks]
    if not told or node.HasField("returning_clause"):
        return ()
    table = node.relation.alias.aliasname or node.relation.relname
    mine = ", ".join(sql.identifier(table, column) for column in told)
    theirs = ", ".join(f"EXCLUDED.{sql.identifier(column)}" for column in told)
    return (f"{s.text}\nWHERE ({mine}) IS DISTINCT FROM ({theirs})",)


RULE = Rule(
    "conflict-update-never-settles",
    Severity.WARNING,
    "A dead row, its index entries and its WAL for each row at each start, and updated_at says when the service was restarted.",
    find,
)
