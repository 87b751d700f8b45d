"""Which later step may mend the rows for which a step was rejected, or had no effect since its handler hid PostgreSQL's error? Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from omega_bridge.analysis import StepAnalysis, statements
from omega_bridge.analysis.handlers import blocks, swallowed_by
from omega_bridge.analysis.program import RELATIONS, Sql
from omega_bridge.catalog import Kind
from omega_bridge.revisions.lifting.rows import hangs_on_rows

_OF_THE_SCHEMA = ("duplicate_", "undefined_", "invalid_table_definition")
"""Conditions that no row causes begin with these. Source: PostgreSQL's manual, "PostgreSQL Error Codes"."""


def hides_rows_of(step: StepAnalysis) -> frozenset[str]:
    """The tables whose rows may make a statement of the step fail, in a block that lets that pass."""
    return frozenset(
        name
        for block in blocks(step.program)
        if any(not one.startswith(_OF_THE_SCHEMA) for one in swallowed_by(block))
        for s in statements(block.body)
        if hangs_on_rows(s)
        for name in _tables(s)
    )


def writes_rows_of(step: StepAnalysis) -> frozenset[str]:
    """The tables whose rows a step changes, as far as its text names them."""
    return frozenset(name for s in statements(step.program, handlers=True) if s.data for name in _tables(s))


def who_mends(steps: Sequence[StepAnalysis], rejected: Collection[str]) -> StepAnalysis | None:
    """The first step behind those ``rejected`` (by checksum) that changes rows on which a statement of theirs hangs."""
    last = max((number for number, step in enumerate(steps) if step.checksum in rejected), default=len(steps))
    meant = [step for step in steps[: last + 1] if step.checksum in rejected]
    tables = {name for step in meant for s in statements(step.program, handlers=True) if hangs_on_rows(s) for name in _tables(s)}
    return next((step for step in steps[last + 1 :] if not tables.isdisjoint(writes_rows_of(step))), None)


def _tables(s: Sql) -> Iterator[str]:
    yield from (k.name for k in s.needs if k.kind in RELATIONS)
    yield from (e.key.table for e in s.effects if e.key.table)
    yield from (e.key.name for e in s.effects if e.key.kind is Kind.MATERIALIZED_VIEW)
