"""Steps that refuse a transaction: they wait, leave nothing INVALID for good, and go on where they ended."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command

import omega_bridge
from omega_bridge import OmegaBridgeError, Step, environment
from omega_bridge.errors import StepFailed
from tests.integration.test_rows_in_history import configured, entries, exported

T = "CREATE TABLE IF NOT EXISTS t (id int, name text)"
U = "CREATE TABLE IF NOT EXISTS u (id int)"
INDEX = "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_name ON t (name)"
UNIQUE = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_name ON t (name)"


def query(database: str, text: str) -> list[Any]:
    """The rows of a query."""
    with psycopg.connect(database, autocommit=True) as conn:
        cursor = conn.execute(text)
        return cursor.fetchall() if cursor.description else []


def is_valid(database: str) -> bool | None:
    """Whether the index is valid; ``None`` where there is none."""
    rows = query(database, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('t_name')")
    return rows[0][0] if rows else None


@contextmanager
def older_transaction(database: str, *, ends_after: float | None = None) -> Iterator[None]:
    """A transaction with a snapshot from before, which ``CREATE INDEX CONCURRENTLY`` has to wait for."""
    with psycopg.connect(database, application_name="a long report") as conn:
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t")
        timer = threading.Timer(ends_after, conn.rollback) if ends_after else None
        if timer:
            timer.start()
        yield
        if timer:
            timer.join()


def test_an_index_waits_for_older_transactions(database: str) -> None:
    """Longer than one try at a table's lock: building it concurrently makes nobody queue, so it has the whole budget."""
    omega_bridge.boot(database, [T])
    with older_transaction(database, ends_after=1.5):
        assert omega_bridge.boot(database, [T, INDEX], table_lock_timeout=0.1).outcome == "repaired"
    assert is_valid(database)


def test_an_index_given_up_is_taken_away_or_rebuilt(database: str) -> None:
    """The budget is spent: what is left INVALID is recorded as ours where it cannot be dropped, and the next start rebuilds it."""
    omega_bridge.boot(database, [T])
    with older_transaction(database):
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(database, [T, INDEX], boot_timeout=1.0, table_lock_timeout=0.2)
        assert told.value.code == "OB402"
        assert not is_valid(database)
    assert omega_bridge.boot(database, [T, INDEX]).outcome == "repaired"
    assert is_valid(database)


def test_an_index_that_fails_is_taken_away(database: str) -> None:
    """Rows that are not unique: the INVALID index does not stay, where it would cost every write and bar some."""
    omega_bridge.boot(database, [T])
    query(database, "INSERT INTO t VALUES (1, 'x'), (2, 'x')")
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [T, UNIQUE])
    assert "23505" in told.value.message
    assert is_valid(database) is None
    query(database, "DELETE FROM t WHERE id = 2")
    assert omega_bridge.boot(database, [T, UNIQUE]).outcome == "repaired"


BUILDING = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE INDEX%'"


@pytest.mark.pg(">= 14")
def test_an_index_of_a_killed_start_is_rebuilt(database: str) -> None:
    """The start is killed in the middle of building: the record names the index, and the next start does it again."""
    omega_bridge.boot(database, [T])
    code = f"import omega_bridge\nomega_bridge.boot({database!r}, {[T, INDEX]!r})"
    with older_transaction(database):
        start = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        for _ in range(600):
            if is_valid(database) is False:
                break
            time.sleep(0.05)
        start.send_signal(signal.SIGKILL)
        start.wait(30)
        for _ in range(600):
            if not query(database, BUILDING):
                break
            time.sleep(0.05)
        assert is_valid(database) is False
    assert omega_bridge.boot(database, [T, INDEX]).outcome == "repaired"
    assert is_valid(database)


def test_an_invalid_index_of_somebody_else_is_left_alone(database: str) -> None:
    """What the record does not name may be at work in another session: it is not dropped, and the start says that it is INVALID."""
    omega_bridge.boot(database, [T])
    query(database, "INSERT INTO t VALUES (1, 'x'), (2, 'x')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        query(database, "CREATE UNIQUE INDEX CONCURRENTLY t_name ON t (name)")
    (before,) = query(database, "SELECT 't_name'::regclass::oid")
    run = omega_bridge.boot(database, [T, UNIQUE])
    (told,) = [s for s in run.steps if s.id == "index-t-name"]
    assert (told.outcome, "valid" in told.reason) == ("no-effect", True)
    assert query(database, "SELECT 't_name'::regclass::oid") == [before]


HALF = f"CREATE TABLE IF NOT EXISTS u (n int); INSERT INTO u VALUES (1); {UNIQUE}; UPDATE u SET n = n + 1"


def statements(database: str) -> list[tuple[int, str]]:
    """What the ledger says of single statements."""
    return query(
        database,
        "SELECT (detail->>'statement')::int, outcome FROM omega_bridge.omega_bridge_ledger WHERE event = 'statement' ORDER BY seq",
    )


def test_a_step_goes_on_where_it_ended(database: str) -> None:
    """The third of four statements fails: the first two are recorded and not sent again, and the step ends as one run of it would."""
    omega_bridge.boot(database, [T])
    query(database, "INSERT INTO t VALUES (1, 'x'), (2, 'x')")
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(database, [T, ("half", HALF)])
    assert told.value.code == "OB301"
    (outcome,) = [s for s in told.value.run.steps if s.id == "half"]  # type: ignore[attr-defined]
    assert outcome.reason.startswith("statement 3 of 4: 23505")
    assert statements(database) == [(1, "applied"), (2, "applied"), (3, "begun")]
    assert query(database, "SELECT outcome FROM omega_bridge.omega_bridge_ledger WHERE subject = 'half' AND event = 'step'") == [
        ("failed",)
    ]
    query(database, "DELETE FROM t WHERE id = 2")
    assert omega_bridge.boot(database, [T, ("half", HALF)]).outcome == "repaired"
    assert query(database, "SELECT n FROM u") == [(2,)]
    assert omega_bridge.boot(database, [T, ("half", HALF)]).outcome == "current"
    assert query(database, "SELECT n FROM u") == [(2,)]


def test_a_step_that_was_killed_goes_on(database: str) -> None:
    """Killed between its statements: rows that were written once are not written twice."""
    omega_bridge.boot(database, [T])
    steps = [T, ("half", HALF)]
    code = f"import omega_bridge\nomega_bridge.boot({database!r}, {steps!r})"
    with older_transaction(database):
        start = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        for _ in range(600):
            if is_valid(database) is False:
                break
            time.sleep(0.05)
        start.send_signal(signal.SIGKILL)
        start.wait(30)
    assert omega_bridge.boot(database, steps).outcome == "repaired"
    assert query(database, "SELECT n FROM u") == [(2,)]
    assert is_valid(database)


def test_a_block_that_commits_runs_by_itself(database: str) -> None:
    """Beside a statement that refuses a transaction, one that ends its transaction itself works.

    Nobody can watch which rows it takes: one that is not read to its end is refused unasked.
    """
    commits = "DO $$ BEGIN INSERT INTO u VALUES (1); COMMIT; INSERT INTO u VALUES (2); END $$"
    unread = "DO $$ BEGIN EXECUTE 'INSERT INTO u VALUES (3)'; COMMIT; END $$"
    run = omega_bridge.boot(database, [T, U, ("both", f"{INDEX}; {unread}"), ("read", commits)])
    assert [(s.id, s.outcome) for s in run.steps[2:]] == [("both", "refused"), ("read", "applied")]
    assert query(database, "SELECT count(*) FROM u") == [(2,)]
    run = omega_bridge.boot(database, [T, U, Step(f"{INDEX}; {unread}", id="both", destructive=True), ("read", commits)])
    assert run.steps[2].outcome == "applied"
    assert query(database, "SELECT count(*) FROM u WHERE 3 IN (SELECT * FROM u)") != [(0,)]


def test_an_upgrade_leaves_an_invalid_index_of_somebody_else_alone(database: str, tmp_path: Path) -> None:
    """The revision stands failed and nothing is dropped; one that an upgrade of ours left is built anew."""
    query(database, f"{T}; INSERT INTO t VALUES (1, 'x'), (2, 'x')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        query(database, "CREATE UNIQUE INDEX CONCURRENTLY t_name ON t (name)")
    (before,) = query(database, "SELECT 't_name'::regclass::oid")
    exported(tmp_path, [T, UNIQUE])
    environment.upgrade(configured(tmp_path, database), "head")
    assert entries(database)[-1][2] == "failed"
    assert "INVALID" in entries(database)[-1][3]["error"]["message"]
    script = io.StringIO()
    config = configured(tmp_path, database)
    config.output_buffer = script
    command.upgrade(config, "head", sql=True)
    block = next(s for s in script.getvalue().split(";\n\n") if "is INVALID" in s)
    with pytest.raises(psycopg.DatabaseError, match="record does not name it"):
        query(database, block)
    assert query(database, "SELECT 't_name'::regclass::oid") == [before]
    query(database, "DROP INDEX t_name; DELETE FROM alembic_version")
    with pytest.raises(StepFailed, match="23505"):
        environment.upgrade(configured(tmp_path, database), "head")
    assert is_valid(database) is False
    query(database, block)
    assert is_valid(database) is None
    with pytest.raises(StepFailed, match="23505"):
        environment.upgrade(configured(tmp_path, database), "head")
    query(database, "DELETE FROM t WHERE id = 2")
    environment.upgrade(configured(tmp_path, database), "head")
    assert is_valid(database)
    assert entries(database)[-1][1:3] == ("upgrade", "applied")


PARTED = (
    "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE q PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1)"
)
ALONE = {
    "a partition": pytest.param("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", marks=pytest.mark.pg(">= 14")),
    "indexes of a schema": "REINDEX SCHEMA public",
    "indexes of what is partitioned": pytest.param("REINDEX TABLE p", marks=pytest.mark.pg(">= 14")),
    "clustered tables": "CLUSTER",
    "a session's all": "DISCARD ALL",
    "an isolation level": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
}


@pytest.mark.parametrize("step", ALONE.values(), ids=ALONE)
def test_what_refuses_a_transaction_gets_none(database: str, step: str) -> None:
    """As in the loop, which sends each step in autocommit: it is applied, and the next start has nothing to do."""
    query(database, PARTED)
    run = omega_bridge.boot(database, [T, ("alone", step)])
    assert [(s.id, s.outcome) for s in run.steps] == [("create-t", "applied"), ("alone", "applied")]
    assert omega_bridge.boot(database, [T, ("alone", step)]).outcome == "current"


@pytest.mark.parametrize("step", [*list(ALONE.values())[:-1]], ids=list(ALONE)[:-1])
def test_what_refuses_a_transaction_gets_none_in_an_upgrade(database: str, tmp_path: Path, psql: str, step: str) -> None:
    """Nor in what ``--sql`` writes; the lock is held to the end."""
    query(database, PARTED)
    exported(tmp_path, [T, ("alone", step), U])
    environment.upgrade(configured(tmp_path, database), "head")
    assert "failed" not in {e[2] for e in entries(database)}
    query(database, "DROP TABLE t, u, alembic_version")
    out = io.StringIO()
    config = configured(tmp_path, database)
    config.output_buffer = out
    command.upgrade(config, "head", sql=True)
    if "DETACH" in step:
        query(database, "ALTER TABLE p ATTACH PARTITION q FOR VALUES IN (1)")
    done = subprocess.run(
        [psql, "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input=out.getvalue(), text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
