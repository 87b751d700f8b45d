"""A guard that looks in every schema for what its statement makes in one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.paths import branches
from omega_bridge.analysis.program import (
    ANY_SCHEMA,
    VISIBLE,
    All,
    AnyOf,
    Condition,
    Exists,
    Handled,
    If,
    Node,
    Not,
    Pattern,
    Program,
    patterns,
    statements,
)
from omega_bridge.analysis.writing import write
from omega_bridge.catalog import Kind

_WITHOUT_ONE = {Kind.SCHEMA, Kind.EXTENSION}


def find(listed: Listed) -> Iterator[Hit]:
    """One finding a step, with the objects that its guards would take from any schema."""
    for _, step in listed.steps():
        loose = [p for condition, _ in branches(step.program) for p in patterns(condition) if _is_loose(p)]
        if loose:
            told = list(dict.fromkeys(map(_told, loose)))
            more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
            instead = write(tuple(_in_schema(step.program)))
            yield Hit(
                step,
                f"the guard finds {told[0]} in any schema{more}",
                "Say which one: table_schema = current_schema(), conrelid = to_regclass('table'), to_regclass('name').",
                (instead,) if instead else (),
                edit=_edit(step.step.sql),
            )


_SCHEMA_OF = {
    "table_name": ("table_schema", "current_schema()"),
    "constraint_name": ("constraint_schema", "current_schema()"),
    "tablename": ("schemaname", "current_schema()"),
    "indexname": ("schemaname", "current_schema()"),
    "relname": ("relnamespace", "current_schema()::regnamespace"),
    "typname": ("typnamespace", "current_schema()::regnamespace"),
    "proname": ("pronamespace", "current_schema()::regnamespace"),
}
"""Of the columns by which guards look for a name, the one with its schema, and the schema that is meant."""


def _edit(text: str) -> tuple[str, str] | None:
    """The schema in front of each name that is looked for, where the text says it nowhere; its first column alone decides."""
    edited = text
    for column, (schema, value) in _SCHEMA_OF.items():
        if not re.search(rf"\b{schema}\b", edited, re.IGNORECASE):
            edited = re.sub(
                rf"(?<![\w.])((?:\w+\.)?){column}(?=\s*=\s*')", rf"\g<1>{schema} = {value} AND \g<0>", edited, flags=re.IGNORECASE
            )
    return (text, edited) if edited != text else None


def _is_loose(pattern: Pattern) -> bool:
    return pattern.schema == ANY_SCHEMA and not set(pattern.kinds) <= _WITHOUT_ONE


def _told(pattern: Pattern) -> str:
    named = ".".join(part for part in (pattern.table, pattern.name) if part)
    kind = "type" if Kind.ENUM in pattern.kinds else "relation" if len(pattern.kinds) > 2 else pattern.kinds[0]
    return f"{kind} {named}" if pattern.name else f"a {kind} of {named}"


def _in_schema(program: Program) -> Iterator[Node]:
    for node in program:
        match node:
            case If():
                arms = tuple((_placed(condition, arm), tuple(_in_schema(arm))) for condition, arm in node.arms)
                yield If(arms, tuple(_in_schema(node.otherwise)))
            case Handled():
                handlers = tuple((names, tuple(_in_schema(arm))) for names, arm in node.handlers)
                yield Handled(tuple(_in_schema(node.body)), handlers)
            case _:
                yield node


def _placed(condition: Condition, arm: Program) -> Condition:
    """The condition with each look-up in the schema, and on the table, of what the arm makes by that name."""
    match condition:
        case Exists(pattern) if _is_loose(pattern):
            keys = [
                e.key for s in statements(arm) for e in s.effects if e.key.kind in pattern.kinds and e.key.name == pattern.name
            ]
            schema = next((k.schema for k in keys), VISIBLE)
            table = pattern.table or next((k.table or None for k in keys), None)
            return Exists(replace(pattern, schema=schema, table=table))
        case Not(other):
            return Not(_placed(other, arm))
        case All(several):
            return All(tuple(_placed(c, arm) for c in several))
        case AnyOf(several):
            return AnyOf(tuple(_placed(c, arm) for c in several))
    return condition


RULE = Rule(
    "guard-without-schema",
    Severity.WARNING,
    "A table of that name in another schema (a second tenant, a test, a backup) answers for this one: "
    "the step is never done here, or done again.",
    find,
)
