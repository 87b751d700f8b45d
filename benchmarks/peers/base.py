"""What a peer is: one way to bring a database up to a list, driven as its users drive it."""

from __future__ import annotations

import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from psycopg.conninfo import conninfo_to_dict

NODE = Path(__file__).parents[2] / ".venv" / "bench-node" / "node_modules"
"""Where ``benchmarks/install.sh`` puts what comes from npm."""


class Address(NamedTuple):
    """Where a database is: ``host`` is a name, a number or a socket's folder."""

    host: str
    port: str
    user: str
    database: str

    @classmethod
    def of(cls, url: str) -> Address:
        """The parts of a libpq URL."""
        parts = conninfo_to_dict(url)
        return cls(str(parts["host"]), str(parts.get("port") or 5432), str(parts["user"]), str(parts["dbname"]))

    def as_environment(self) -> dict[str, str]:
        """libpq's variables."""
        return {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user, "PGDATABASE": self.database}

    def as_query_url(self, scheme: str = "postgres") -> str:
        """A URL with host and port in its query, so that a socket's folder will do."""
        return f"{scheme}://{self.user}@/{self.database}?host={self.host}&port={self.port}"


class Peer(ABC):
    """One way to bring a database up to a list.

    ``is_process``: it is a program of its own, and its start is timed with it. ``is_repairing``: it can begin with an
    empty database (and not only look at a current one). ``is_light``: it is asked often and at every size, for the sake of
    the bars. ``longest``: the longest list that it is given, with the reason.
    """

    name: str
    is_process = False
    is_repairing = True
    is_light = False
    longest: tuple[int, str] | None = None

    def __init__(self) -> None:
        self.folder, self.steps = Path(), list[str]()

    def missing(self) -> str | None:
        """Why it cannot be measured here."""
        return None

    @abstractmethod
    def version(self) -> str:
        """Name and version of what is measured."""

    def sits_out(self, size: int) -> str | None:
        """Why it is not given a list of this size."""
        return self.longest[1] if self.longest and size > self.longest[0] else None

    def take(self, folder: Path, steps: Sequence[str]) -> None:
        """Work on this list from now on; its files are in ``folder``, and written where that is missing."""
        self.folder, self.steps = folder, list(steps)
        if not folder.exists():
            folder.mkdir(parents=True)
            self.write()

    def write(self) -> None:  # noqa: B027 - a hook
        """Write what the peer reads: one migration a step. Nothing where it reads no files."""

    def warm(self) -> None:  # noqa: B027 - a hook
        """Import what a service that uses it has imported before its start begins."""

    @abstractmethod
    def apply(self, url: str) -> None:
        """A start: from whatever is there to the list's schema. Raises where it fails."""

    def settle(self, url: str) -> None:  # noqa: B027 - a hook
        """What is done once for a database after its first start, and not timed."""


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a program to its end. Raises ``RuntimeError`` with its last words where it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} exits {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")


def said_by(*command: str | Path) -> str:
    """The first line that a program prints, such as its version."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def program(name: str, *places: Path) -> str | None:
    """A program by its name, from the given places first, then from PATH."""
    return shutil.which(name, path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))


def installed(distribution: str) -> str:
    """The version of an installed Python distribution; empty where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
