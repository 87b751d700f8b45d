"""Ways through a program: under which guards a statement stands, which handlers catch what, what runs together."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.program import (
    All,
    AnyOf,
    Condition,
    Exists,
    Handled,
    If,
    Not,
    Pattern,
    Program,
    Sql,
)
from omega_bridge.tags import Tag


def guarded(program: Program, guards: tuple[Condition, ...] = ()) -> Iterator[tuple[Sql, tuple[Condition, ...]]]:
    """Every statement with the guards that it stands under, outermost first; an ``ELSE`` stands under their opposites."""
    for node in program:
        match node:
            case Sql():
                yield node, guards
            case If():
                before = guards
                for condition, arm in node.arms:
                    yield from guarded(arm, (*before, condition))
                    before = (*before, Not(condition))
                yield from guarded(node.otherwise, before)
            case Handled():
                yield from guarded(node.body, guards)
                for _, arm in node.handlers:
                    yield from guarded(arm, guards)


def branches(program: Program, *, choices: bool = True) -> Iterator[tuple[Condition, Program]]:
    """Every guard with the arm that it decides about, at any depth; an ``ELSE`` has the opposites of those before it.

    Without ``choices`` only those of an ``IF`` that has one arm and no other.
    """
    for node in program:
        match node:
            case If():
                if choices or (len(node.arms) == 1 and not node.otherwise):
                    yield from node.arms
                    yield All(tuple(Not(condition) for condition, _ in node.arms)), node.otherwise
                for arm in (*(arm for _, arm in node.arms), node.otherwise):
                    yield from branches(arm, choices=choices)
            case Handled():
                yield from branches(node.body, choices=choices)
                for _, arm in node.handlers:
                    yield from branches(arm, choices=choices)


def longest(program: Program) -> int:
    """How many statements that do something may run in one go through the program."""
    return sum(_length(node) for node in program)


def _length(node: object) -> int:
    match node:
        case Sql():
            return int(bool(node.effects or node.data or node.opaque or node.destroys))
        case If():
            return max((longest(arm) for arm in (*(a for _, a in node.arms), node.otherwise)), default=0)
        case Handled():
            return longest(node.body)
    return 0


def denied(condition: Condition) -> Iterator[Pattern]:
    """What a guard wants not to be there: the objects that an idempotence guard looks for."""
    match condition:
        case Not(Exists(pattern)):
            yield pattern
        case Not(Not(other)):
            yield from denied(other)
        case All(several) | AnyOf(several):
            for other in several:
                yield from denied(other)


def made_anew(s: Sql) -> str | None:
    """The name of the table that a statement makes and cannot find already there: a temporary one, or without IF NOT EXISTS."""
    if s.tag not in (Tag.CREATE, Tag.CREATE_TABLE_AS):
        return None
    node = sql.parse(s.text)[0].node
    target = node.relation if s.tag == Tag.CREATE else node.into.rel
    return str(target.relname) if target.relpersistence == "t" or not node.if_not_exists else None
