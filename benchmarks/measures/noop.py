"""On a database that holds everything: how long, at whose cost, and how often the network is crossed."""

from __future__ import annotations

import math
import statistics
from functools import partial
from typing import Any

from benchmarks.peers.base import Peer
from benchmarks.proxy import Wire
from benchmarks.testbed import Testbed
from benchmarks.timing import client_cpu, in_turns, seconds


def noop(bed: Testbed, wire: Wire, size: int, *, repeats: int, patience: float) -> dict[str, Any]:
    """By peer: ``seconds`` of each start, CPU seconds of one on both sides, round trips, connections, bytes of WAL."""
    found: dict[str, Any] = {}
    urls: dict[str, str] = {}
    for peer in bed.at_work(size):
        if url := bed.current(peer):
            passed = bed.attempt(peer, "nothing to do", partial(_on_the_wire, wire, peer, url))
            if passed:
                urls[peer.name], found[peer.name] = url, passed
    peers = {peer.name: peer for peer in bed.at_work(size) if peer.name in urls}
    measures = {
        name: partial(bed.attempt, peer, "nothing to do", partial(seconds, partial(peer.apply, urls[name])))
        for name, peer in peers.items()
    }
    for name, taken in in_turns(measures, repeats=repeats, patience=patience).items():
        found[name]["seconds"] = taken
        runs = min(repeats * 3, math.ceil(patience / 2 / statistics.median(taken)))
        found[name] |= bed.attempt(peers[name], "nothing to do", partial(_costs, bed, peers[name], urls[name], runs)) or {}
    return {name: values for name, values in found.items() if "seconds" in values}


def _on_the_wire(wire: Wire, peer: Peer, url: str) -> dict[str, int]:
    wire.begin()
    peer.apply(wire.through(url))
    passed = wire.passed()
    return {"round_trips": passed.round_trips, "connections": passed.connections}


def _costs(bed: Testbed, peer: Peer, url: str, runs: int) -> dict[str, float]:
    """The mean CPU over a row of starts (the server's is told in hundredths of a second), and the median of WAL."""
    logged = []
    server, client = bed.cpu(), client_cpu()
    for _ in range(runs):
        before = bed.wal()
        peer.apply(url)
        logged.append(bed.wal() - before)
    client = client_cpu() - client
    return {
        "client_cpu": client / runs,
        "server_cpu": (bed.cpu() - server) / runs,
        "cpu_runs": runs,
        "wal": statistics.median(logged),
    }
