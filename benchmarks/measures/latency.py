"""A start with nothing to do, with a network in between."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.proxy import Wire
from benchmarks.testbed import Testbed
from benchmarks.timing import in_turns, seconds


def latency(
    bed: Testbed, wire: Wire, size: int, milliseconds: int, *, everybody: bool, repeats: int, patience: float
) -> dict[str, Any]:
    """Seconds of each start, by peer, ``milliseconds`` away in each direction. Not ``everybody``: ours and the yardstick."""
    peers = [peer for peer in bed.at_work(size) if everybody or (peer.is_light and not peer.is_process)]
    measures = {
        peer.name: partial(bed.attempt, peer, "with a network", partial(seconds, partial(peer.apply, wire.through(url))))
        for peer in peers
        if (url := bed.current(peer))
    }
    wire.begin(milliseconds / 1000)
    try:
        return in_turns(measures, repeats=repeats, patience=patience)
    finally:
        wire.begin()
