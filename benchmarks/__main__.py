"""``python -m benchmarks``: measures, and writes docs/benchmarks/."""

from __future__ import annotations

import argparse
import logging
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import omega_bridge
from benchmarks.lists import many_steps
from benchmarks.peers import Bridge, Connect, Peer, Sentinel, all_peers
from benchmarks.proxy import delayed
from benchmarks.report import write
from omega_bridge.embedded import EmbeddedServer
from omega_bridge.postgres import sentinel
from omega_bridge.postgres.session import open_session

SIZES = (10, 100, 1000, 5000)


def main() -> None:
    """Measure and report."""
    options = _options()
    logging.disable(logging.CRITICAL)
    started = time.perf_counter()
    found: dict[str, Any] = {
        "command": "make bench" if not options.quick else "python -m benchmarks --quick",
        "machine": machine(),
    }
    with EmbeddedServer() as server, tempfile.TemporaryDirectory(prefix="bench-") as name:
        found["server"] = server.version
        bench = Bench(server, Path(name), options)
        found["skipped"] = {p.name: p.missing() for p in bench.peers if p.missing()}
        for size in options.sizes:
            said(f"{size} steps: cold")
            bench.cold(size)
        for size in options.sizes:
            said(f"{size} steps: nothing to do")
            bench.noop(size)
        for milliseconds in (1, 5):
            said(f"nothing to do, {milliseconds} ms each way")
            bench.latency(min(1000, max(options.sizes)), milliseconds)
        for replicas in options.replicas:
            said(f"{replicas} replicas at once")
            bench.fleet(100, replicas)
        found |= bench.found
    found["seconds"] = round(time.perf_counter() - started)
    write(found, options.output)


def said(text: str) -> None:
    """Progress on stderr."""
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    """What it ran on."""
    import os

    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small lists, few repetitions: under two minutes")
    parser.add_argument("--sizes", type=lambda s: tuple(int(n) for n in s.split(",")), default=None)
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    options.sizes = options.sizes or ((10, 100) if options.quick else SIZES)
    options.repeats = 7 if options.quick else 21
    options.replicas = (20,) if options.quick else (20, 50)
    return options


class Bench:
    """The measurements, each interleaved over the peers."""

    def __init__(self, server: EmbeddedServer, folder: Path, options: argparse.Namespace) -> None:
        self.server, self.folder, self.options = server, folder, options
        self.peers = all_peers(shutil.which("psql", path=str(server.bin_dir)) or shutil.which("psql"))
        self.found: dict[str, Any] = {"cold": {}, "noop": {}, "wal": {}, "latency": {}, "fleet": {}}
        self._count = 0

    def at_work(self, size: int) -> list[Peer]:
        """Who can be had; the slowest sit out the longest list."""
        enduring = ("connect, select 1", "omega-bridge", "omega-bridge, sentinel", "naive loop, psycopg", "psql -1 -f (process)")
        return [p for p in self.peers if not p.missing() and (size < 5000 or p.name in enduring)]

    def database(self) -> str:
        """A fresh one."""
        self._count += 1
        return self.server.create_database(f"bench{self._count}")

    def prepared(self, size: int) -> list[Peer]:
        """Peers with their files for a list of this size."""
        steps = many_steps(size)
        for number, peer in enumerate(self.at_work(size)):
            folder = self.folder / f"{size}-{number}"
            if not folder.exists():
                folder.mkdir()
                peer.prepare(folder, steps)
            else:
                peer.folder, peer.steps = folder, steps
        return self.at_work(size)

    def cold(self, size: int) -> None:
        """From an empty database; each peer on one of its own."""
        peers = [p for p in self.prepared(size) if not isinstance(p, Connect | Sentinel)]
        times: dict[str, list[float]] = {p.name: [] for p in peers}
        for _ in range(1 if size >= 1000 else 3):
            for peer in peers:
                url = self.database()
                times[peer.name].append(timed(lambda peer=peer, url=url: peer.apply(url)))
                self.server.drop_database(str(conninfo_to_dict(url)["dbname"]))
        self.found["cold"][size] = {n: statistics.median(t) for n, t in times.items()}

    def noop(self, size: int) -> None:
        """On a database that holds everything."""
        peers, urls = self.prepared(size), {}
        for peer in peers:
            urls[peer.name] = url = self.database()
            if isinstance(peer, Sentinel):
                Bridge.apply(peer, url)
                with open_session(url) as session:
                    sentinel.install(session)
            peer.apply(url)
        times: dict[str, list[float]] = {p.name: [] for p in peers}
        for turn in range(self.options.repeats):
            for peer in peers:
                slow = peer.is_process or "loop" in peer.name or size >= 1000
                if turn >= (2 if size >= 5000 else 3) and slow and not isinstance(peer, Connect | Bridge):
                    continue
                times[peer.name].append(timed(lambda peer=peer: peer.apply(urls[peer.name])))
        self.found["noop"][size] = {n: statistics.median(t) for n, t in times.items()}
        self.found["wal"][size] = {p.name: self._wal(p, urls[p.name]) for p in peers}

    def _wal(self, peer: Peer, url: str) -> int:
        """Bytes of WAL that one start with nothing to do writes."""
        with psycopg.connect(url, autocommit=True) as conn:
            before = conn.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
            peer.apply(url)
            row = conn.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)::int8", before).fetchone()
        return int(row[0]) if row else 0

    def latency(self, size: int, milliseconds: int) -> None:
        """The same with a network in between; in-process peers only."""
        peers, urls = (
            [p for p in self.prepared(size) if not p.is_process and "yoyo" not in p.name and "asyncpg" not in p.name],
            {},
        )
        for peer in peers:
            urls[peer.name] = url = self.database()
            if isinstance(peer, Sentinel):
                with open_session(url) as session:
                    sentinel.install(session)
            peer.apply(url)
        parts = conninfo_to_dict(self.server.url)
        path = f"{parts['host']}/.s.PGSQL.{parts.get('port') or 5432}"
        times: dict[str, list[float]] = {p.name: [] for p in peers}
        with delayed(path, milliseconds / 1000) as port:
            for turn in range(5):
                for peer in peers:
                    if turn and "loop" in peer.name:
                        continue
                    url = make_conninfo(urls[peer.name], host="127.0.0.1", port=port)
                    times[peer.name].append(timed(lambda peer=peer, url=url: peer.apply(url)))
        self.found["latency"][f"{size} steps, {milliseconds} ms"] = {n: statistics.median(t) for n, t in times.items()}

    def fleet(self, size: int, replicas: int) -> None:
        """So many processes at once: on an empty, a nearly current and a current database."""
        steps = many_steps(size)
        (self.folder / f"fleet{size}.py").write_text("steps = " + repr(steps))
        bridge = f"import omega_bridge; from fleet{size} import steps; URL; omega_bridge.boot(url, steps, lock_timeout=120)"
        loop = f"import psycopg; from fleet{size} import steps; URL; c = psycopg.connect(url, autocommit=True); [c.execute(s.encode()) for s in steps]"
        for name, code in (("omega-bridge", bridge), ("naive loop, psycopg", loop)):
            url = self.database()
            alone = timed(lambda code=code, url=url: self._processes(code, url, 1))
            for state in ("empty", "nearly current", "current"):
                if state == "empty":
                    url = self.database()
                elif state == "nearly current":
                    with psycopg.connect(url, autocommit=True) as conn:
                        conn.execute("ALTER TABLE bench_0 DROP COLUMN g0")
                started = time.perf_counter()
                failures = self._processes(code, url, replicas)
                self.found["fleet"][f"{name}, {replicas} at once, {state}"] = {
                    "seconds": time.perf_counter() - started, "failures": failures, "one alone": alone,
                }  # fmt: skip

    def _processes(self, code: str, url: str, count: int) -> int:
        """Run them all at once; how many failed."""
        text = code.replace("URL", f"url = {url!r}")
        running = [
            subprocess.Popen([sys.executable, "-c", text], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(count)
        ]
        return sum(p.wait() != 0 for p in running)


def timed(call: Callable[[], object]) -> float:
    """Wall time of a call, in seconds."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


assert omega_bridge  # what is measured
if __name__ == "__main__":
    main()
