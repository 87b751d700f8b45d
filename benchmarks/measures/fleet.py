"""Many processes that start at one word: on an empty, a nearly current and a current database.

Interpreters and imports are not in the times: each process has them behind it when the word is given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.peers.base import Peer
from benchmarks.testbed import Testbed

ROOT = Path(__file__).parents[2]
STATES = ("empty", "nearly current", "current")
"""Nearly current: all but the list's last step, as at the roll-out of a release."""

COMPARED = ("omega-bridge", "naive loop, psycopg", "Alembic")

TWICE = (
    "SELECT count(*) FROM (SELECT FROM omega_bridge.omega_bridge_ledger WHERE event = 'step' AND outcome = 'applied' "
    "GROUP BY subject, checksum HAVING count(*) > 1) twice"
)


def fleet(bed: Testbed, size: int, replicas: int, *, repeats: int) -> list[dict[str, Any]]:
    """One value a run: seconds from the word, failures, statements refused, steps that the ledger has twice.

    Ours are repeated; for the others one run shows what happens.
    """
    nearly = {peer.name: bed.current(peer) for peer in bed.at_work(size, without=1) if peer.name in COMPARED}
    found = []
    for peer in bed.at_work(size):
        if peer.name in COMPARED:
            templates = {"empty": None, "nearly current": nearly[peer.name], "current": bed.current(peer)}
            turns = range(repeats if peer.is_light else 1)
            for state, _, count in product(STATES, turns, (1, replicas)):
                run = bed.attempt(peer, f"{count} at once", partial(_one_run, bed, peer, templates[state], count))
                if run:
                    found.append({"peer": peer.name, "state": state, "replicas": count, **run})
    return found


def _one_run(bed: Testbed, peer: Peer, template: str | None, count: int) -> dict[str, Any]:
    url = bed.database(template)
    try:
        return at_once(peer, url, count)
    finally:
        bed.drop(url)


def at_once(peer: Peer, url: str, count: int) -> dict[str, Any]:
    """Start so many processes, give the word when all are ready, and put together what they tell."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "benchmarks.replica", peer.name, str(peer.folder), url, str(len(peer.steps)), str(reading)]
    running = [
        subprocess.Popen(command, cwd=ROOT, pass_fds=(reading,), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(count)
    ]
    os.close(reading)
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    time.sleep(0.2)  # the last ones reach their wait
    word = time.monotonic()
    os.close(writing)
    told = [json.loads(process.communicate()[0] or '{"error": "it died"}') for process in running]
    return summary(told, word) | {"applied_twice": applied_twice(url) if "bridge" in peer.name else None}


def summary(told: list[dict[str, Any]], word: float) -> dict[str, Any]:
    """Seconds from the word to the end of the first applier (else of the first that was ready) and to the last that was ready."""
    ready = [t for t in told if not t.get("error")]
    ended = [t["ended"] - word for t in ready]
    appliers = [t["ended"] - word for t in ready if t["outcome"] == "repaired"]
    return {
        "first": min(appliers or ended, default=None),
        "last": max(ended, default=None),
        "appliers": len(appliers),
        "failures": len(told) - len(ready),
        "errors": sorted({t["error"] for t in told if t.get("error")})[:3],
        "refused": sum(t.get("refused", 0) for t in told),
        "with_refused": sum(1 for t in told if t.get("refused")),
    }


def applied_twice(url: str) -> int:
    """How many steps the ledger has as applied more than once."""
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(TWICE).fetchone()
    assert row is not None
    return int(row[0])
