"""Where an edited list makes a fresh database another than one that lived through the texts before, tried on scratch databases."""

from __future__ import annotations

from pathlib import Path

from omega_bridge.analysis import Analysis
from omega_bridge.audit.fresh import begun
from omega_bridge.audit.grounds import grounds_of
from omega_bridge.audit.scratch import Scratch
from omega_bridge.planning.edited import Split
from omega_bridge.planning.foundation import Foundation
from omega_bridge.revisions import sums
from omega_bridge.revisions.ground import begins_with, stands_on


def splits_on(scratch: Scratch, analysis: Analysis, folder: Path, foundation: Foundation | None) -> tuple[Split, ...]:
    """What a start of today's list and an upgrade to the head do not share. Raises ``StepFailed`` where the history cannot be run."""
    lines = sums.read_sum(folder)
    ground = grounds_of(stands_on(folder, lines, foundation), in_history=begins_with(lines) is not None)[0]
    found = begun(ground, analysis, folder, lines, scratch, None)
    return tuple(Split(d.step, d.object, d.attribute, d.boot, d.alembic, d.append) for d in found.differences)
