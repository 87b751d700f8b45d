"""dbmate, the native program that its npm package brings."""

from __future__ import annotations

from benchmarks.peers.base import NODE, Address, Peer, program, run, said_by


class Dbmate(Peer):
    """``dbmate migrate``, one file a step."""

    name = "dbmate (process)"
    is_process = True

    def __init__(self) -> None:
        super().__init__()
        self.program = program("dbmate", *sorted(NODE.glob("@dbmate/*/bin")), NODE / ".bin")

    def missing(self) -> str | None:
        return None if self.program else "no dbmate: benchmarks/install.sh gets it from npm"

    def version(self) -> str:
        return f"dbmate {said_by(str(self.program), '--version').rpartition(' ')[2]}"

    def write(self) -> None:
        for number, step in enumerate(self.steps):
            (self.folder / f"{20240101000000 + number}_s.sql").write_text(f"-- migrate:up\n{step};\n\n-- migrate:down\n")

    def apply(self, url: str) -> None:
        target = f"{Address.of(url).as_query_url()}&sslmode=disable"
        run([str(self.program), "-u", target, "-d", ".", "--no-dump-schema", "migrate"], self.folder)
