"""A list's statements one by one, as they are written: each with the guards over it and the errors that a handler takes.

Of a step that sets the session or ends a transaction nothing is claimed as a whole; its statements are read all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.effects import read
from omega_bridge.analysis.handlers import swallowed_by
from omega_bridge.analysis.program import Condition, Handled, If, Not, Program, Sql
from omega_bridge.analysis.programs import read_program
from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import Statement, parse
from omega_bridge.tags import Tag


@dataclass(frozen=True, slots=True)
class Written:
    """One statement. ``caught``: PostgreSQL's names for the errors that a handler around it takes, without raising anew."""

    sql: Sql
    statement: Statement
    guards: tuple[Condition, ...]
    caught: frozenset[str]
    is_in_block: bool

    @property
    def catches_all(self) -> bool:
        """Whether no error of it is seen."""
        return "others" in self.caught


def written(step: StepAnalysis) -> tuple[Written, ...]:
    """The statements of a step, in order, those in handlers left out; none of a text that does not parse."""
    return _written(step.step.sql)


@lru_cache(maxsize=16384)
def _written(text: str) -> tuple[Written, ...]:
    return tuple(_each(text))


def _each(text: str) -> Iterator[Written]:
    try:
        found = parse(text)
    except StepSyntaxError:
        return
    for statement in found:
        if statement.tag != Tag.DO:
            yield Written(read(statement), statement, (), frozenset(), False)
            continue
        try:
            program = read_program(statement.text)
        except StepSyntaxError:
            continue
        for sql, guards, caught in _inside(program, (), frozenset()):
            try:
                (parsed,) = parse(sql.text)
            except (StepSyntaxError, ValueError):
                continue
            yield Written(sql, parsed, guards, caught, True)


def _inside(
    program: Program, guards: tuple[Condition, ...], caught: frozenset[str]
) -> Iterator[tuple[Sql, tuple[Condition, ...], frozenset[str]]]:
    for node in program:
        match node:
            case Sql():
                yield node, guards, caught
            case If():
                before = guards
                for condition, arm in node.arms:
                    yield from _inside(arm, (*before, condition), caught)
                    before = (*before, Not(condition))
                yield from _inside(node.otherwise, before, caught)
            case Handled():
                yield from _inside(node.body, guards, caught | frozenset(swallowed_by(node)))
