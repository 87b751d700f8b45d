"""Step by step: whether it holds in a database, since when, by which driver, in which revision.

A step holds where nothing speaks against it and everything that speaks for it was looked at. What was not looked at (rows, attributes
without a schema to compare with) is not known, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from omega_bridge.analysis import StepKind
from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.audit.drift import Drift, Drifted
from omega_bridge.catalog import texts
from omega_bridge.expectation import Expectation, What
from omega_bridge.explaining import revisions_of
from omega_bridge.ledger import Entry, Event, Outcome
from omega_bridge.outcomes import Action
from omega_bridge.planning import PlannedStep
from omega_bridge.planning.gaps import MODELS
from omega_bridge.revisions.sums import SumLine

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject, KeptStanding


FOUND = "found"
"""Who made it, where a start or a stamp found it there."""
ROWS = "the rows that it changes are not looked at"
BY_TEXT = "PostgreSQL rejects it on an empty database, so that only its text was compared"
BY_NAME = "what it makes is there, and was not compared attribute by attribute"
_TOLD = {
    What.MISSING: " is not there",
    What.ADDED: " is there, and the list does not make it",
    What.UNWANTED: " is there, and a step takes it away",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One step. ``holds``: ``None`` where that is not known. ``since``: when it last came to hold, or was last sent; ``by``: the driver."""

    step: StepAnalysis
    holds: bool | None
    why: str
    since: datetime | None = None
    by: str | None = None
    revision: str | None = None

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "id": self.step.id,
            "kind": str(self.step.kind),
            "place": str(self.step.step.place) if self.step.step.place.file else None,
            "holds": self.holds,
            "why": self.why,
            "since": self.since.isoformat() if self.since else None,
            "by": self.by,
            "revision": self.revision,
        }


def standings(
    plan: Iterable[PlannedStep],
    standing: Iterable[KeptStanding],
    drift: Drift | None,
    expected: Expectation | None,
    lines: Sequence[SumLine],
    entries: Sequence[Entry],
) -> tuple[Standing, ...]:
    """Every step of the plan. ``standing``: what the last start left undone; ``lines``: the history; ``entries``: the record."""
    undone = {s["id"]: f"stands {s['outcome']}: {s['reason']}" for s in standing}
    denied: dict[str, list[Drifted]] = {}
    for one in drift.differences if drift else ():
        denied.setdefault(expected.maker(one.key) if expected and one.by == MODELS else one.by, []).append(one)
    found = []
    for planned in plan:
        step = planned.analysis
        holds, why = _held(planned, undone.get(step.id, ""), denied.get(step.id, ()), expected)
        own = revisions_of(step.id, step.checksum, lines)
        since, by = _since(step, frozenset(r.revision for r in own), lines, entries)
        revision = own[-1].revision if own else None
        found.append(Standing(step, holds, why, *((None, None) if holds is False else (since, by)), revision))
    return tuple(found)


def _held(planned: PlannedStep, undone: str, denied: Sequence[Drifted], expected: Expectation | None) -> tuple[bool | None, str]:
    step, found = planned.analysis, planned.found
    if undone:
        return False, undone
    if denied:
        more = f" (and {len(denied) - 1} more)" if len(denied) > 1 else ""
        return False, f"{denied[0]}{_TOLD.get(denied[0].what, '')}{more}"
    if step.is_empty:
        return True, planned.reason
    if planned.action is not Action.SKIP and step.kind is not StepKind.DATA:
        is_seen = step.problem or (found is not None and (found.fails or found.swallowed or found.missing))
        return (False, planned.reason) if is_seen else (None, f"the next start sends it: {planned.reason}")
    if step.kind is not StepKind.SCHEMA:
        return None, ROWS
    if expected is None:
        return None, BY_NAME
    if step.id in expected.rejected:
        return None, BY_TEXT
    return True, planned.reason


def _since(
    step: StepAnalysis, own: frozenset[str], lines: Sequence[SumLine], entries: Iterable[Entry]
) -> tuple[datetime | None, str | None]:
    """When the step came to hold, by the record, and by whom; nothing where the record does not say."""
    order = {line.revision: n for n, line in enumerate(lines)}
    place = max((order[revision] for revision in own), default=len(lines))
    since: datetime | None = None
    by: str | None = None
    for entry in entries:
        told = entry.draft
        if told.event is Event.STEP and told.subject == step.id:
            done = told.outcome
        elif told.event in (Event.UPGRADE, Event.DOWNGRADE) and _is_about(entry, step, own):
            done = str(Outcome.FAILED) if told.event is Event.DOWNGRADE else told.outcome
        elif order.get(entry.reached, -1) >= place:
            done = Outcome.ALREADY_THERE
        else:
            continue
        if done == Outcome.APPLIED and (since is None or told.detail.get("created") or told.detail.get("changes")):
            since, by = entry.at, str(told.driver)
        elif done in (Outcome.ALREADY_THERE, Outcome.SKIPPED) and since is None:
            since, by = entry.at, FOUND
        elif done in (Outcome.FAILED, Outcome.REFUSED, Outcome.NO_EFFECT):
            since = by = None
    return since, by


def _is_about(entry: Entry, step: StepAnalysis, own: frozenset[str]) -> bool:
    told = entry.draft
    return (
        told.subject in own or step.id in texts(told.detail.get("steps")) or step.checksum in texts(told.detail.get("checksums"))
    )
