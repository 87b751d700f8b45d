"""A hot standby: it answers a start as its primary does, and takes no repair."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import omega_bridge
from omega_bridge import OmegaBridgeError
from omega_bridge.embedded import EmbeddedServer, server
from tests.fixtures.server import client_tool

STEPS = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, name text)",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
    "UPDATE t SET name = 'x' WHERE name IS NULL",
]
REPLICATES = {"wal_level": "replica", "max_wal_senders": 4, "hot_standby": "on"}


class Standby(EmbeddedServer):
    """A server on a copy of a running one, which it follows."""

    def __init__(self, primary: EmbeddedServer) -> None:
        parts = conninfo_to_dict(primary.url)
        target = make_conninfo(**{name: parts[name] for name in ("host", "port", "user")})
        super().__init__(
            settings={**REPLICATES, "primary_conninfo": target}
        )  # not -R: a newer client writes what an older server lacks
        self.primary = primary

    def _launch(self, binaries: Any, user: Any, folder: Any) -> Any:
        program = Path(client_tool("pg_basebackup"))
        copy = server._as_user(user, program, "-D", str(folder.data), "-d", self.primary.url, "-c", "fast")
        subprocess.run(copy, input=b"\n", check=True, capture_output=True, cwd=folder.path)
        (folder.data / "standby.signal").touch()
        return super()._launch(binaries, user, folder)

    def catch_up(self) -> None:
        """Wait until everything that the primary has committed is here."""
        with psycopg.connect(self.primary.url) as there, psycopg.connect(self.url, autocommit=True) as here:
            (written,) = there.execute("SELECT pg_current_wal_insert_lsn()").fetchone() or (None,)
            for _ in range(6000):
                if here.execute("SELECT pg_last_wal_replay_lsn() < %s", (written,)).fetchone() == (False,):
                    return
                time.sleep(0.01)
        raise TimeoutError(self._running_folder().log.read_text())


@pytest.fixture(scope="module")
def pair() -> Iterator[Standby]:
    """A primary and its standby."""
    with EmbeddedServer(settings=REPLICATES) as primary, Standby(primary) as standby:
        yield standby


def test_a_current_standby_starts_with_one_question(pair: Standby) -> None:
    """What the primary's start has left is all that a start on the standby needs."""
    assert omega_bridge.boot(pair.primary.url, STEPS[:2]).outcome == "repaired"
    pair.catch_up()
    run = omega_bridge.boot(pair.url, STEPS[:2])
    assert (run.outcome, run.round_trips) == ("current", 1)


def test_data_steps_are_asked_about(pair: Standby) -> None:
    """A data step that would change no row is not sent to a server that could not take it."""
    omega_bridge.boot(pair.primary.url, STEPS)
    pair.catch_up()
    run = omega_bridge.boot(pair.url, STEPS)
    assert (run.outcome, [s.action for s in run.steps]) == ("current", ["skip"])


def test_what_is_to_be_repaired_is_for_the_primary(pair: Standby, caplog: pytest.LogCaptureFixture) -> None:
    """The error says so before anything is tried, and the primary's start is enough for both."""
    newer = [*STEPS, "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int"]
    caplog.set_level("INFO", "omega_bridge")
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(pair.url, newer)
    assert (told.value.code, told.value.exit_code) == ("OB204", 3)
    assert "target_session_attrs=read-write" in told.value.hint
    assert "Applying" not in caplog.text
    omega_bridge.boot(pair.primary.url, newer)
    pair.catch_up()
    assert omega_bridge.boot(pair.url, newer).outcome == "current"
