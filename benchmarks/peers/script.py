"""All steps in one piece: as one query, and as one file for ``psql -1``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psycopg

from benchmarks.peers.base import Peer, installed, program, run, said_by


def joined(steps: Iterable[str]) -> str:
    """One script of them all."""
    return ";\n".join(step.rstrip().rstrip(";") for step in steps) + ";\n"


class OneString(Peer):
    """All steps in one query, which is one implicit transaction."""

    name = "one multi-statement string"

    def version(self) -> str:
        return f"psycopg {installed('psycopg')}"

    def apply(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(joined(self.steps).encode())


class Psql(Peer):
    """``psql -1 -f``: the yardstick of a cold start."""

    name = "psql -1 -f (process)"
    is_process = True

    def __init__(self, bin_dir: Path | None = None) -> None:
        super().__init__()
        self.program = program("psql", *([bin_dir] if bin_dir else []))

    def missing(self) -> str | None:
        return None if self.program else "no psql: apt-get install postgresql-client"

    def version(self) -> str:
        return f"psql {said_by(str(self.program), '--version').rpartition(') ')[2]}"

    def write(self) -> None:
        (self.folder / "all.sql").write_text(joined(self.steps))

    def apply(self, url: str) -> None:
        run([str(self.program), "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", "all.sql", "-d", url], self.folder)
