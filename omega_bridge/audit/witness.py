"""``pg_dump`` as a witness: it reads the catalogs with eyes that are not ours, so that a blind spot of our reader is none of the proof."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from omega_bridge.embedded import find_server
from omega_bridge.embedded.binaries import VARIABLE
from omega_bridge.errors import NoServerFound, StatementRejected
from omega_bridge.postgres.dsn import connection_parameters, conninfo
from omega_bridge.redaction import without_secrets

_NOT_OURS_TO_COMPARE = (
    "--exclude-schema=omega_bridge",
    "--exclude-schema=omega_bridge_sentinel",
    "--exclude-table=*.alembic_version",
)


@dataclass(frozen=True, slots=True)
class Witness:
    """A ``pg_dump`` that is there. ``version``: as it says it, such as ``18.1``."""

    program: Path
    version: str

    def __str__(self) -> str:
        return f"pg_dump {self.version}"

    def schema(self, database: str, *options: str) -> str:
        """The database's schema as SQL, without what is the bridge's. It reads, and writes nothing.

        Raises ``StatementRejected`` with its words where it cannot.
        """
        parameters = connection_parameters(database)
        password = parameters.pop("password", None)
        environment = {**os.environ, **({"PGPASSWORD": str(password)} if password is not None else {})}
        done = subprocess.run(
            [
                str(self.program), "--schema-only", "--no-password", "--encoding=UTF8", *_NOT_OURS_TO_COMPARE, *options,
                f"--dbname={conninfo(parameters)}",
            ],
            env=environment, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        if done.returncode:
            told = " ".join(done.stderr.split())[-500:]
            raise StatementRejected(
                without_secrets(f"pg_dump could not read the database: {told}", [database]),
                hint="Give a role that may read the whole schema.",
                sqlstate=None,
            )
        return done.stdout


def find_witness(server_version: int, environ: Mapping[str, str] | None = None) -> Witness | None:
    """The first ``pg_dump`` that is not older than the server (``180003``): beside a server that is found, or on the PATH."""
    for folder in _folders(os.environ if environ is None else environ):
        program = folder / "pg_dump"
        if os.access(program, os.X_OK) and (version := _version(program)) and _major(version) >= server_version // 10000:
            return Witness(program, version)
    return None


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    if given := environ.get(VARIABLE):
        yield Path(given)
    for known in (environ, {"PATH": environ.get("PATH", "")}):
        with suppress(NoServerFound):
            yield find_server(environ=known).bin_dir
    if found := shutil.which("pg_dump", path=environ.get("PATH", os.defpath)):
        yield Path(found).parent


def _version(program: Path) -> str:
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"\(PostgreSQL\) (\d+\S*)", shown)
    return found[1] if found else ""


def _major(version: str) -> int:
    found = re.match(r"\d+", version)
    return int(found[0]) if found else 0


# --- what it says -----------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """The heading that ``pg_dump`` writes over an entry: ``TABLE``, ``public``, ``orders``."""

    type: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.type.lower()} {'' if self.schema == '-' else self.schema + '.'}{self.name}"

    def is_of(self, schema: str, name: str) -> bool:
        """Whether it is about the object of that name, or about a part of it."""
        return (self.schema == schema or "-" in (self.schema, schema or "-")) and name in re.split(r"[\s.(]", self.name)


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry that two dumps do not share, and the lines of each that the other lacks; ``None``: no such entry."""

    entry: Entry
    left: tuple[str, ...] | None
    right: tuple[str, ...] | None


_HEADING = re.compile(r"-- Name: (.*); Type: ([^;]*); Schema: ([^;]*); Owner: .*")
_APART = re.compile(r"\s*(--.*|SET \w+ = .*;|SELECT pg_catalog\.set_config\(.*\);|\\(un)?restrict .*)?")
_IN_ANY_ORDER = frozenset({"TABLE", "FOREIGN TABLE", "ACL", "DEFAULT ACL"})
"""Columns stand in the order in which they were added, privileges in that in which they were given."""


def entries(dump: str) -> dict[Entry, tuple[str, ...]]:
    """The lines of each entry, without comments, session settings and empty lines; columns and privileges sorted."""
    found: dict[Entry, list[str]] = {}
    now = Entry("", "-", "")
    for line in dump.splitlines():
        if heading := _HEADING.fullmatch(line):
            now = Entry(heading[2], heading[3], heading[1])
        elif not _APART.fullmatch(line):
            found.setdefault(now, []).append(line)
    return {
        entry: tuple(sorted(line.rstrip(",") for line in lines)) if entry.type in _IN_ANY_ORDER else tuple(lines)
        for entry, lines in found.items()
    }


def compare(left: str, right: str) -> Iterator[Seen]:
    """What two dumps do not share, sorted."""
    one, other = entries(left), entries(right)
    for entry in sorted(one.keys() | other.keys()):
        here, there = one.get(entry), other.get(entry)
        if here != there:
            yield Seen(entry, _only(here, there), _only(there, here))


def _only(lines: Iterable[str] | None, others: Iterable[str] | None) -> tuple[str, ...] | None:
    if lines is None:
        return None
    without = frozenset(others or ())
    return tuple(line for line in lines if line not in without)
