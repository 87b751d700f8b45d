"""sqitch, from Debian, with one change a step."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.base import Address, Peer, program, run, said_by


class Sqitch(Peer):
    """``sqitch deploy`` of a plan whose deploy scripts look as ``sqitch add`` makes them. It starts a psql for each change."""

    name = "sqitch (process)"
    is_process = True
    longest = (1000, "it starts a psql for each change: an apply takes minutes")

    def __init__(self, bin_dir: Path | None = None) -> None:
        super().__init__()
        self.program = program("sqitch")
        self.psql = program("psql", *([bin_dir] if bin_dir else []))

    def missing(self) -> str | None:
        if self.program is None or self.psql is None:
            return "no sqitch: apt-get install sqitch libdbd-pg-perl postgresql-client"
        return None

    def version(self) -> str:
        return f"sqitch {said_by(str(self.program), '--version').rpartition(' v')[2]}"

    def write(self) -> None:
        deploy = self.folder / "deploy"
        deploy.mkdir()
        (self.folder / "sqitch.conf").write_text(f'[core]\n\tengine = pg\n[engine "pg"]\n\tclient = {self.psql}\n')
        plan = ["%syntax-version=1.0.0", "%project=bench", ""]
        for number, step in enumerate(self.steps):
            plan.append(f"s{number:05d} 2024-01-01T00:00:00Z Bench <bench@example.org> # step {number}")
            (deploy / f"s{number:05d}.sql").write_text(f"BEGIN;\n\n{step};\n\nCOMMIT;\n")
        (self.folder / "sqitch.plan").write_text("\n".join(plan) + "\n")

    def apply(self, url: str) -> None:
        address = Address.of(url)
        environment = {
            **address.as_environment(),
            "PGSSLMODE": "disable",
            "SQITCH_FULLNAME": "Bench",
            "SQITCH_EMAIL": "bench@example.org",
            "SQITCH_USER_CONFIG": str(self.folder / "user.conf"),
        }
        run([str(self.program), "--quiet", "deploy", f"db:pg:{address.database}"], self.folder, environment)
