"""A list's second run, measured: each step is sent as a loop sends it, to a scratch database that holds all that the list makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from omega_bridge.analysis import Analysis
from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.analysis.findings import Listed
from omega_bridge.analysis.reaching import may_reach_elsewhere
from omega_bridge.analysis.satisfied import errors, predicted
from omega_bridge.audit.scratch import Scratch, scratch_database
from omega_bridge.planning.foundation import Foundation
from omega_bridge.postgres.measuring import Measure, measure
from omega_bridge.steps import Registry

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


class Verdict(StrEnum):
    """``confirmed``: as foreseen; ``mismatch``: otherwise; ``not predicted``: nothing was said of it beforehand."""

    CONFIRMED = "confirmed"
    MISMATCH = "mismatch"
    NOT_PREDICTED = "not predicted"


@dataclass(frozen=True, slots=True)
class Measured:
    """One step's second run. ``predicted``: the locks that were foreseen; ``None`` where nothing was."""

    step: str
    predicted: tuple[str, ...] | None
    measure: Measure
    verdict: Verdict

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        m = self.measure
        return {
            "step": self.step,
            "predicted": None if self.predicted is None else list(self.predicted),
            "locks": None if m.locks is None else list(m.locks),
            "rewritten": list(m.rewritten),
            "wal_bytes": m.wal,
            "seconds": round(m.seconds, 6),
            "error": m.error,
            "verdict": str(self.verdict),
        }


def measured(listed: Listed, scratch: Scratch, foundation: Foundation | None = None) -> tuple[Measured, ...]:
    """Each step of the list on a database that holds what it makes. What may speak to another server is left out."""
    analysis: Analysis = listed.analysis
    steps = Registry(tuple(replace(s.step, destructive=True) for s in analysis))  # the rows are the list's own
    found = []
    with scratch_database(scratch, "measured") as database:
        database.lay(foundation)
        database.boot(steps)
        database.boot(steps)
        with database.session() as session:
            connection = session.connection
            connection.autocommit = True
            for index, step in listed.steps():
                if may_reach_elsewhere(step.step.sql):
                    continue
                seen = measure(connection, step.step.sql, transactional=step.transactional)
                said = None if index in listed.again else predicted(step)
                found.append(Measured(step.id, said, seen, _verdict(step, said, seen)))
    return tuple(found)


def _verdict(step: StepAnalysis, said: tuple[str, ...] | None, seen: Measure) -> Verdict:
    if seen.error is not None:
        known = said is not None or any(errors(step))
        return Verdict.CONFIRMED if any(errors(step)) else Verdict.MISMATCH if known else Verdict.NOT_PREDICTED
    if said is None or seen.locks is None:
        return Verdict.NOT_PREDICTED
    without_schema = {_strip(lock) for lock in seen.locks}
    return Verdict.CONFIRMED if {_strip(lock) for lock in said} == without_schema and not seen.rewritten else Verdict.MISMATCH


def _strip(lock: str) -> str:
    """A lock with the bare name of its table."""
    mode, _, table = lock.rpartition(" ")
    return f"{mode} {table.rpartition('.')[2].strip(chr(34))}"
