"""The same step twice."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity


def find(listed: Listed) -> Iterator[Hit]:
    """Steps whose text is that of an earlier one, white space, comments and keyword case aside."""
    first: dict[str, StepAnalysis] = {}
    for _, step in listed.steps():
        twin = first.setdefault(step.checksum, step)
        if twin is not step:
            yield Hit(
                step,
                f"says the same as step {twin.id} ({twin.step.place})",
                "Remove it. Where the first one did not take, its error is what to look for: omega-bridge plan.",
            )


RULE = Rule(
    "duplicate-step",
    Severity.NOTE,
    "It does nothing that the first one did not, and the reader looks for a difference.",
    find,
)
