"""The same step twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.program import Effect
from omega_bridge.analysis.reading import StepKind
from omega_bridge.analysis.written import written
from omega_bridge.catalog import Kind
from omega_bridge.sql import printed_type


def find(listed: Listed) -> Iterator[Hit]:
    """Steps whose text is that of an earlier one, white space, comments and keyword case aside, or that do the same.

    ``INT`` and ``int4`` are one type; a guard that asks the same is one, too.
    """
    first: dict[object, StepAnalysis] = {}
    for _, step in listed.steps():
        twin = first.setdefault(step.checksum, step)
        meant = _meaning(step)
        if twin is step and meant is not None:
            twin = first.setdefault(meant, step)
        if twin is not step:
            yield Hit(
                step,
                f"{'says' if twin.checksum == step.checksum else 'does'} the same as step {twin.id} ({twin.step.place})",
                "Remove it. Where the first one did not take, its error is what to look for: omega-bridge plan.",
            )


def _meaning(step: StepAnalysis) -> object:
    """All that a step is read to do, with PostgreSQL's own names for types; ``None`` where something of it is not read."""
    found = written(step)
    if step.kind is not StepKind.SCHEMA or not step.reading.is_certain or not found:
        return None
    if any(not w.sql.effects or w.sql.data for w in found):
        return None
    parts = [(w.sql.tag, w.guards, sorted(w.caught), w.sql.effects, tuple(map(_implied, w.sql.implied))) for w in found]
    return None if "(set by the server)" in (told := repr(parts)) else told


def _implied(effect: Effect) -> Effect:
    said = tuple(
        (name, printed_type(str(value)) if name == "type" and effect.key.kind is Kind.COLUMN else value)
        for name, value in effect.attributes
    )
    return replace(effect, attributes=said)


RULE = Rule(
    "duplicate-step",
    Severity.NOTE,
    "It does nothing that the first one did not, and the reader looks for a difference.",
    find,
)
