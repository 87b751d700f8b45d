"""An error of the driver never reaches who starts: it is one of ours, with a hint and the server's words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

import omega_bridge
from omega_bridge import Step, environment
from omega_bridge.errors import ConnectionLost, DatabaseUnreachable, OmegaBridgeError, StatementRejected, StepFailed
from omega_bridge.postgres.driver_errors import lost_connection
from omega_bridge.postgres.session import open_session
from omega_bridge.steps import Registry
from tests.integration.test_rows_in_history import configured, exported

STEPS = ["CREATE TABLE IF NOT EXISTS t (id int)"]

FAILURES = {
    "cancelled": ("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)", StatementRejected, "57014"),
    "statement timeout": ("SET statement_timeout = '10ms'; SELECT pg_sleep(5)", StatementRejected, "57014"),
    "terminated": ("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)", ConnectionLost, "ended the connection"),
    "duplicate": ("CREATE TEMP TABLE u (a int UNIQUE); INSERT INTO u VALUES (1), (1)", StatementRejected, "23505"),
    "no such table": ("SELECT * FROM nowhere", StatementRejected, "42P01"),
    "division": ("SELECT 1 / 0", StatementRejected, "22012"),
}


@pytest.mark.parametrize(("query", "kind", "state"), FAILURES.values(), ids=[name.replace(" ", "-") for name in FAILURES])
@pytest.mark.parametrize("way", ["ask", "execute", "connection"])
def test_what_nobody_judged_leaves_as_ours(database: str, query: str, kind: type[OmegaBridgeError], state: str, way: str) -> None:
    """Whichever way a statement was sent: SQLSTATE and words of the server, and something to do."""

    def send() -> None:
        with open_session(database) as session:
            sent: Any = session.connection.execute if way == "connection" else getattr(session, way)
            sent(query)

    with pytest.raises(kind, match=state) as told:
        send()
    assert told.value.hint


def test_a_start_that_is_cancelled_says_so(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading of the catalog may be cancelled like any statement."""
    from omega_bridge.postgres.catalog_reader import CatalogReader

    def cancelled(self: CatalogReader, *_: object, **__: object) -> None:
        raise psycopg.errors.QueryCanceled("canceling statement due to user request")

    monkeypatch.setattr(CatalogReader, "read", cancelled)
    with pytest.raises(StatementRejected, match="canceling statement due to user request") as told:
        omega_bridge.boot(database, STEPS)
    assert "start again" in told.value.hint
    assert isinstance(told.value.__cause__, psycopg.errors.QueryCanceled)


def test_an_error_inside_a_revision_is_one_of_ours(tmp_path: Path, database: str) -> None:
    """``alembic upgrade`` says which revision and step, SQLSTATE and the server's words, and what to do, without a traceback."""
    (tmp_path / "pyproject.toml").write_text("[tool.omega-bridge]\n")
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = alembic\npath_separator = os\n")
    exported(tmp_path / "alembic", [*STEPS, Step("INSERT INTO t SELECT 1 / count(*) FROM t", id="divides")])
    done = subprocess.run(
        [str(Path(sys.executable).parent / "alembic"), "upgrade", "head"],
        cwd=tmp_path, env={**os.environ, "DATABASE_URL": database}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert all(word in told for word in ("OB301", "divides", "22012: division by zero", "hint: Correct the step")), told
    assert "Traceback" not in told
    with pytest.raises(StepFailed) as raised:
        environment.upgrade(configured(tmp_path / "alembic", database), "head")
    assert isinstance(getattr(raised.value.__cause__, "orig", raised.value.__cause__), psycopg.errors.DivisionByZero)


def test_a_later_step_that_mends_the_rows_is_named(tmp_path: Path, database: str) -> None:
    """An upgrade stops where rows bar a step; it names who changes them later, and a start, which goes on, leads to the end."""
    steps = [
        Step("CREATE TABLE IF NOT EXISTS t (id int)", id="table"),
        Step("CREATE UNIQUE INDEX IF NOT EXISTS t_id ON t (id)", id="unique"),
        Step("ALTER TABLE t ADD COLUMN IF NOT EXISTS n int", id="column"),
        Step("DELETE FROM t x USING t y WHERE x.id = y.id AND x.ctid > y.ctid", id="dedupe", destructive=True),
    ]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)")
    exported(tmp_path, [*steps])
    config = configured(tmp_path, database, registry=Registry.of(steps))
    with pytest.raises(StepFailed, match="23505") as raised:
        environment.upgrade(config, "head")
    assert "The step dedupe, later in the list, changes rows" in str(raised.value.hint)
    assert omega_bridge.boot(database, steps).outcome == "repaired"
    environment.upgrade(config, "head")
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT indisunique FROM pg_index WHERE indrelid = 't'::regclass").fetchall() == [(True,)]


def test_a_server_that_refuses_tells_no_password(database: str) -> None:
    """A real refusal, with the password neither in the message nor behind it."""
    with psycopg.connect(database, autocommit=True) as conn:
        user = conn.info.user
    parts = psycopg.conninfo.conninfo_to_dict(database) | {"user": f"{user}-nobody", "password": "zq7w'/@#xk9v"}
    with pytest.raises(DatabaseUnreachable) as told:
        omega_bridge.boot(psycopg.conninfo.make_conninfo("", **parts), STEPS)
    assert "zq7w" not in f"{told.value}{told.value.__cause__}"


SAYS_SO = {
    "nobody there": "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1 connect_timeout=1' PUBLICATION p",
    "connection lost": "CREATE TABLE u (id int); DO $$ BEGIN RAISE 'server closed the connection' USING ERRCODE = '08006'; END $$",
    "shut down": "CREATE TABLE u (id int); DO $$ BEGIN RAISE 'bye' USING ERRCODE = 'admin_shutdown'; END $$",
    "no password": "CREATE TABLE u (id int); DO $$ BEGIN RAISE 'bye' USING ERRCODE = 'invalid_password'; END $$",
}


@pytest.mark.parametrize("name", SAYS_SO)
def test_a_step_that_speaks_of_a_connection_has_not_lost_ours(database: str, tmp_path: Path, name: str) -> None:
    """PostgreSQL rejects it, and the session goes on: so does the start, and an upgrade names the step."""
    steps: list[str | Step] = [*STEPS, Step(SAYS_SO[name], id="speaks"), "CREATE TABLE IF NOT EXISTS behind (id int)"]
    run = omega_bridge.boot(database, steps, on_error="continue")
    assert [str(s.outcome) for s in run.steps] == ["applied", "failed", "applied"]
    exported(tmp_path, steps)
    with pytest.raises(StepFailed, match="speaks"):
        environment.upgrade(configured(tmp_path, database), "head")


def test_a_server_without_ssl_is_told_what_to_do_about_it() -> None:
    """It runs, and the URL is right but for ``sslmode``."""
    said = psycopg.OperationalError("connection failed: server does not support SSL, but SSL was required")
    told = lost_connection(said, "postgresql://me:s3cret@db/x?sslmode=require")
    assert isinstance(told, DatabaseUnreachable)
    assert ("sslmode" in told.hint, "s3cret" in str(told)) == (True, False)
