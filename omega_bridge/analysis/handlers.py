"""Exception handlers: what they hide, and what they would have to catch at most.

Source: PostgreSQL's manual, appendix "PostgreSQL Error Codes".
"""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.paths import guarded
from omega_bridge.analysis.program import Handled, If, Node, Program, Raise, Sql
from omega_bridge.tags import Tag


def blocks(program: Program) -> Iterator[Handled]:
    """Every block with handlers, at any depth."""
    for node in program:
        match node:
            case If():
                for _, arm in node.arms:
                    yield from blocks(arm)
                yield from blocks(node.otherwise)
            case Handled():
                yield node
                yield from blocks(node.body)
                for _, arm in node.handlers:
                    yield from blocks(arm)


def swallowed_by(block: Handled) -> tuple[str, ...]:
    """The names of the conditions that the block's handlers catch and do not raise again."""
    return tuple(name for names, arm in block.handlers if not _raises(arm) for name in names)


def _raises(program: Program) -> bool:
    """Whether every way through ends in an error: a condition in front may let it pass."""
    for node in program:
        match node:
            case Raise(error=True):
                return True
            case If() if all(_raises(arm) for arm in (*(a for _, a in node.arms), node.otherwise)):
                return True
            case Handled() if _raises(node.body) and not swallowed_by(node):
                return True
    return False


def narrowed(program: Program) -> Program:
    """The program with its handlers for OTHERS narrowed to what their statements may well meet, or gone."""
    return tuple(_narrowed(program))


def _narrowed(program: Program) -> Iterator[Node]:
    for node in program:
        match node:
            case If():
                arms = tuple((condition, tuple(_narrowed(arm))) for condition, arm in node.arms)
                yield If(arms, tuple(_narrowed(node.otherwise)))
            case Handled():
                kept = tuple((names, arm) for names, arm in node.handlers if "others" not in names)
                names = expected_errors(node.body) - {name for caught, _ in kept for name in caught}
                handlers = (*kept, (tuple(sorted(names)), ())) if names else kept
                body = tuple(_narrowed(node.body))
                if handlers:
                    yield Handled(body, handlers)
                else:
                    yield from body
            case _:
                yield node


def expected_errors(program: Program) -> frozenset[str]:
    """PostgreSQL's names for the errors that may be expected of a program's second run: what is under a guard has none."""
    return frozenset(name for s, guards in guarded(program) if not guards for name in (*s.again, *_not_to_be_had(s)))


def _not_to_be_had(s: Sql) -> Iterator[str]:
    """An extension may not be installed on the machine, or not be for this role to create."""
    if s.tag == Tag.CREATE_EXTENSION:
        yield from ("feature_not_supported", "insufficient_privilege", "undefined_file")
