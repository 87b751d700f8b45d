"""What a boot would do: the plan against the live catalog, read-only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omega_bridge.adoption import Survey, survey
from omega_bridge.analysis import Analysis, StepKind
from omega_bridge.planning import Plan, PlannedStep, make_plan
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session
from omega_bridge.repair import locks_of


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan, and the table locks that it takes."""

    plan: Plan
    locks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The public JSON keys."""
        return {
            "steps": [
                {
                    "id": s.analysis.id,
                    "kind": str(s.analysis.kind),
                    "action": str(s.action),
                    "outcome": None,
                    "reason": s.reason,
                    "seconds": None,
                    "place": str(s.analysis.step.place) if s.analysis.step.place.file else None,
                    "title": s.analysis.step.title,
                    "sql": [q.text for q in s.statements],
                }
                for s in self.plan
            ],
            "locks": list(self.locks),
        }


@dataclass(frozen=True, slots=True)
class Look:
    """Where a database stands: schema steps that a boot would send, ``alembic_version``, when the last clean boot was."""

    pending: tuple[PlannedStep, ...]
    versions: tuple[str, ...]
    last_boot: str | None


def look(database: object, analysis: Analysis) -> Look:
    """Read, decide, change nothing."""
    with open_session(normalise(database)) as session:
        connection = session.connection
        plan = make_plan(analysis, read_catalog(connection, analysis.names()), ledger_store.done_once(connection))
        versions, last_boot = ledger_store.versions(connection), ledger_store.last_boot(connection)
    return Look(tuple(s for s in plan.pending if s.analysis.kind is StepKind.SCHEMA), versions, last_boot)


def preview(database: object, analysis: Analysis) -> Preview:
    """Read the catalog and decide every step. Raises ``DatabaseUnreachable``, ``AuthenticationFailed``."""
    with open_session(normalise(database)) as session:
        connection = session.connection
        plan = make_plan(analysis, read_catalog(connection, analysis.names()), ledger_store.done_once(connection))
    locks = dict.fromkeys(lock for step in plan.pending for lock in locks_of(step))
    return Preview(plan, tuple(locks))


def surveyed(database: object, analysis: Analysis, folder: Path) -> Survey:
    """How far the exported history holds in a database. Reads only."""
    with open_session(normalise(database)) as session:
        return survey(session.connection, analysis, folder)
