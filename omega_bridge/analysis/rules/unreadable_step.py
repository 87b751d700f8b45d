"""A text that PostgreSQL's grammar rejects: merge markers, a missing ``THEN``, an unterminated ``$$``."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity


def find(listed: Listed) -> Iterator[Hit]:
    """Steps that do not parse; what only the parser here cannot follow (it has no hint) is a warning."""
    for _, step in listed.steps():
        problem = step.problem
        if problem is not None:
            yield Hit(
                step,
                problem.message,
                problem.hint or "The step runs as it is; write it flatter, so that it can be judged by the catalog.",
                line=problem.line,
                severity=None if problem.hint else Severity.WARNING,
            )


RULE = Rule(
    "unreadable-step",
    Severity.ERROR,
    "PostgreSQL rejects the whole text: nothing of it is ever done, and a loop that logs errors at debug level hides that.",
    find,
)
