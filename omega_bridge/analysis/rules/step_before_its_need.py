"""A step in front of the one that makes what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import statements
from omega_bridge.catalog import Key


def find(listed: Listed) -> Iterator[Hit]:
    """Steps that wait, on an empty database, for a later step of the list. What nothing in the list makes is not its affair."""
    for index, step in listed.steps():
        need = listed.waited.get(index)
        if need is None or any(_makes(s, need) for s in listed.analysis.steps[:index]):
            continue
        later = next((s for s in listed.analysis.steps[index + 1 :] if _makes(s, need)), None)
        if later is not None:
            yield Hit(
                step,
                f"needs {need}, which only the later step {later.id} ({later.step.place}) makes",
                f"Move it behind step {later.id}: the history compiled from the list does not change by that.",
            )


def _makes(step: StepAnalysis, need: Key) -> bool:
    return any(
        e.present
        and (e.key.kind, e.key.table, e.key.name.partition("(")[0]) == (need.kind, need.table, need.name.partition("(")[0])
        for s in statements(step.program)
        for e in (*s.effects, *s.implied)
    )


RULE = Rule(
    "step-before-its-need",
    Severity.WARNING,
    "Run one by one in the list's order, it fails on an empty database, and only the second start completes the schema.",
    find,
)
