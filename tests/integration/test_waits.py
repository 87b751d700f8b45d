"""Every wait of a start ends inside its budget, and what the server does for it ends with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import OmegaBridgeError

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, name text)"
V = "CREATE OR REPLACE VIEW v AS SELECT id FROM t"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"
FILL = "UPDATE t SET name = 'x' WHERE name IS NULL"


def execute(database: str, *statements: str) -> None:
    """Run statements, each by itself."""
    with psycopg.connect(database, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


@contextmanager
def open_transaction(database: str, statement: str, name: str = "somebody else") -> Iterator[psycopg.Connection]:
    """A transaction of somebody else that has sent a statement and stays open."""
    with psycopg.connect(database, application_name=name) as conn:
        conn.execute(statement)
        yield conn


LOCKED = {
    "catalog": ([T, V], [T, V, "CREATE TABLE IF NOT EXISTS u (id int)"], "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"),
    "data step": ([T, FILL], [T, FILL], "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"),
    "row of a data step": ([T, FILL], [T, FILL], "UPDATE t SET id = id"),
    "rows of the record": ([T], [T, A], "LOCK TABLE omega_bridge.omega_bridge_ledger IN ACCESS EXCLUSIVE MODE"),
}


@pytest.mark.parametrize(("before", "steps", "lock"), LOCKED.values(), ids=LOCKED)
def test_nothing_waits_beyond_the_budget(database: str, before: list[str], steps: list[str], lock: str) -> None:
    """Whatever a start needs is locked by a transaction that stays open: it ends with exit code 4, and the next one goes on."""
    omega_bridge.boot(database, before)
    execute(database, "INSERT INTO t VALUES (1, NULL)")
    with open_transaction(database, lock), pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, steps, boot_timeout=1.0, table_lock_timeout=0.2)
    assert (told.value.code, told.value.exit_code) == ("OB402", 4)
    assert "somebody else" in told.value.message
    assert omega_bridge.boot(database, steps).outcome in ("repaired", "current")
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM t WHERE name IS NULL").fetchone() == (0 if FILL in steps else 1,)


def test_the_first_question_ends_with_the_budget(database: str) -> None:
    """Where somebody keeps a catalog locked without which nothing can be asked: the start says that it had no answer."""
    omega_bridge.boot(database, [T])
    with open_transaction(database, "LOCK TABLE pg_proc IN ACCESS EXCLUSIVE MODE"), pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [T], boot_timeout=1.0)
    assert told.value.code == "OB201"
    assert "no answer in 1 s" in told.value.message
    assert omega_bridge.boot(database, [T]).outcome == "current"


def test_the_settings_of_the_role_do_not_hit_a_start(database: str) -> None:
    """What a role has set for its queries is not for repairs: neither steps, nor data steps, nor an index built CONCURRENTLY."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    slow = "DO $$ BEGIN PERFORM pg_sleep(0.4); END $$"
    steps = [T, slow, FILL, "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_name ON t (name, pg_sleep_text(id))"]
    execute(
        database,
        "CREATE FUNCTION pg_sleep_text(int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.4); RETURN 'x'; END $$",
        T,
        "INSERT INTO t VALUES (1, NULL)",
        f'ALTER DATABASE "{name}" SET statement_timeout = 300',
        f'ALTER DATABASE "{name}" SET lock_timeout = 1',
        f'ALTER DATABASE "{name}" SET idle_in_transaction_session_timeout = 1',
    )
    run = omega_bridge.boot(database, steps)
    assert [(s.id, s.outcome) for s in run.steps if s.outcome not in ("applied", "already-there")] == []


WORKING = (
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
@pytest.mark.pg(">= 14")
def test_the_servers_work_ends_with_the_client(database: str, how: signal.Signals) -> None:
    """A start is killed, or interrupted, while a step is at work: the server stops, and the lock is free for the next start."""
    steps = [T, "DO $$ BEGIN PERFORM pg_sleep(600); END $$"]
    code = (  # a suite that runs in the background has the interrupt switched off, and so have its children
        "import signal, omega_bridge\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"omega_bridge.boot({database!r}, {steps!r})"
    )
    start = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    with psycopg.connect(database, autocommit=True) as conn:

        def wait_for(count: int) -> None:
            for _ in range(600):
                if conn.execute(WORKING).fetchone() == (count,):
                    return
                time.sleep(0.05)
            pytest.fail(f"the server's work is not as it should be: {conn.execute(WORKING).fetchone()}")

        wait_for(1)
        os.kill(start.pid, how)
        start.wait(30)
        wait_for(0)
    assert omega_bridge.boot(database, [T, A]).outcome == "repaired"


AS_USUAL = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
"""
"""Whatever the tests themselves were told to go on through, as by ``nohup``."""


def ended_by(sent: signal.Signals, main: str, given: list[str], folder: Path, database: str) -> tuple[int, str, str]:
    """The exit code and the output of a command that is sent this while the server works for it; then nobody is left at work."""
    command = subprocess.Popen(
        [sys.executable, "-c", f"{AS_USUAL}{main}\nmain()", *given],
        cwd=folder,
        env={**os.environ, "DATABASE_URL": database},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with psycopg.connect(database, autocommit=True) as conn:
        for _ in range(600):
            if conn.execute(WORKING).fetchone() == (1,):
                break
            time.sleep(0.05)
        command.send_signal(sent)
        out, err = command.communicate(timeout=60)
        assert conn.execute(WORKING).fetchone() == (0,)
    return command.returncode, out, err


@pytest.mark.parametrize(
    ("sent", "code", "told"),
    [
        (signal.SIGINT, 130, "interrupted, "),
        (signal.SIGTERM, 143, "interrupted by SIGTERM, "),
        (signal.SIGHUP, 129, "interrupted by SIGHUP, "),
    ],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_an_interrupted_verb_says_so_in_one_line(
    sent: signal.Signals, code: int, told: str, database: str, tmp_path: Path
) -> None:
    """Ctrl-C on ``boot``, or its end from outside: a line for the person behind the log, nothing of Python's, and nobody is left at work."""
    (tmp_path / "main.py").write_text(f"steps = {[T, 'DO $$ BEGIN PERFORM pg_sleep(600); END $$']!r}\n")
    verb, out, err = ended_by(
        sent, "from omega_bridge.cli import main", ["boot", "--steps", "main.py:steps", "--json"], tmp_path, database
    )
    assert (verb, out) == (code, "")
    assert err.splitlines()[-1].startswith(f"{told}before it was through: what was done is committed and on record")
    assert "Traceback" not in err


def test_an_interrupted_upgrade_says_so_in_one_line(database: str, tmp_path: Path) -> None:
    """Ctrl-C on ``alembic upgrade head``: 130, in which state things are, and nothing of Python's; the server works on nothing."""
    (tmp_path / "main.py").write_text(f"steps = {[T, 'DO $$ BEGIN PERFORM pg_sleep(600); END $$']!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:steps"\n')
    for verb in ("init --yes", "export --no-prove"):
        subprocess.run([sys.executable, "-m", "omega_bridge", *verb.split()], cwd=tmp_path, check=True, capture_output=True)
    command, _, err = ended_by(signal.SIGINT, "from alembic.config import main", ["upgrade", "head"], tmp_path, database)
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    assert (command, err.splitlines()[-1].partition(":")[0]) == (130, "interrupted, before it was through")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "step", ["DO $$ BEGIN PERFORM pg_sleep(600); END $$", "VACUUM t; DO $$ BEGIN PERFORM pg_sleep(600); END $$"]
)
def test_a_cancelled_boot_async_ends_the_servers_work(database: str, step: str) -> None:
    """``asyncio.wait_for`` gives up on a start: its statement is cancelled, its lock is free, and the next start goes on."""
    omega_bridge.boot(database, [T])

    async def impatient() -> None:
        await asyncio.wait_for(omega_bridge.boot_async(database, [T, ("long", step)]), 1.0)

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    with psycopg.connect(database, autocommit=True) as conn:
        for _ in range(600):
            if conn.execute(WORKING).fetchone() == (0,):
                break
            time.sleep(0.05)
        assert conn.execute(WORKING).fetchone() == (0,)
    assert omega_bridge.boot(database, [T, A]).outcome == "repaired"


def test_the_end_of_the_ledger_is_waited_for_within_the_budget(database: str) -> None:
    """Somebody who keeps its row keeps a start for the budget, however many steps it has, and not for ten seconds a step."""
    steps = [(f"make-{n}", f"DO $$ BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS t{n} (id int)'; END $$") for n in range(12)]
    omega_bridge.boot(database, steps[:1])
    started = time.monotonic()
    with psycopg.connect(database) as holder:
        holder.execute("SELECT * FROM omega_bridge.omega_bridge_chain FOR UPDATE")
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(database, steps, boot_timeout=1.0)
    assert told.value.code == "OB402"
    assert time.monotonic() - started < 80, "twelve times ten seconds"
