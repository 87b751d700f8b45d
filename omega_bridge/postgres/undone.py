"""Steps that the last start left undone, as whoever is asked tells them: ``status``, ``drift`` and ``report`` say the same."""

from __future__ import annotations

from collections.abc import Mapping

from omega_bridge.postgres.ledger_store import State


def left_undone(known: State | None, ours: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    """Id, outcome and reason of each that stands failed, refused or without effect. ``ours``: checksums of the list's steps by id: one that
    was edited or removed since is judged by the catalog alone.
    """
    recorded = {s["id"]: s["checksum"] for s in (known.steps if known else ())}
    return tuple(
        {k: str(s[k]) for k in ("id", "outcome", "reason")}
        for s in (known.standing if known else ())
        if s["id"] in ours and recorded.get(s["id"]) == ours[s["id"]]
    )
