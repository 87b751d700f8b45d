"""What databases have lived through, by the history: every text that it holds, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omega_bridge.analysis import Analysis, StepAnalysis, analyse
from omega_bridge.revisions.chain import RevisionKind
from omega_bridge.revisions.files import RecordedTexts
from omega_bridge.revisions.sums import SumLine, revisions
from omega_bridge.steps import Registry

_WITHOUT_TEXT = (RevisionKind.FOUNDATION, RevisionKind.RETIRE)


def lived_through(folder: Path, lines: Sequence[SumLine]) -> tuple[StepAnalysis, ...]:
    """The steps as they were, each under the label that the history has for it."""
    texts = RecordedTexts(folder, lines)
    found = [
        (recorded.label, text)
        for line in revisions(lines)
        if line.kind not in _WITHOUT_TEXT
        for recorded, text in zip(line.steps, texts.all(line.revision), strict=True)
    ]
    return tuple(
        replace(step, id=label) for step, (label, _) in zip(analyse(Registry.of([text for _, text in found])), found, strict=True)
    )


def only_grew(lines: Sequence[SumLine], analysis: Analysis) -> bool:
    """Whether the list has all that the history holds as it was, and what is new behind it: then none but new steps have work."""
    if any(line.kind in (RevisionKind.AMEND, RevisionKind.RETIRE) for line in revisions(lines)):
        return False
    held = {step.checksum for line in revisions(lines) if line.kind != RevisionKind.FOUNDATION for step in line.steps}
    today = [step.checksum for step in analysis if not step.is_empty]
    known = [checksum in held for checksum in today]
    return held <= set(today) and known == sorted(known, reverse=True)
