"""From an empty database; each start on one of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.peers.base import Peer
from benchmarks.testbed import Testbed
from benchmarks.timing import in_turns, seconds

BARRED = ("omega-bridge", "psql -1 -f (process)")
"""Both sides of a bar: they get four times the patience, so that the longest list has more than one run of each."""


def cold(bed: Testbed, size: int, *, repeats: int, patience: float) -> dict[str, Any]:
    """Seconds of each start, by peer. The last database of each peer is kept as its current one."""
    peers = [peer for peer in bed.at_work(size) if peer.is_repairing]
    measures = {peer.name: partial(_start, bed, peer) for peer in peers}
    patient = {name: patience * (4 if name in BARRED else 1) for name in measures}
    return in_turns(measures, repeats=repeats, patience=patient)


def _start(bed: Testbed, peer: Peer) -> float | None:
    bed.forget(peer)
    url = bed.database()
    taken: float | None = bed.attempt(peer, "an empty database", lambda: seconds(lambda: peer.apply(url)))
    if taken is not None:
        bed.keep(peer, url)
    return taken
