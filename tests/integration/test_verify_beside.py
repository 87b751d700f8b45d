"""The list's past, walked with the starts in a process of their own: it finds what one process finds, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from omega_bridge import errors
from omega_bridge.analysis import analyse
from omega_bridge.audit import beside as another
from omega_bridge.audit import pairs, prefixes
from omega_bridge.audit.equivalence import verify
from omega_bridge.audit.scratch import GivenServer, ScratchDatabase
from omega_bridge.audit.verdict import Equivalence
from omega_bridge.embedded import Server
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry

TABLES = [f"CREATE TABLE IF NOT EXISTS t{n} (id int PRIMARY KEY)" for n in range(4)]
LISTS = {
    "grows": [*TABLES, "ALTER TABLE t0 ADD COLUMN IF NOT EXISTS n int", "ALTER TABLE t1 ADD COLUMN IF NOT EXISTS t0 int"],
    "renames": [TABLES[0], "ALTER TABLE t0 ADD COLUMN IF NOT EXISTS a int", "ALTER TABLE t0 RENAME COLUMN a TO b", TABLES[1]],
    "types": ["CREATE TYPE kind AS ENUM ('a')", TABLES[0], "ALTER TYPE kind ADD VALUE IF NOT EXISTS 'b'"],
    "drops": [*TABLES, "DROP TABLE IF EXISTS t1", "CREATE OR REPLACE VIEW v AS SELECT * FROM t0", "DROP VIEW IF EXISTS v"],
    "rejected": [TABLES[0], "ALTER TABLE nowhere ADD COLUMN IF NOT EXISTS x int", TABLES[1]],
    "rows": [TABLES[0], "INSERT INTO t0 VALUES (1) ON CONFLICT DO NOTHING", "SET search_path TO public", TABLES[1]],
}


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Each list is worth a process. The ids of those that were begun."""
    monkeypatch.setattr(prefixes, "WORTH_A_PROCESS", 0)
    begun: list[int] = []
    popen: Any = subprocess.Popen

    class Counted(popen):  # type: ignore[misc]  # what is opened is the same
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            if another.__name__ in arguments[0]:
                begun.append(self.pid)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    return begun


@pytest.fixture
def nothing_is_left(server: Server) -> Iterator[None]:
    """No scratch database that was not there before."""
    before = databases(server)
    yield
    assert databases(server) <= before


def databases(server: Server) -> set[str]:
    """Those that a walk makes."""
    with psycopg.connect(server.url) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^omega_bridge_(boot|alembic)_'").fetchall()
    return {name for (name,) in found}


def exported(texts: list[str], folder: Path) -> Path:
    """The history of a list."""
    export(analyse(Registry.of(texts)), folder)
    return folder


def found(server: Server, texts: list[str], folder: Path, alike: Callable[[str], object] = lambda _: None) -> Equivalence:
    """A verification."""
    return verify(Registry.of(texts), None, GivenServer(server.url), history=folder, alike=alike)


@pytest.mark.parametrize("case", LISTS)
def test_two_processes_find_what_one_finds(case: str, server: Server, tmp_path: Path, processes: list[int]) -> None:
    """Verdict, catalog, and the revisions up to which nothing differed."""
    folder, seen = exported(LISTS[case], tmp_path / "alembic"), dict[str, list[str]]({"one": [], "two": []})
    two = found(server, LISTS[case], folder, seen["two"].append)
    assert len(processes) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefixes, "WORTH_A_PROCESS", 1000)
        one = found(server, LISTS[case], folder, seen["one"].append)
    assert len(processes) == 1
    assert one == two
    assert seen["one"] == seen["two"] != []


def test_what_differs_is_found_at_its_revision(server: Server, tmp_path: Path, processes: list[int]) -> None:
    """A revision that makes what its step does not is named, as one process names it."""
    folder = exported(LISTS["grows"], tmp_path / "alembic")
    begin, differences = pairs.upgrade_along, []

    def meddled(config: Any, points: Any, after: Callable[[str], object]) -> None:
        def then(revision: str) -> None:
            if revision == points[2][0]:
                with psycopg.connect(config.attributes["omega_bridge_dsn"], autocommit=True) as connection:
                    connection.execute("ALTER TABLE t0 ADD COLUMN meddled int")
            after(revision)

        begin(config, points, then)

    for worth in (0, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(prefixes, "WORTH_A_PROCESS", worth)
            patch.setattr(prefixes, "upgrade_along", meddled)
            differences.append(found(server, LISTS["grows"], folder).differences)
    assert len(processes) == 1
    assert differences[0] == differences[1]
    assert {(d.object, d.attribute) for d in differences[0]} >= {("column public.t0.meddled", "")}


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN ALTER ROLE CURRENT_USER SET search_path TO public; EXCEPTION WHEN OTHERS THEN NULL; END $$",
        "DO $$ BEGIN DROP ROLE prove_beside; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    ],
)
def test_what_the_server_shares_is_walked_by_one(text: str, server: Server, tmp_path: Path, processes: list[int]) -> None:
    """Which of the two databases takes it first may matter."""
    folder = exported([TABLES[0], text], tmp_path / "alembic")
    found(server, [TABLES[0], text], folder)
    assert processes == []


@pytest.mark.usefixtures("nothing_is_left")
def test_a_process_that_is_killed_proves_nothing(
    server: Server, tmp_path: Path, processes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error with what ended it, not a verdict; its databases are gone."""
    folder = exported(LISTS["grows"], tmp_path / "alembic")
    monkeypatch.setattr(prefixes, "_received", lambda sent: killed_after_one(sent, processes))
    with pytest.raises(errors.ProcessEnded, match="SIGKILL"):
        found(server, LISTS["grows"], folder)


RECEIVED = prefixes._received


def killed_after_one(sent: Iterator[Any], processes: list[int]) -> Iterator[Any]:
    """The looks, until the process is killed behind the first."""
    first = next(sent)
    os.kill(processes[0], signal.SIGKILL)

    def rest() -> Iterator[Any]:
        yield first
        yield from sent

    return RECEIVED(rest())


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_end_of_this_side_ends_the_other(
    error: type[BaseException], server: Server, tmp_path: Path, processes: list[int]
) -> None:
    """It goes on as that error, and neither process nor database is left."""

    def stop(_revision: str) -> None:
        raise error("stopped")

    folder = exported(LISTS["grows"], tmp_path / "alembic")
    with pytest.raises(error, match="stopped"):
        found(server, LISTS["grows"], folder, stop)
    with pytest.raises(ProcessLookupError):
        os.kill(processes[0], 0)


@pytest.mark.usefixtures("nothing_is_left")
def test_an_error_of_the_starts_ends_the_walk(server: Server, tmp_path: Path, processes: list[int]) -> None:
    """Here that the database is not the one that was made for it."""
    folder = exported(LISTS["grows"], tmp_path / "alembic")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefixes, "_in_a_process", led_elsewhere)
        with pytest.raises(errors.NotScratch):
            found(server, LISTS["grows"], folder)
    assert len(processes) == 1


IN_A_PROCESS = prefixes._in_a_process


@contextmanager
def led_elsewhere(starts: Any) -> Iterator[Any]:
    """The starts, of a database with another mark."""
    other = ScratchDatabase(starts.database.url, "not its mark")
    with IN_A_PROCESS(prefixes._Starts(other, starts.points, starts.texts)) as looks:
        yield looks
