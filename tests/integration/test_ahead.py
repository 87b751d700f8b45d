"""What a start does while it waits for the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge.postgres.session import open_session
from omega_bridge.startup.ahead import Ahead
from omega_bridge.steps import Registry, Step, digest_of

T = "CREATE TABLE IF NOT EXISTS t (id int)"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"
LOADED = """
import json, sys
import omega_bridge
from omega_bridge.startup.ahead import Ahead
from omega_bridge.steps import digest_of
url, *steps = json.loads(sys.argv[1])
ahead = [*Ahead(steps, digest_of(steps)).modules()]
print(json.dumps([omega_bridge.boot(url, steps).outcome, ahead, "omega_bridge.startup.repair" in sys.modules]))
"""


def start(url: str, steps: list[str], cache: object) -> tuple[str, bool, bool]:
    """What a process of its own says of its start: the outcome; whether it guessed that there is something to repair; whether it loaded
    what that needs."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps([url, *steps])],
        env={**os.environ, "OMEGA_BRIDGE_CACHE": str(cache)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    outcome, ahead, is_loaded = json.loads(done.stdout)
    return outcome, "omega_bridge.kinds" in ahead, is_loaded


def test_a_list_that_has_changed_is_guessed_to_need_a_repair(database: str, tmp_path: Path) -> None:
    """A first start and one of the same list guess nothing; one of a list that has grown does, once."""
    assert start(database, [T], tmp_path) == ("repaired", False, True)
    assert start(database, [T], tmp_path) == ("current", False, False)
    assert start(database, [T, A], tmp_path) == ("repaired", True, True)
    assert start(database, [T, A], tmp_path) == ("current", False, False)


def test_a_guess_that_was_wrong_costs_one_start(database: str, tmp_path: Path) -> None:
    """Where another host has repaired the database, there is nothing to do: the repair itself is not loaded, and the next start guesses
    nothing."""
    one, other = tmp_path / "one", tmp_path / "other"
    start(database, [T], one)
    start(database, [T, A], other)
    assert start(database, [T, A], one) == ("current", True, False)
    assert start(database, [T, A], one) == ("current", False, False)


def test_a_note_that_others_may_write_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one that is a link; without a folder there is none."""
    monkeypatch.setenv("OMEGA_BRIDGE_CACHE", str(tmp_path))
    monkeypatch.delitem(sys.modules, "omega_bridge.startup.repair", raising=False)

    def guesses(*steps: str) -> bool:
        return Ahead(steps, digest_of(steps)).is_another

    Ahead([T], digest_of([T])).keep()
    (note,) = tmp_path.iterdir()
    assert note.stat().st_mode & 0o777 == 0o600
    assert (guesses(T), guesses(T, A), guesses(A, T)) == (False, True, False)
    note.chmod(0o666)
    assert not guesses(T, A)
    note.rename(tmp_path / "real")
    note.symlink_to(tmp_path / "real")
    assert not guesses(T, A)
    monkeypatch.setenv("OMEGA_BRIDGE_CACHE", "off")
    Ahead([A], digest_of([A])).keep()
    assert len([*tmp_path.iterdir()]) == 2


def test_a_list_has_one_note_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As texts, steps, pairs or a registry; an empty list has none."""
    monkeypatch.setenv("OMEGA_BRIDGE_CACHE", str(tmp_path))
    monkeypatch.delitem(sys.modules, "omega_bridge.startup.repair", raising=False)
    for steps in ([T], [Step(T)], [("t", T)], Registry.of([T]), ()):
        Ahead(steps, "digest").keep()
    assert len([*tmp_path.iterdir()]) == 1


def test_work_is_done_while_the_server_is_waited_for(database: str) -> None:
    """By each way to ask it, and never within a transaction, whose locks it would hold longer."""
    done: list[str] = []
    sleep = "SELECT pg_sleep(0.05), 7"
    with open_session(database) as session:
        session.deferred.add(lambda: done.append("asked"))
        assert session.ask(sleep) == [("", "7")]
        session.deferred.add(lambda: done.append("executed"))
        assert session.rows(sleep) == [("", 7)]
        assert done == ["asked", "executed"]
        session.deferred.add(lambda: done.append("failed"))
        with pytest.raises(psycopg.errors.DivisionByZero):
            session.connection.execute("SELECT pg_sleep(0.05); SELECT 1 / 0")
        assert done[2:] == ["failed"]
        with session.connection.transaction():
            session.deferred.add(lambda: done.append("late"))
            assert session.ask(sleep) == [("", "7")]
            assert session.rows(sleep) == [("", 7)]
            assert done[3:] == []
        session.deferred.finish()
        assert done[3:] == ["late"]
        assert session.rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_work_that_fails_ends_what_asked(database: str, error: type[BaseException]) -> None:
    """Its error is the caller's; what the server worked on is stopped, and the connection goes on or is closed: nothing hangs."""

    def fail() -> None:
        raise error("work")

    with open_session(database) as session:
        session.deferred.add(fail)
        started = time.monotonic()
        with pytest.raises(error, match="work"):
            session.rows("SELECT pg_sleep(60), 7")
        assert session.rows("SELECT 1") == [(1,)]
        assert time.monotonic() - started < 50
        session.deferred.add(fail)
        with pytest.raises(error, match="work"):
            session.ask("SELECT pg_sleep(60), 7")
        assert session.is_closed


def test_an_interruption_of_what_is_done_meanwhile_gives_the_lock_back(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in a start it falls: it is what the caller sees, and the next start goes on at once."""
    omega_bridge.boot(database, [T])
    for place in ("omega_bridge.readings.Readings.keep", "omega_bridge.postgres.clean_state.Promised.think"):
        with monkeypatch.context() as patched:
            patched.setattr(place, lambda *_: _interrupt())
            with pytest.raises(KeyboardInterrupt):
                omega_bridge.boot(database, [T, A])
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
    assert omega_bridge.boot(database, [T, A], lock_timeout=1.0).outcome == "repaired"


def _interrupt() -> None:
    raise KeyboardInterrupt
