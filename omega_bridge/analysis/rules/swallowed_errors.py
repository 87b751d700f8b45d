"""``EXCEPTION WHEN OTHERS`` without a raise."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.handlers import blocks, expected_errors, narrowed, swallowed_by
from omega_bridge.analysis.writing import write

_OTHERS = re.compile(r"\bWHEN\s+OTHERS\b", re.IGNORECASE)


def find(listed: Listed) -> Iterator[Hit]:
    """One finding a step, whatever the number of its handlers."""
    for _, step in listed.steps():
        if not any("others" in swallowed_by(block) for block in blocks(step.program)):
            continue
        instead = write(narrowed(step.program))
        names = expected_errors(step.program)
        hint = (
            f"Catch what may be expected, and no more: WHEN {' OR '.join(sorted(names))}."
            if names
            else "Leave the handler out: a step that fails is tried again after the later ones, and what still fails is told."
        )
        caught = _OTHERS.search(step.step.sql)
        yield Hit(
            step,
            "EXCEPTION WHEN OTHERS takes every error for none",
            hint,
            (instead,) if instead else (),
            at=caught[0] if caught else "",
            edit=(caught[0], f"WHEN {' OR '.join(sorted(names))}") if caught and names else None,
        )


RULE = Rule(
    "swallowed-errors",
    Severity.WARNING,
    "A lock that was not had, a missing table, a full disk: all pass for success, and the schema lacks the object for ever.",
    find,
)
