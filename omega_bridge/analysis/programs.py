"""A step's text to its program: statement by statement, in its order."""

from __future__ import annotations

from functools import lru_cache

from omega_bridge.analysis.effects import read
from omega_bridge.analysis.program import Node, Program, Sql
from omega_bridge.sql import parse
from omega_bridge.tags import Tag


@lru_cache(maxsize=64)
def read_program(sql: str) -> Program:
    """A step's text as a program. Raises ``StepSyntaxError``."""
    nodes: list[Node] = []
    for statement in parse(sql):
        if statement.tag == Tag.DO:
            from omega_bridge.analysis.blocks import read_block  # a step without a block needs nothing of what reads one

            nodes.extend(read_block(statement, sql[: statement.offset]))
        else:
            nodes.append(read(statement))
    if any(isinstance(n, Sql) and n.tag in (Tag.VARIABLE_SET, Tag.DISCARD, Tag.TRANSACTION) for n in nodes):
        # From here on names may mean something else, or the work is committed piecemeal: nothing is claimed.
        return (
            Sql(
                sql,
                Tag.SCRIPT,
                opaque=True,
                transactional=not any(isinstance(n, Sql) and not n.transactional for n in nodes),
            ),
        )
    return tuple(nodes)
