"""The lock of a start, lost while it is at work, is noticed before anything further is written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import OmegaBridgeError, environment
from omega_bridge.analysis import analyse
from omega_bridge.config import Config
from omega_bridge.errors import LockLost
from omega_bridge.postgres.lock_keys import CLASS, OBJECT, SCHEMA
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"
RELEASE = "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int; DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$"
C = "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int"


def columns(database: str) -> list[str]:
    """The columns of the list's table."""
    with psycopg.connect(database) as conn:
        rows = conn.execute("SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('t') AND attnum > 0 ORDER BY 1")
        return [name for (name,) in rows]


def recorded(database: str) -> list[str]:
    """The subjects of the ledger's steps."""
    with psycopg.connect(database) as conn:
        return [
            s for (s,) in conn.execute("SELECT subject FROM omega_bridge.omega_bridge_ledger WHERE event = 'step' ORDER BY seq")
        ]


@contextmanager
def when_applying(step: str, act: Callable[[], object]) -> Iterator[None]:
    """Do something the moment a start says that it applies a step."""

    class Acts(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if f"Applying step {step} " in record.getMessage():
                act()

    log, handler = logging.getLogger("omega_bridge"), Acts()
    before = log.level
    log.addHandler(handler)
    log.setLevel("INFO")
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def test_a_step_that_releases_every_lock_is_rolled_back(database: str) -> None:
    """``pg_advisory_unlock_all()`` in a step: its work is undone, nothing after it is sent, and the error says what to look for."""
    omega_bridge.boot(database, [T])
    with pytest.raises(LockLost) as told:
        omega_bridge.boot(database, [T, A, RELEASE, C])
    assert (told.value.code, told.value.exit_code) == ("OB403", 4)
    assert "pg_advisory_unlock_all" in told.value.hint
    assert columns(database) == ["a", "id"]
    assert recorded(database) == ["create-t", "t-a"]
    assert omega_bridge.boot(database, [T, A, C]).outcome == "repaired"


LIMITS = "SELECT pg_catalog.current_setting('lock_timeout') AS a, pg_catalog.current_setting('statement_timeout') AS b"


@pytest.mark.parametrize(
    "setting",
    ["DISCARD ALL", "-- as a new session\nDISCARD ALL;", "RESET ALL", "SET lock_timeout = 0; SET statement_timeout = '1s'"],
    ids=["discard", "with a comment", "reset", "set"],
)
def test_a_step_that_sets_the_session_takes_nothing_from_the_start(database: str, setting: str) -> None:
    """``DISCARD ALL`` refuses a transaction and lets go of every lock: a start goes on with its lock, and with its own limits."""
    omega_bridge.boot(database, [T])
    before, seen = [T, "SET search_path = public, pg_catalog"], []

    def look() -> None:
        with psycopg.connect(database) as conn:
            seen.append(
                conn.execute(f"SELECT count(*) FROM pg_locks WHERE classid = {SCHEMA} AND mode = 'ExclusiveLock'").fetchone()
            )

    with when_applying("limits", look):
        run = omega_bridge.boot(database, [*before, setting, A, ("limits", f"CREATE TABLE IF NOT EXISTS limits AS {LIMITS}")])
    assert (run.outcome, {s.outcome for s in run.steps}) == ("repaired", {"applied", "already-there"})
    assert seen == [(1,)]
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT * FROM public.limits").fetchone() == ("500ms", "0")
    assert columns(database) == ["a", "id"]


def test_what_the_bridge_reads_behind_such_a_step_ends_in_time(database: str) -> None:
    """A step that takes every limit from the session, and a lock by another hand on what is read next: a start ends all the same."""
    omega_bridge.boot(database, [T])
    with psycopg.connect(database) as holder:

        def hold() -> None:
            holder.execute("LOCK TABLE pg_catalog.pg_attrdef IN ACCESS EXCLUSIVE MODE")

        with when_applying("t-a", hold), pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(database, [T, "SET lock_timeout = 0", A], boot_timeout=1.0)
    assert told.value.code == "OB402"


def test_a_deferred_trigger_is_told_as_it_is(database: str) -> None:
    """A division by zero at the commit is the step's own failure, and no lost lock."""
    omega_bridge.boot(database, [T])
    body = "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 / 0; RETURN NULL; END $$"
    trigger = "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f()"
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [T, body, trigger, "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING"])
    assert told.value.code == "OB301"
    assert "22012" in told.value.message


def test_a_terminated_backend_is_an_error_of_ours(database: str) -> None:
    """Where an administrator ends the session in mid-work the step is undone, and the next start goes on."""
    omega_bridge.boot(database, [T])

    def terminate() -> None:
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = {CLASS} AND objid = {OBJECT} "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )

    with when_applying("t-c", terminate), pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [T, A, C])
    assert told.value.code == "OB205"
    assert columns(database) == ["a", "id"]
    assert omega_bridge.boot(database, [T, A, C]).outcome == "repaired"


def test_alembic_holds_the_lock_where_it_works(database: str, tmp_path: Path) -> None:
    """A revision that releases the lock fails and leaves nothing; the lock sits on the connection that runs the revisions."""
    folder = tmp_path / "alembic"
    folder.mkdir()
    (folder / "script.py.mako").write_text("")
    registry = Registry.of([T, A, RELEASE, C])
    export(analyse(registry), folder)
    config = alembic_border.alembic_config(folder, database)
    config.attributes["omega_bridge_config"] = Config(tmp_path)
    config.attributes["omega_bridge_registry"] = (registry, None)
    with pytest.raises(LockLost):
        environment.upgrade(config, "head")
    assert columns(database) == ["a", "id"]
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM omega_bridge.omega_bridge_ledger WHERE event = 'upgrade'").fetchone() == (2,)
        assert conn.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
