"""``python -m benchmarks``: measures, and writes the page."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.measures.cold import cold
from benchmarks.measures.everyday import CASES, everyday
from benchmarks.measures.fleet import fleet
from benchmarks.measures.latency import latency
from benchmarks.measures.locks import strongest_locks
from benchmarks.measures.noop import noop
from benchmarks.peers import all_peers
from benchmarks.proxy import Wire
from benchmarks.report import write
from benchmarks.testbed import SETTINGS, Testbed
from omega_bridge.embedded import EmbeddedServer
from omega_bridge.postgres.lock import POLL

SECTIONS = ("cold", "noop", "latency", "everyday", "fleet")
SIZES = (10, 100, 1000, 5000)
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure and report."""
    options = _options()
    logging.disable(logging.CRITICAL)
    found: dict[str, Any] = {"command": options.command, "machine": machine(), "began": time.strftime("%Y-%m-%d")}
    started = time.perf_counter()
    with EmbeddedServer(settings=SETTINGS) as server, _testbed(server, options) as bed, Wire(server.url) as wire:
        found |= _described(bed)
        for section in SECTIONS:
            found[section] = [] if section == "fleet" else {}
        if "everyday" in options.only:
            found["everyday"] = _everyday(bed, options)
        is_alone = options.only == ("everyday",)
        if not is_alone:
            _say("imports")
            _import_all(bed, min(options.sizes))
        for size in () if is_alone else options.sizes:
            _measure_one_size(bed, wire, size, options, found)
            bed.sweep()
        if "fleet" in options.only:
            for replicas in options.replicas:
                _say(f"{replicas} at once")
                found["fleet"] += fleet(bed, options.fleet_size, replicas, repeats=options.fleet_repeats)
        found["failed"] = bed.failed
    found["seconds"] = round(time.perf_counter() - started)
    print(write(_beside_the_rest(found, options), options.output))


def _everyday(bed: Testbed, options: argparse.Namespace) -> dict[str, Any]:
    """Measured first, while nothing else has warmed the machine; with its own command, for it may be run by itself."""
    cases: dict[str, Any] = {}
    for size, new in CASES:
        _say(f"{new} of {size} steps new")
        effort = {"repeats": options.repeats, "patience": options.patience * 4}
        cases[f"{new} of {size:,}"] = everyday(bed, size, new, **effort)
        bed.sweep()
    return {
        "command": options.command, "machine": machine(), "began": time.strftime("%Y-%m-%d"), "server": bed.server.version,
        "cases": cases,
    }  # fmt: skip


def _beside_the_rest(found: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """An ordinary day that was measured alone takes the place of the one in the results that are there."""
    there = options.output / "results.json"
    if options.only != ("everyday",) or not there.exists():
        return found
    earlier: dict[str, Any] = json.loads(there.read_text())
    return earlier | {"everyday": found["everyday"]}


def _import_all(bed: Testbed, size: int) -> None:
    """One start of each in-process peer, so that none is measured with its imports."""
    for peer in bed.at_work(size):
        if not peer.is_process:
            bed.current(peer)
    bed.sweep()


def _measure_one_size(bed: Testbed, wire: Wire, size: int, options: argparse.Namespace, found: dict[str, Any]) -> None:
    """All kinds of start with one list, on databases that one peer after the other has brought there."""
    effort = {"repeats": options.repeats, "patience": options.patience}
    if "cold" in options.only:
        _say(f"{size} steps: an empty database")
        found["cold"][size] = cold(bed, size, repeats=options.cold_repeats, patience=options.patience * 2)
    if "noop" in options.only:
        _say(f"{size} steps: nothing to do")
        found["noop"][size] = noop(bed, wire, size, **effort)
    if "latency" in options.only:
        for delay in options.delays:
            _say(f"{size} steps: nothing to do, {delay} ms each way")
            everybody = size == options.latency_size
            taken = latency(bed, wire, size, delay, everybody=everybody, **effort)
            found["latency"].setdefault(size, {})[delay] = taken
    if "noop" in options.only and size == options.lock_size:
        _say(f"{size} steps: locks")  # last: it ends starts from outside, and what they leave behind is not measured
        found["locks"] = strongest_locks(bed, size)


@contextmanager
def _testbed(server: EmbeddedServer, options: argparse.Namespace) -> Iterator[Testbed]:
    """The databases, with the chosen peers."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        peers = [p for p in all_peers(server.bin_dir) if not options.peers or any(word in p.name for word in options.peers)]
        bed = Testbed(server, Path(name), peers)
        try:
            yield bed
        finally:
            bed.close()


def _described(bed: Testbed) -> dict[str, Any]:
    """Server, versions, and who is not measured for which reason."""
    return {
        "server": bed.server.version,
        "settings": SETTINGS,
        "poll": POLL,
        "versions": {p.name: p.version() for p in bed.peers if not p.missing()},
        "missing": {p.name: why for p in bed.peers if (why := p.missing())},
        "longest": {p.name: list(p.longest) for p in bed.peers if p.longest and not p.missing()},
        "processes": [p.name for p in bed.peers if p.is_process],
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short lists, few repetitions: under two minutes")
    parser.add_argument("--only", type=_words, default=SECTIONS, metavar="SECTION,...", help=f"among {', '.join(SECTIONS)}")
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, _words(text))), metavar="N,...", help="lengths of the list")
    parser.add_argument("--peers", type=_words, default=(), metavar="WORD,...", help="only those with such a word in their name")
    parser.add_argument("--output", type=Path, help="default: docs/benchmarks for a whole run, else build/benchmarks")
    options = parser.parse_args()
    if unknown := set(options.only) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    is_whole = not (options.quick or options.sizes or options.peers or options.only != SECTIONS)
    is_told = is_whole or (options.only == ("everyday",) and not (options.quick or options.peers))
    options.output = options.output or ROOT / ("docs" if is_told else "build") / "benchmarks"
    options.command = "make bench" if is_whole else f"python -m benchmarks {' '.join(sys.argv[1:])}"
    options.sizes = options.sizes or ((10, 100) if options.quick else SIZES)
    options.repeats, options.cold_repeats, options.patience = (9, 1, 0.3) if options.quick else (31, 5, 2.5)
    options.replicas, options.fleet_repeats = ((8,), 1) if options.quick else ((20, 50), 3)
    options.delays = (5,) if options.quick else (1, 5)  # milliseconds in each direction
    options.fleet_size = min(100, max(options.sizes))
    options.lock_size = max((size for size in options.sizes if size <= 100), default=min(options.sizes))
    options.latency_size = min(1000, max(options.sizes))
    return options


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _say(text: str) -> None:
    """Progress on stderr."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
