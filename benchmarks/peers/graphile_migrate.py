"""graphile-migrate, from npm, over committed migrations."""

from __future__ import annotations

import hashlib

from benchmarks.peers.base import NODE, Address, Peer, program, run, said_by


class GraphileMigrate(Peer):
    """``graphile-migrate migrate``. The files are those that its ``commit`` writes, hash chain included."""

    name = "graphile-migrate (process)"
    is_process = True

    def __init__(self) -> None:
        super().__init__()
        self.program = program("graphile-migrate", NODE / ".bin")

    def missing(self) -> str | None:
        return None if self.program else "no graphile-migrate: benchmarks/install.sh gets it from npm"

    def version(self) -> str:
        return f"graphile-migrate {said_by(str(self.program), '--version')}"

    def write(self) -> None:
        committed = self.folder / "migrations" / "committed"
        committed.mkdir(parents=True)
        (self.folder / ".gmrc").write_text("{}\n")
        previous = ""
        for number, step in enumerate(self.steps, start=1):
            chained = chained_hash(f"{step};", previous)
            (committed / f"{number:06d}.sql").write_text(f"--! Previous: {previous or '-'}\n--! Hash: {chained}\n\n{step};\n")
            previous = chained

    def apply(self, url: str) -> None:
        run([str(self.program), "migrate"], self.folder, {"DATABASE_URL": Address.of(url).as_query_url()})


def chained_hash(body: str, previous: str) -> str:
    """The hash of a migration after the one before it, as graphile-migrate's ``src/hash.ts`` has it."""
    text = f"{previous}\n{body.strip()}".strip() + "\n"
    return f"sha1:{hashlib.sha1(text.encode()).hexdigest()}"
