"""One step, with all that is known of it: what it does, its locks, its findings, its revisions, its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omega_bridge.analysis import Analysis
from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Finding
from omega_bridge.analysis.program import statements
from omega_bridge.ledger import Entry
from omega_bridge.lint import lint
from omega_bridge.outcomes import Action
from omega_bridge.planning import PlannedStep
from omega_bridge.planning.locks import locks_of
from omega_bridge.revisions.sums import SumLine

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one step. ``planned`` and ``history``: of the database that was asked, if one was."""

    step: StepAnalysis
    findings: tuple[Finding, ...]
    revisions: tuple[SumLine, ...]
    planned: PlannedStep | None = None
    history: tuple[Entry, ...] | None = None

    @property
    def locks(self) -> tuple[str, ...]:
        """The table locks of a run of all its statements."""
        whole = PlannedStep(self.step, Action.RUN, "", tuple(statements(self.step.program)))
        return tuple(dict.fromkeys(locks_of(whole)))

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        step = self.step
        return {
            "step": {
                "id": step.id,
                "title": step.step.title,
                "kind": str(step.kind),
                "place": str(step.step.place) if step.step.place.file else None,
                "checksum": step.checksum,
                "sql": step.step.sql,
            },
            "statements": [
                {"sql": s.text, "effects": [str(e) for e in s.effects], "transactional": s.transactional}
                for s in statements(step.program)
            ],
            "locks": list(self.locks),
            "revision": self.revisions[-1].revision if self.revisions else None,
            "revisions": [{"revision": r.revision, "kind": r.kind, "file": r.file} for r in self.revisions],
            "findings": [f.as_dict() for f in self.findings],
            "now": None
            if self.planned is None
            else {"action": str(self.planned.action), "reason": self.planned.reason, "locks": locks_of(self.planned)},
            "history": None if self.history is None else [e.as_dict() for e in self.history],
        }


def explain(
    analysis: Analysis,
    name: str,
    lines: Sequence[SumLine],
    *,
    models: int = 0,
    planned: Sequence[PlannedStep] = (),
    entries: Sequence[Entry] | None = None,
) -> Explanation | None:
    """The step with this id, and what of the history, the plan and the record is about it; ``None`` where there is none."""
    step = next((s for s in analysis if s.id == name), None)
    if step is None:
        return None
    return Explanation(
        step,
        tuple(f for f in lint(analysis, models=models) if f.step == name),
        revisions_of(name, step.checksum, lines),
        next((p for p in planned if p.analysis.id == name), None),
        None if entries is None else tuple(e for e in entries if name == e.draft.subject),
    )


def revisions_of(label: str, checksum: str, lines: Sequence[SumLine]) -> tuple[SumLine, ...]:
    """The revisions that carry the step: by its label, else by its text, which another label may stand over by now."""
    named = tuple(line for line in lines if any(r.label == label for r in line.steps))
    return named or tuple(line for line in lines if any(r.checksum == checksum for r in line.steps))
