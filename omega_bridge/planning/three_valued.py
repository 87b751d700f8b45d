"""Answers as PostgreSQL gives them, and one more: ``None`` for what only the server can tell."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from omega_bridge.analysis.program import Filter
from omega_bridge.planning.attributes import NULL, Null

Answer: TypeAlias = "bool | Null | None"


def opposite(answer: Answer) -> Answer:
    """``NOT``."""
    return not answer if isinstance(answer, bool) else answer


def conjunction(answers: list[Answer]) -> Answer:
    """``AND``, of SQL's three values and of what is not known."""
    if any(a is False for a in answers):
        return False
    return next((a for wanted in (None, NULL) for a in answers if a is wanted), True)


def of_null(test: Filter) -> Answer:
    """The test on NULL."""
    match test.operator:
        case "null":
            return True
        case "not null":
            return False
        case "distinct" | "not distinct":
            return (test.value is not None) == (test.operator == "distinct")
    return NULL


def all_of(answers: Collection[bool | None]) -> bool | None:
    """``AND`` of what is true, false or not known."""
    return False if False in answers else None if None in answers else True
