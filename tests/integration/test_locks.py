"""Locks that do no harm: two starts at once, long readers, busy tables, lost patience."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

import omega_bridge
from omega_bridge import OmegaBridgeError, Run, Step
from omega_bridge.postgres import blockers, lock
from omega_bridge.postgres.lock_keys import CLASS, OBJECT
from omega_bridge.postgres.session import open_session

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"
U = "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY)"


def test_of_many_starts_one_repairs(database: str) -> None:
    """Eight at once on an empty database: none fails, each step is applied once, the others send nothing."""
    steps = [T, A, U, "CREATE EXTENSION IF NOT EXISTS citext", "CREATE INDEX IF NOT EXISTS t_a ON t (a)"]
    with ThreadPoolExecutor(8) as pool:
        runs: list[Run] = list(pool.map(lambda _: omega_bridge.boot(database, steps), range(8)))
    assert sorted(r.outcome for r in runs) == ["current"] * 7 + ["repaired"]
    with psycopg.connect(database) as conn:
        rows = conn.execute(
            "SELECT subject, count(*) FROM omega_bridge.omega_bridge_ledger WHERE event = 'step' GROUP BY 1"
        ).fetchall()
    assert dict(rows) == {"create-t": 1, "t-a": 1, "create-u": 1, "extension-citext": 1, "index-t-a": 1}


def test_the_holder_of_the_lock_is_named(database: str) -> None:
    """After the bounded wait the error says pid and application, with exit code 4."""
    with psycopg.connect(database, application_name="the other start") as holder:
        holder.execute(f"SELECT pg_advisory_lock({CLASS}, {OBJECT})")
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(database, [T], lock_timeout=0.3)
        assert (told.value.code, told.value.exit_code) == ("OB401", 4)
        assert f"pid {holder.info.backend_pid}" in told.value.message
        assert "the other start" in told.value.message


def test_readers_never_queue_behind_a_start(database: str) -> None:
    """A table is held open by a long reader; while a start tries for it, other readers wait less than 700 ms at any time."""
    omega_bridge.boot(database, [T, U])
    waits: list[float] = []
    over = threading.Event()

    def read() -> None:
        with psycopg.connect(database, autocommit=True) as conn:
            while not over.is_set():
                started = time.monotonic()
                conn.execute("SELECT count(*) FROM t")
                waits.append(time.monotonic() - started)
                time.sleep(0.01)

    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM t")
        other = threading.Thread(target=read)
        other.start()
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(database, [T, A, U, "ALTER TABLE u ADD COLUMN IF NOT EXISTS b int"], boot_timeout=3.0)
        over.set()
        other.join()
    assert told.value.code == "OB402"
    assert "t-a" in told.value.message
    assert max(waits) < 0.7
    assert any(w > 0.1 for w in waits), "the start did try"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM information_schema.columns WHERE column_name = 'b'").fetchone() == (1,)


def test_the_session_that_keeps_a_table_is_named(database: str) -> None:
    """The error says which table, and by whom it is held: pid, application, state, and its query without what stands in literals."""
    omega_bridge.boot(database, [T])
    with psycopg.connect(database, application_name="the long report") as reader:
        pid = reader.info.backend_pid
        reader.execute("SELECT 'hunter2' AS secret, count(*) FROM t")
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(database, [T, A], boot_timeout=1.0, table_lock_timeout=0.4)
    assert told.value.code == "OB402"
    assert f"t is held by pid {pid}, the long report, idle in transaction, for " in told.value.message
    assert "SELECT '...' AS secret, count(*) FROM t" in told.value.message


def test_the_session_that_keeps_a_row_is_named(database: str) -> None:
    """A data step that waits for a row, too."""
    fill = "UPDATE t SET id = id + 1"
    omega_bridge.boot(database, [T])
    with psycopg.connect(database, application_name="the editor") as other:
        pid = other.info.backend_pid
        other.execute("INSERT INTO t VALUES (1)")
        other.commit()
        other.execute("UPDATE t SET id = 7")
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(database, [T, fill], boot_timeout=1.0, table_lock_timeout=0.4)
    assert told.value.code == "OB402"
    assert f"t is held by pid {pid}, the editor" in told.value.message


def test_an_optional_step_is_left_out(database: str) -> None:
    """The start is degraded and ready; the next one, when the table is free, does it."""
    omega_bridge.boot(database, [T])
    steps = [T, Step(A, id="a", optional=True)]
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM t")
        run = omega_bridge.boot(database, steps, boot_timeout=0.2, table_lock_timeout=0.1)
        assert (run.outcome, run.ready) == ("degraded", True)
    assert omega_bridge.boot(database, steps).outcome == "repaired"


def test_a_degraded_start_goes_on_trying(database: str) -> None:
    """It serves, and repairs in the background as soon as the table is free."""
    omega_bridge.boot(database, [T])
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM t")
        run = omega_bridge.boot(database, [T, A], boot_timeout=0.2, table_lock_timeout=0.1, on_busy="degraded")
        assert (run.outcome, run.ready) == ("degraded", True)
        assert run.retrying is not None
        assert not run.retrying.is_done
    assert run.retrying.wait(60)
    assert (run.retrying.run.outcome, run.retrying.error) == ("repaired", None)


def test_an_error_that_is_no_lock_still_stops(database: str) -> None:
    """``optional`` and ``on_busy`` forgive a busy table, and nothing else."""
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [Step("ALTER TABLE t ADD COLUMN a nosuchtype", optional=True)], on_busy="degraded")
    assert told.value.code == "OB301"


def test_who_waits_loads_nothing_and_ends_when_the_work_is_done(database: str) -> None:
    """A start that waited for another needs neither parser nor planner: it asks again when the other has let go."""
    code = (
        f"import sys, omega_bridge\nrun = omega_bridge.boot({database!r}, {[T, A]!r})\n"
        "print(run.outcome, *sorted({'google', 'omega_bridge.sql', 'omega_bridge.startup.repair'} & set(sys.modules)))"
    )
    with psycopg.connect(database, autocommit=True) as holder:
        holder.execute(f"SELECT pg_advisory_lock({CLASS}, {OBJECT})")
        waiting = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
        while holder.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'omega-bridge'").fetchone() != (3,):
            time.sleep(0.02)
        holder.execute(f"SELECT pg_advisory_unlock({CLASS}, {OBJECT})")
        said = sorted(process.communicate()[0].split() for process in waiting)
    assert said == [["current"], ["current"], ["repaired", "google", "omega_bridge.sql", "omega_bridge.startup.repair"]]


def test_operators_of_others_are_not_used(database: str) -> None:
    """The lock, its proof and the names of blockers resolve nothing through the path: an operator in public is not called."""
    trap = "CREATE FUNCTION trap({0}, {1}) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$"
    operator = "CREATE OPERATOR public.= (FUNCTION = trap, LEFTARG = {0}, RIGHTARG = {1})"
    pairs = [("oid", "int"), ("oid", "regclass"), ("int", "oid"), ("text", "name"), ("smallint", "bigint"), ("text", "varchar")]
    with psycopg.connect(database, autocommit=True) as conn:
        for pair in pairs:
            conn.execute(trap.format(*pair))
            conn.execute(operator.format(*pair))
        with pytest.raises(psycopg.errors.RaiseException):
            conn.execute("SELECT 1::oid = 1")
    with open_session(database) as session, lock.exclusive(session, 1.0):
        session.execute("BEGIN")
        lock.prove(session)
        lock.commit(session)
        assert blockers.suspects(session).by == ()
        with open_session(database) as other, pytest.raises(OmegaBridgeError, match="OB401"), lock.exclusive(other, 0.2):
            pass
