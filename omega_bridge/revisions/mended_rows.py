"""Which later step may have mended the rows for which a step had no effect, since its handler hid PostgreSQL's error? Pure."""

from __future__ import annotations

from collections.abc import Iterator

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


def _tables(s: Sql) -> Iterator[str]:
    yield from (k.name for k in s.needs if k.kind in RELATIONS)
    yield from (e.key.table for e in s.effects if e.key.table)
    yield from (e.key.name for e in s.effects if e.key.kind is Kind.MATERIALIZED_VIEW)
