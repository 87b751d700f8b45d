"""Steps that the last start left undone, as whoever is asked tells them: ``status``, ``drift`` and ``report`` say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.ledger import Outcome
from omega_bridge.postgres import states
from omega_bridge.postgres.failed_revisions import failed_steps

if TYPE_CHECKING:
    from omega_bridge.typed import KeptStanding


def left_undone(connection: psycopg.Connection[TupleRow], ours: Mapping[str, str]) -> tuple[KeptStanding, ...]:
    """Id, outcome and reason of each that stands failed, refused or without effect: as the last start left it or, where none has left its
    state since, as the revisions of an upgrade did. ``ours``: checksums of the list's steps by id: one that was edited or removed since is
    judged by the catalog alone.
    """
    known = states.recall(connection)
    if known is None:
        failed = failed_steps(connection)
        return tuple(
            {"id": i, "outcome": str(Outcome.FAILED), "reason": reason} for i, sum_, reason in failed if ours.get(i) == sum_
        )
    recorded = {s["id"]: s["checksum"] for s in known.steps}
    return tuple(
        {"id": s["id"], "outcome": s["outcome"], "reason": s["reason"]}
        for s in known.standing
        if s["id"] in ours and recorded.get(s["id"]) == ours[s["id"]]
    )
