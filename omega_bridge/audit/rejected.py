"""Steps that end a start, as scratch databases show: rejected for a column that is not there, and not so at the last export.

A table, a role, an extension that a scratch database lacks may be there elsewhere; the columns of a table that list or models make may not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import StepOutcome
from omega_bridge.steps import Place
from omega_bridge.values import dataclass

UNDEFINED_COLUMN = "42703"
WAY_OUT = "take it out of the list, or write what is meant now; where only scratch databases reject it: allow-rejected in [tool.omega-bridge]"


@dataclass(frozen=True, slots=True)
class Rejected:
    """One step. ``where``: on which databases; ``why``: the server's words."""

    step: str
    place: Place
    where: str
    why: str

    def __str__(self) -> str:
        at = f" ({self.place})" if self.place.file else ""
        return f"step {self.step}{at}: PostgreSQL rejects it on {self.where}, which ends the start: {self.why}"

    def as_dict(self) -> dict[str, str]:
        """The public JSON keys."""
        return {"step": self.step, "place": str(self.place), "where": self.where, "why": self.why}


def for_a_column(outcomes: Iterable[StepOutcome]) -> dict[str, StepOutcome]:
    """Those that lacked a column, by their ids."""
    return {
        s.id: s
        for s in outcomes
        if s.outcome is Outcome.FAILED and not s.optional and s.error is not None and s.error.sqlstate == UNDEFINED_COLUMN
    }


def rejected(
    on_old: Mapping[str, StepOutcome], on_new: Mapping[str, StepOutcome], places: Mapping[str, Place], known: Collection[str]
) -> tuple[Rejected, ...]:
    """Each step once, where it ends the starts of databases that stand, or else of empty ones; without those that are ``known``."""
    found: dict[str, Rejected] = {}
    for outcomes, where in ((on_old, "databases that stand"), (on_new, "an empty database")):
        for step, outcome in outcomes.items():
            if step in places and step not in known:
                found.setdefault(step, Rejected(step, places[step], where, str(outcome.error)))
    return tuple(found.values())
