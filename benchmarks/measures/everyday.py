"""The start that repairs on an ordinary day: a few new steps on a database that holds the rest, in a process that has just begun.

Python, psycopg and the program's own list are loaded when the clock starts; everything else is in the time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.peers.base import Peer
from benchmarks.report.figures import ALEMBIC, ANEW, BASE, KEPT, LOOP, OURS
from benchmarks.testbed import Testbed
from benchmarks.timing import in_turns, seconds

CASES = ((30, 1), (1000, 1), (1000, 50))
"""How long the list is, and how many of its steps, at its end, are new."""

PROGRAMS = {
    BASE: "with psycopg.connect(url, autocommit=True) as conn:\n    conn.execute('SELECT 1').fetchone()\n",
    OURS: "import omega_bridge\nomega_bridge.boot(url, steps)\n",
    LOOP: "with psycopg.connect(url, autocommit=True) as conn:\n    for step in steps:\n        conn.execute(step.encode())\n",
    ALEMBIC: "import io\nfrom alembic import command\nfrom alembic.config import Config\n"
    "config = Config('alembic.ini', stdout=io.StringIO())\nconfig.attributes['url'] = url\ncommand.upgrade(config, 'head')\n",
}
"""What a process does between the two readings of the clock."""

_AROUND = (
    "import logging, sys, time\nimport psycopg\nfrom listed import steps\n\nlogging.disable(logging.CRITICAL)\nurl = sys.argv[1]\n"
    "started = time.perf_counter()\n{work}print(time.perf_counter() - started)\n"
)


def everyday(bed: Testbed, size: int, new: int, *, repeats: int, patience: float) -> dict[str, Any]:
    """Seconds of each start, by peer; each on a copy of a database that lacks the list's last ``new`` steps."""
    templates = {peer.name: bed.current(peer) for peer in bed.at_work(size, without=new) if peer.name in PROGRAMS}
    place = bed.folder / f"everyday-{size}-{new}"
    measures: dict[str, Any] = {}
    for peer in bed.at_work(size):
        template = templates.get(peer.name)
        if template is None:
            continue
        program = _written(peer)
        if peer.name != OURS:
            measures[peer.name] = partial(_start, bed, peer, template, program, None)
            continue
        begun = _read_before(bed, peer, size, new, place)
        measures[KEPT] = partial(_start, bed, peer, template, program, begun)
        measures[ANEW] = partial(_start, bed, peer, template, program, None)
        measures[OURS] = partial(_within, bed, peer, template)
    for measure in measures.values():
        measure()  # bytecode is written, files are in memory
    return in_turns(measures, repeats=repeats, patience=patience)


def _written(peer: Peer) -> Path:
    """The program that a peer's users have, beside the list that it holds."""
    program = peer.folder / "start.py"
    (peer.folder / "listed.py").write_text("steps = [\n" + "".join(f"    {step!r},\n" for step in peer.steps) + "]\n")
    program.write_text(_AROUND.format(work=PROGRAMS[peer.name]))
    return program


def _read_before(bed: Testbed, peer: Peer, size: int, new: int, place: Path) -> Path:
    """The folder of what a process keeps that started with the list before: its steps, without the new ones."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    steps = peer.steps
    peer.steps = steps[: size - new]
    try:
        url = bed.database()
        _run(_written(peer), url, place)
        bed.drop(url)
    finally:
        peer.steps = steps
        _written(peer)
    return place


def _start(bed: Testbed, peer: Peer, template: str, program: Path, kept: Path | None) -> float | None:
    """A process of its own. ``kept``: what an earlier one has read; each start has it as it was."""
    url = bed.database(template)
    held = kept.with_name(f"{kept.name}-held") if kept is not None else None
    if kept is not None and held is not None:
        shutil.rmtree(held, ignore_errors=True)
        shutil.copytree(kept, held)
    try:
        taken: float | None = bed.attempt(peer, "an ordinary day", partial(_run, program, url, held))
        return taken
    finally:
        bed.drop(url)


def _run(program: Path, url: str, kept: Path | None) -> float:
    """What the program says of its time. Raises ``RuntimeError`` with its last words where it fails."""
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    given["OMEGA_BRIDGE_CACHE"] = str(kept) if kept is not None else "off"
    done = subprocess.run(
        [sys.executable, program.name, url], cwd=program.parent, env=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    return float(done.stdout)


def _within(bed: Testbed, peer: Peer, template: str) -> float | None:
    """A start in this process, which has read the list before."""
    url = bed.database(template)
    try:
        taken: float | None = bed.attempt(peer, "an ordinary day", lambda: seconds(lambda: peer.apply(url)))
        return taken
    finally:
        bed.drop(url)
