"""``python -m benchmarks.history``: how long the history's commands take on long lists. Whole processes, interleaved.

Prints one line a promise: what was measured, against what it may take. Exit code 1 where one is missed. On a machine
that does other work at the same time the ratios hold and the seconds do not: CPU seconds are printed beside them.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.handwritten import write_history
from benchmarks.lists import many_steps
from benchmarks.pasts import write_past
from omega_bridge.embedded import EmbeddedServer
from omega_bridge.revisions.sums import read_sum

ROOT = Path(__file__).parents[1]
PARTS = ("compiling", "loading", "past", "proving")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process: seconds on the clock, and of the processor."""

    wall: float
    cpu: float


class Bench:
    """Runs the commands in a folder of its own, and keeps count of what was missed."""

    def __init__(self, root: Path, rounds: int) -> None:
        self.root = root
        self.rounds = rounds
        self.missed = 0

    def run(self, *arguments: str, at: Path | None = None, url: str = "") -> Cost:
        """One process, its output thrown away. Raises where it fails."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": url, "OMEGA_BRIDGE_CACHE": "off"}
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, "-m", *arguments], cwd=at or self.root, env=environment, check=True, capture_output=True)
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def best(self, call: Callable[[], Cost]) -> Cost:
        """The cheapest of several rounds."""
        return min((call() for _ in range(self.rounds)), key=lambda c: c.wall)

    def within(self, what: str, found: Cost, limit: float) -> None:
        """Say a time and what it may be."""
        self.missed += found.wall > limit
        verdict = "ok" if found.wall <= limit else "MISSED"
        print(f"{what:62} {found.wall:7.2f} s  ({found.cpu:6.2f} s of processor)   limit {limit:5.1f} s  {verdict}", flush=True)

    def ratio(self, what: str, ours: Callable[[], Cost], theirs: Callable[[], Cost], limit: float | None) -> None:
        """Say how many times as long ours takes, in the middle of interleaved pairs."""
        pairs = [(ours(), theirs()) if n % 2 else (theirs(), ours())[::-1] for n in range(self.rounds)]
        wall = statistics.median(a.wall / b.wall for a, b in pairs)
        cpu = statistics.median(a.cpu / b.cpu for a, b in pairs)
        seconds = statistics.median(a.cpu for a, _ in pairs)
        self.missed += limit is not None and min(wall, cpu) > limit
        verdict = "" if limit is None else f"limit {limit:5.2f}    " + ("ok" if min(wall, cpu) <= limit else "MISSED")
        print(f"{what:62} {wall:7.2f} times ({cpu:5.2f} by processor, {seconds:5.2f} s)  {verdict}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether a promise was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--steps", type=int, default=5000, help="length of the list (default: 5000)")
    parser.add_argument("--commits", type=int, default=250, help="commits of the list's past (default: 250)")
    parser.add_argument("--proved", type=int, default=1000, help="length of the list that is proven (default: 1000; 0: none)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement (default: 5)")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them (default: %(default)s)")
    options = parser.parse_args(arguments)
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="bench-history-") as name:
        bench = Bench(Path(name), options.rounds)
        if "compiling" in wanted or "loading" in wanted:  # what is loaded has to be compiled
            compiling(bench, options.steps)
        if "loading" in wanted:
            loading(bench, options.steps)
        if "past" in wanted:
            from_git(bench, options.commits)
        if "proving" in wanted and options.proved:
            proving(bench, options.proved)
    return 1 if bench.missed else 0


def compiling(bench: Bench, count: int) -> None:
    """The first export, one that finds nothing to do, and one with a step more."""
    steps = many_steps(count)
    write_list(bench.root, steps)
    bench.within(f"export --no-prove of {count} steps", bench.run("omega_bridge", "export", "--no-prove"), 20)
    bench.within("the same again, unchanged", bench.best(lambda: bench.run("omega_bridge", "export", "--no-prove")), 2)
    bench.within("the same again, --check", bench.best(lambda: bench.run("omega_bridge", "export", "--check")), 2)


def loading(bench: Bench, count: int) -> None:
    """Alembic's own commands over our revisions and over as many written by hand; and over the same history, squashed."""
    write_history(bench.root / "hand", count)
    (bench.root / "alembic.ini").write_text("[alembic]\nscript_location = alembic\npath_separator = os\n")
    (bench.root / "hand.ini").write_text("[alembic]\nscript_location = hand\npath_separator = os\n")

    def compare(
        what: str, *arguments: str, urls: tuple[str, str] = ("", ""), cold: bool = False, limit: float | None = 1.1
    ) -> None:
        ours, theirs = (
            partial(alembic, bench, folder, *arguments, url=url, cold=cold)
            for folder, url in zip(("alembic", "hand"), urls, strict=True)
        )
        bench.ratio(f"{what}, against {count} by hand", ours, theirs, limit)

    for folder in ("alembic", "hand"):
        alembic(bench, folder, "history")  # writes __pycache__
    compare("alembic history", "history")
    compare("alembic history, the first time (no __pycache__)", "history", cold=True, limit=None)
    with EmbeddedServer() as server, server.scratch_database() as one, server.scratch_database() as other:
        for folder, url in (("alembic", one), ("hand", other)):
            alembic(bench, folder, "stamp", "head", url=url)
        compare("alembic current (of itself quadratic)", "current", urls=(one, other))
        compare("alembic upgrade head, nothing to do", "upgrade", "head", urls=(one, other))
    until = next(line.revision for line in reversed(read_sum(bench.root / "alembic")))
    squashed = bench.run("omega_bridge", "export", "--no-prove", "--squash", until)
    bench.within(f"export --squash of {count} revisions", squashed, 20)
    compare("alembic history, squashed", "history")


def alembic(bench: Bench, folder: str, *arguments: str, url: str = "", cold: bool = False) -> Cost:
    """One of Alembic's commands on one of the two histories."""
    if cold:
        shutil.rmtree(bench.root / folder / "versions" / "__pycache__", ignore_errors=True)
    return bench.run("alembic", "-c", f"{folder}.ini", *arguments, url=url)


def write_list(root: Path, steps: Sequence[str]) -> None:
    """A project with that list."""
    (root / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    (root / "main.py").write_text("migration_steps = [\n" + "".join(f"    {s!r},\n" for s in steps) + "]\n")


def from_git(bench: Bench, commits: int) -> None:
    """A list's whole past."""
    root = bench.root / "past"
    length = write_past(root, commits)
    cost = bench.run("omega_bridge", "export", "--no-prove", "--from-git", at=root)
    bench.within(f"export --from-git over {commits} commits ({length} steps at the end)", cost, 60)


def proving(bench: Bench, count: int) -> None:
    """An export with proofs, and a verification; half as long a list beside it shows whether each step costs the same."""
    for length in (count // 2, count):
        root = bench.root / f"proved-{length}"
        root.mkdir()
        write_list(root, many_steps(length))
        bench.within(f"export with proofs of {length} steps", bench.run("omega_bridge", "export", at=root), 40 * length / 1000)
        bench.within(f"verify of {length} steps", bench.run("omega_bridge", "verify", at=root), 60 * length / 1000)


if __name__ == "__main__":
    sys.exit(main())
