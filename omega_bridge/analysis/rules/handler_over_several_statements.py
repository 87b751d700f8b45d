"""One exception handler over several statements."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.handlers import blocks, narrowed, swallowed_by
from omega_bridge.analysis.paths import longest
from omega_bridge.analysis.program import Handled, If, Node, Program
from omega_bridge.analysis.writing import write


def find(listed: Listed) -> Iterator[Hit]:
    """Blocks whose handler goes on after an error, with two statements or more that do something in one go."""
    for _, step in listed.steps():
        found = [b for b in blocks(step.program) if swallowed_by(b) and longest(b.body) > 1]
        if found:
            names = " OR ".join(name.upper() for name in swallowed_by(found[0]))
            instead = write(tuple(_apart(narrowed(step.program))))
            yield Hit(
                step,
                f"one handler (WHEN {names}) over {longest(found[0].body)} statements: if one fails, all of them are undone",
                "Give each statement a block of its own, or a step of its own.",
                (instead,) if instead else (),
            )


def _apart(program: Program) -> Iterator[Node]:
    """The program with each handler around one statement at a time."""
    for node in program:
        match node:
            case If():
                yield If(tuple((condition, tuple(_apart(arm))) for condition, arm in node.arms), tuple(_apart(node.otherwise)))
            case Handled() if swallowed_by(node):
                yield from _each(node.body, node)
            case Handled():
                yield Handled(tuple(_apart(node.body)), node.handlers)
            case _:
                yield node


def _each(program: Program, block: Handled) -> Iterator[Node]:
    for node in program:
        if longest((node,)) == 0:
            yield node
        elif isinstance(node, If) and longest((node,)) > 1:
            yield If(tuple((c, tuple(_each(arm, block))) for c, arm in node.arms), tuple(_each(node.otherwise, block)))
        elif isinstance(node, Handled):
            yield from _apart((node,))
        else:
            yield Handled((node,), block.handlers)


RULE = Rule(
    "handler-over-several-statements",
    Severity.WARNING,
    "An error rolls the whole block back to its BEGIN: what worked before it is undone, at every start, for ever.",
    find,
)
