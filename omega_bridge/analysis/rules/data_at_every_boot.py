"""Rows changed at every start, again and again."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.paths import guarded
from omega_bridge.analysis.program import Condition, Not, Program, Sql, is_decidable
from omega_bridge.analysis.reading import StepKind, protects
from omega_bridge.sql.grammar import BoolExprType, ExprKind, NullTestType
from omega_bridge.steps import Repeat
from omega_bridge.tags import Tag

_VERBS = {Tag.INSERT: "inserts into", Tag.UPDATE: "updates", Tag.DELETE: "deletes from", Tag.MERGE: "merges into"}


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
                    at=s.text,
                )
                break


def _is_once(guards: tuple[Condition, ...], program: Program) -> bool:
    """Whether it stands under a guard that its step's own work satisfies, or that only the server can answer."""
    return any(isinstance(g, Not) or not is_decidable(g) or protects(g, program) for g in guards)


def _rests(s: Sql) -> bool:
    """Whether a second run finds nothing to do: seeds, back-fills, what asks first."""
    node = sql.parse(s.text)[0].node
    match s.tag:
        case Tag.INSERT:
            return node.HasField("on_conflict_clause") or any(map(_denies, sql.walk(node.select_stmt)))
        case Tag.UPDATE:
            changed = {sql.inner(target).name for target in node.target_list}
            asked = list(sql.walk(node.where_clause))
            return any(map(_denies, asked)) or bool(changed & {c for found in asked for c in _still_missing(found)})
        case Tag.DELETE:
            return sql.held(node.where_clause) is not None
    return False


def _denies(node: sql.ParseNode) -> bool:
    """``NOT EXISTS (...)``, ``NOT (config ? 'key')``."""
    return bool(sql.name_of(node) == "BoolExpr" and node.boolop == BoolExprType.NOT)


def _still_missing(node: sql.ParseNode) -> Iterator[str]:
    """The columns that a test wants to be NULL, or other than something."""
    match sql.name_of(node):
        case "NullTest" if node.nulltesttype == NullTestType.IS_NULL:
            yield from _columns(node.arg)
        case "A_Expr" if node.kind == ExprKind.DISTINCT or sql.strings(node.name)[-1:] in (("<>",), ("!=",)):
            yield from (*_columns(node.lexpr), *_columns(node.rexpr))
        case "CoalesceExpr":
            yield from (column for argument in node.args for column in _columns(argument))


def _columns(node: sql.ParseNode) -> Iterator[str]:
    for found in sql.walk(node):
        if sql.name_of(found) == "ColumnRef" and sql.name_of(last := sql.inner(found.fields[-1])) == "String":
            yield last.sval


RULE = Rule(
    "data-at-every-boot",
    Severity.WARNING,
    "The list runs at every start, so this does too: what people change in between is changed back, and rows pile up.",
    find,
)
