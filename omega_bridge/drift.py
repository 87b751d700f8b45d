"""Schema drift: the live catalog against what the steps and the models promise. Read-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omega_bridge.analysis import Analysis
from omega_bridge.catalog import Key
from omega_bridge.planning.promises import Unkept, together, unclaimed, unkept_by_models, unkept_by_steps
from omega_bridge.planning.world import World
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session


@dataclass(frozen=True, slots=True)
class Drift:
    """``differences``: promises that do not hold. ``unclaimed``: what only the database has; that is no drift.

    ``standing``: steps of the list that the last start left failed, refused or without effect: id, outcome, reason.
    """

    differences: tuple[Unkept, ...]
    unclaimed: tuple[Key, ...]
    standing: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The public JSON keys."""
        return {
            "differences": [d.as_dict() for d in self.differences],
            "unclaimed": [
                {"kind": str(k.kind), "schema": k.schema, "table": k.table or None, "name": k.name} for k in self.unclaimed
            ],
            "standing": list(self.standing),
        }


def drift(database: object, analysis: Analysis, models: Analysis) -> Drift:
    """Compare a database with the list and with the models (an analysis with a step for each table, or an empty one).

    Raises ``DatabaseUnreachable``, ``AuthenticationFailed``.
    """
    with open_session(normalise(database)) as session:
        catalog = read_catalog(session.connection)
        known = ledger_store.recall(session.connection)
    ours = {s.id: s.checksum for s in analysis}
    recorded = {s["id"]: s["checksum"] for s in (known.steps if known else ())}
    stands = tuple(
        {k: s[k] for k in ("id", "outcome", "reason")}
        for s in (known.standing if known else ())
        if s["id"] in ours and recorded.get(s["id"]) == ours[s["id"]]
    )
    differences = together(unkept_by_steps(catalog, analysis), unkept_by_models(World(catalog), models))
    return Drift(differences, unclaimed(catalog, (analysis, models)), stands)
