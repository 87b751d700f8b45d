"""Rows changed at every start, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omega_bridge import sql
from omega_bridge.analysis.analysis import StepKind, protects
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.paths import guarded
from omega_bridge.analysis.program import Condition, Not, Program, Sql
from omega_bridge.steps import Repeat

_VERBS = {"insert_stmt": "inserts into", "update_stmt": "updates", "delete_stmt": "deletes from", "merge_stmt": "merges into"}


def find(listed: Listed) -> Iterator[Hit]:
    """Statements on rows that no guard and no condition of their own brings to rest."""
    for _, step in listed.steps():
        if step.kind is StepKind.SCHEMA or step.step.repeat is Repeat.ONCE:
            continue
        for s, guards in guarded(step.program):
            if s.tag in _VERBS and not s.opaque and not _rests(s) and not _is_once(guards, step.program):
                yield Hit(
                    step,
                    f"{_VERBS[s.tag]} {s.needs[0].name if s.needs else 'a table'} at every start",
                    f'Let it run until it succeeded once: Step(sql, repeat="once"), or repeat = "once" in '
                    f"[tool.omega-bridge.step.{step.id}]; or let its WHERE ask for what is still missing.",
                )
                break


def _is_once(guards: tuple[Condition, ...], program: Program) -> bool:
    """Whether it stands under a guard that the step's own work satisfies: then it belongs to that change."""
    return any(protects(guard, program) for guard in guards) or any(isinstance(g, Not) for g in guards)


def _rests(s: Sql) -> bool:
    """Whether a second run finds nothing to do: seeds, back-fills, what asks first."""
    node = sql.parse(s.text)[0].node
    match s.tag:
        case "insert_stmt":
            return node.HasField("on_conflict_clause") or _asks_first(node.select_stmt)
        case "update_stmt":
            changed = {sql.inner(target).name for target in node.target_list}
            return bool(changed & set(_required_null(node.where_clause)))
    return False


def _asks_first(query: Any) -> bool:
    """``INSERT ... SELECT ... WHERE NOT EXISTS (...)``."""
    return any(found.DESCRIPTOR.name == "BoolExpr" and found.boolop == sql.pb.NOT_EXPR for found in sql.walk(query))


def _required_null(where: Any) -> Iterator[str]:
    """The columns that a condition wants to be NULL, or differing from what will be written."""
    node = sql.inner(where)
    if node is None:
        return
    match node.DESCRIPTOR.name:
        case "BoolExpr" if node.boolop in (sql.pb.AND_EXPR, sql.pb.OR_EXPR):
            for part in node.args:
                yield from _required_null(part)
        case "NullTest" if node.nulltesttype == sql.pb.IS_NULL:
            yield from _column(node.arg)
        case "A_Expr" if node.kind == sql.pb.AEXPR_DISTINCT:
            yield from _column(node.lexpr)


def _column(node: Any) -> Iterator[str]:
    found = sql.inner(node)
    if found.DESCRIPTOR.name == "ColumnRef":
        yield sql.inner(found.fields[-1]).sval


RULE = Rule(
    "data-at-every-boot",
    Severity.WARNING,
    "The list runs at every start, so this does too: what people change in between is changed back, and rows pile up.",
    find,
)
