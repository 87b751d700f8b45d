"""Rows or values that are lost without a drop: no guard refuses it."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.losing import losses
from omega_bridge.analysis.rules import data_at_every_boot


def find(listed: Listed) -> Iterator[Hit]:
    """Statements that overwrite, empty, detach or forget, in steps that were not marked as meant to.

    What is changed at every start is told by the rule for that.
    """
    told = {hit.step.id for hit in data_at_every_boot.find(listed)}
    for _, step in listed.steps():
        for loss in losses(step):
            if loss.is_change and step.id in told:
                continue
            yield Hit(
                step,
                loss.message,
                "Say which rows (WHERE), keep what was there under another name, or say that it may go: Step(sql, destructive=True).",
                severity=Severity.NOTE if loss.forgets else None,
            )
            break


RULE = Rule(
    "loses-data",
    Severity.WARNING,
    "Neither a start nor alembic upgrade refuses it, since no table and no column goes: what it overwrites is gone all the same.",
    find,
)
