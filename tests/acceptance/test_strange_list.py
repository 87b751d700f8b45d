"""A list that the project has never seen, from text alone, by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from omega_bridge.catalog import diff
from omega_bridge.embedded import Server
from omega_bridge.postgres.catalog_reader import read_catalog
from tests.fixtures.databases import MakeDatabase

ROOT = Path(__file__).parents[2]
SOURCE = f"{ROOT}/tests/data/lists/orders_main.py:its_list"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In no project, and so without models."""
    monkeypatch.chdir(tmp_path)


def omega(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "omega_bridge", *arguments]
    return subprocess.run(command, cwd=cwd, env={**os.environ}, capture_output=True, text=True, check=False)


def said(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    """The JSON on stdout, once the exit code is what it has to be."""
    assert done.returncode == code, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_plan_boot_plan_status(database: str) -> None:
    """plan says what is pending and changes nothing; boot does it; then plan and status have nothing to say."""
    options = ("--steps", SOURCE, "--database-url", database, "--json")
    plan = said(omega("plan", *options), 1)
    assert [s["id"] for s in plan["steps"]][:3] == ["create-orders", "create-order-lines", "create-products"]
    assert {s["action"] for s in plan["steps"]} == {"run"}
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('orders')").fetchone() == (None,)
    first = said(omega("boot", *options))
    assert first["outcome"] == "repaired"
    assert first["misplaced"] == [{"step": "create-order-lines", "needs": "table products"}]
    assert {s["outcome"] for s in first["steps"]} == {"applied"}
    second = said(omega("boot", *options))
    assert (second["outcome"], second["round_trips"]) == ("current", 2)
    assert [s["id"] for s in said(omega("plan", *options))["steps"] if s["action"] == "run" and s["kind"] != "data"] == []


def test_what_is_sent_is_logged_on_stderr(database: str) -> None:
    """Data goes to stdout, the log to stderr, with the step's id and place in the source."""
    done = omega("boot", "--steps", SOURCE, "--database-url", database)
    assert "[MIGRATION] Applying step" in done.stderr
    assert "create-orders" in done.stderr
    assert "[MIGRATION]" not in done.stdout


def test_export_and_verify(tmp_path: Path, make_database: MakeDatabase, server: Server) -> None:
    """The same list compiles to a history that leads to the same schema, and verify says so."""
    out = tmp_path / "alembic"
    written = said(omega("export", "--steps", SOURCE, "--output", str(out), "--scratch-url", server.url, "--json"))
    assert [r["step"] for r in written["revisions"]].index("create-order-lines") > [
        r["step"] for r in written["revisions"]
    ].index("create-products")
    assert written["coverage"]["unproven"] == 0
    assert said(omega("export", "--check", "--steps", SOURCE, "--output", str(out), "--json"))["written"] == []
    verdict = said(omega("verify", "--steps", SOURCE, "--output", str(out), "--scratch-url", server.url, "--json"))
    assert (verdict["equivalent"], verdict["differences"], verdict["prefixes"]) == (True, [], len(written["revisions"]))
    booted, upgraded = make_database(), make_database()
    said(omega("boot", "--steps", SOURCE, "--database-url", booted, "--json"))
    (tmp_path / "alembic.ini").write_text(f"[alembic]\nscript_location = {out}\nsqlalchemy.url = {upgraded.replace('%', '%%')}\n")
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    catalogs = []
    for url in (booted, upgraded):
        with psycopg.connect(url, autocommit=True) as conn:
            catalogs.append(read_catalog(conn))
    assert diff(*catalogs) == ()


BROKEN = {
    "no such file": ("missing.py:steps", None, "OB101", 2),
    "no such variable": ("main.py:steps", "other = []\n", "OB101", 2),
    "not a list": ("main.py:steps", "steps = 7\n", "OB102", 2),
    "an f-string": ("main.py:steps", "import os\nsteps = [f'SELECT {os.getpid()}']\n", "OB103", 2),
    "an id twice": ("main.py:steps", "steps = [('a', 'SELECT 1'), ('a', 'SELECT 2')]\n", "OB106", 2),
    "no python": ("main.py:steps", "steps = [\n", "OB108", 2),
}


@pytest.mark.parametrize(("source", "text", "code", "exit_code"), BROKEN.values(), ids=[b.replace(" ", "-") for b in BROKEN])
def test_bad_lists_are_told(tmp_path: Path, source: str, text: str | None, code: str, exit_code: int) -> None:
    """Each bad input has a code, a message on stderr and a hint, and no traceback."""
    if text is not None:
        (tmp_path / "main.py").write_text(text)
    done = omega("plan", "--steps", source, "--database-url", "postgresql://nobody@127.0.0.1:1/x", "--json", cwd=tmp_path)
    assert done.returncode == exit_code
    assert json.loads(done.stdout)["error"]["code"] == code
    assert json.loads(done.stdout)["error"]["hint"]
    assert "Traceback" not in done.stderr


def test_a_syntax_error_names_step_line_and_column(tmp_path: Path, database: str) -> None:
    """In a long list the one wrong statement is named with its place in the file and in the step."""
    steps = [f"CREATE TABLE IF NOT EXISTS t{n} (id int)" for n in range(11)] + [
        "CREATE TABLE IF NOT EXISTS u (\n  id int,,\n  b int)"
    ]
    (tmp_path / "main.py").write_text("steps = [\n" + "".join(f"    {s!r},\n" for s in steps) + "]\n")
    done = omega("boot", "--steps", "main.py:steps", "--database-url", database, cwd=tmp_path)
    assert done.returncode == 3
    assert "main.py:13" in done.stderr
    assert "42601" in done.stderr
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (11,)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_passwords_are_never_shown(host: str) -> None:
    """Neither in text nor in JSON, whatever goes wrong with the connection."""
    url = f"postgresql://someone:s3cr3t-word@{host}:1/x"
    for extra in ((), ("--json",)):
        done = omega("boot", "--steps", SOURCE, "--database-url", url, *extra)
        assert done.returncode == 3
        assert "s3cr3t-word" not in done.stdout + done.stderr
        assert f"someone@{host}:1/x" in done.stdout + done.stderr


def test_the_ledger_is_read_and_checked(database: str) -> None:
    """ledger log tells what was done; ledger verify finds a row that somebody changed, and names it."""
    url = ("--database-url", database)
    omega("boot", "--steps", SOURCE, *url)
    entries = said(omega("ledger", "log", *url, "--json"))["entries"]
    assert [e["subject"] for e in entries][:1] == ["create-orders"]
    assert said(omega("ledger", "verify", *url, "--json"))["intact"] is True
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE omega_bridge.omega_bridge_ledger DISABLE TRIGGER omega_bridge_append_only")
        conn.execute("UPDATE omega_bridge.omega_bridge_ledger SET outcome = 'skipped' WHERE seq = 3")
    broken = said(omega("ledger", "verify", *url, "--json"), 1)
    assert (broken["intact"], broken["first_broken"]) == (False, 3)


def test_a_plan_says_what_the_start_would_do(tmp_path: Path, database: str) -> None:
    """Where a start has nothing to send, plan and status say so too, and name what stands refused."""
    steps = [
        "CREATE TABLE IF NOT EXISTS kept (id int PRIMARY KEY)",
        ("drop-kept", "DROP TABLE IF EXISTS kept"),
        "DO $$ BEGIN PERFORM 1 FROM kept; EXECUTE 'COMMENT ON TABLE ' || 'kept' || ' IS NULL'; END $$",
        "INSERT INTO kept VALUES (1) ON CONFLICT DO NOTHING",
    ]
    (tmp_path / "main.py").write_text(f"steps = {steps!r}\n")
    options = ("--steps", "main.py:steps", "--database-url", database, "--json")
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept (id int PRIMARY KEY)")
        conn.execute("INSERT INTO kept VALUES (1)")
    assert said(omega("plan", *options, cwd=tmp_path), 1)["steps"][1]["action"] == "run"
    assert {s["outcome"] for s in said(omega("boot", *options, cwd=tmp_path))["steps"] if s["id"] == "drop-kept"} == {"refused"}
    assert said(omega("boot", *options, cwd=tmp_path))["outcome"] == "current"
    planned = said(omega("plan", *options, cwd=tmp_path))["steps"]
    assert {s["action"] for s in planned if s["kind"] != "data"} == {"skip"}
    assert planned[1]["reason"].startswith("stands refused: would have destroyed table kept (1 row)")
    assert said(omega("status", *options, "--output", "history", cwd=tmp_path), 1)["database"]["pending"] == 0
