"""Of each step: whether it holds, since when, by which driver, in which revision; and what was not looked at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from omega_bridge.cli.app import run
from omega_bridge.embedded import Server

STEPS = {
    "make-t": "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
    "add-a": "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text",
    "fill": "UPDATE t SET a = 'x' WHERE a IS NULL",
    "refer": "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int REFERENCES other (id)",
}
Verb = Callable[..., tuple[int, Any]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of a table, a column, rows, and a step that PostgreSQL rejects on an empty database."""
    (tmp_path / "main.py").write_text(f"migration_steps = {list(STEPS.items())!r}\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def verb(project: Path, database: str, server: Server, capsys: pytest.CaptureFixture[str]) -> Verb:
    """A verb's exit code, and what it printed as JSON."""

    def called(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run(
                [
                    *arguments,
                    "--json",
                    *(["--scratch-url", server.url] if arguments[0] == "export" else ["--database-url", database]),
                ]
            )
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out)

    return called


def execute(url: str, text: str) -> None:
    """A statement by another hand."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(text.encode())


def by_step(found: Any) -> dict[str, Any]:
    """What is told of each step."""
    return {s["id"]: s for s in found["steps"]}


def test_each_step_says_whether_it_holds_and_how_it_came(verb: Verb, database: str) -> None:
    """What a start made, what it rejected, what it found there; rows, and what fails on an empty database, are not vouched for."""
    assert verb("export")[0] == 0
    execute(database, STEPS["make-t"])
    verb("boot", "--on-error", "continue")
    code, found = verb("status")
    told = by_step(found)
    assert code == 1
    assert {name: s["holds"] for name, s in told.items()} == {"make-t": True, "add-a": True, "fill": None, "refer": False}
    assert (told["make-t"]["by"], told["add-a"]["by"], told["refer"]["by"]) == ("found", "boot", None)
    assert told["add-a"]["since"]
    assert told["refer"]["since"] is None
    assert "stands failed" in told["refer"]["why"]
    assert "rows" in told["fill"]["why"]
    assert all(s["revision"] for s in told.values())
    execute(database, "CREATE TABLE other (id int PRIMARY KEY)")
    verb("boot")
    refer = by_step(verb("status")[1])["refer"]
    assert (refer["holds"], refer["by"], "only its text was compared" in refer["why"]) == (None, "boot", True)


def test_a_step_does_not_hold_where_drift_denies_it(verb: Verb, database: str) -> None:
    """With the same count of differences, and the same words for what was not looked at."""
    verb("export")
    execute(database, "CREATE TABLE other (id int PRIMARY KEY)")
    verb("boot")
    before = by_step(verb("status")[1])["add-a"]["since"]
    execute(database, "ALTER TABLE t ALTER COLUMN a TYPE varchar(5)")
    code, found = verb("status")
    drift = verb("drift")[1]
    told = by_step(found)["add-a"]
    assert (code, told["holds"], "type is character varying(5)" in told["why"]) == (1, False, True)
    assert (len(drift["differences"]), found["not_looked_at"]) == (found["database"]["differences"], drift["not_looked_at"])
    execute(database, "ALTER TABLE t DROP COLUMN a")
    assert by_step(verb("status")[1])["add-a"]["holds"] is False
    verb("boot")
    again = by_step(verb("status")[1])["add-a"]
    assert (again["holds"], again["since"] > before) == (True, True)


def test_what_alembic_did_is_told_as_its_own(verb: Verb, project: Path, database: str) -> None:
    """And what it took back holds no longer."""
    steps = [*STEPS.items(), ("add-c", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int")]
    (project / "main.py").write_text(f"migration_steps = {steps!r}\n")
    execute(database, "CREATE TABLE other (id int PRIMARY KEY)")
    with pytest.raises(SystemExit):
        run(["init", "--yes"])
    verb("export")
    environment = {**os.environ, "OMEGA_BRIDGE_DATABASE_URL": database}
    alembic = [sys.executable, "-m", "alembic"]
    subprocess.run([*alembic, "upgrade", "head"], env=environment, check=True, capture_output=True)
    told = by_step(verb("status")[1])
    assert {told[name]["by"] for name in ("make-t", "add-a", "add-c")} == {"alembic"}
    subprocess.run([*alembic, "downgrade", "-1"], env=environment, check=True, capture_output=True)
    told = by_step(verb("status")[1])
    assert (told["add-a"]["holds"], told["add-c"]["holds"], told["add-c"]["by"]) == (True, False, None)


def test_without_a_schema_to_compare_with_nothing_is_vouched_for(verb: Verb, database: str) -> None:
    """What is there by its name alone is not known to hold, and that is said."""
    execute(database, "CREATE TABLE other (id int PRIMARY KEY)")
    verb("boot")
    found = verb("status")[1]
    assert {s["holds"] for s in found["steps"]} == {None}
    assert found["database"]["differences"] is None
    assert "attributes" in found["not_looked_at"][0]


def test_the_text_names_what_does_not_hold(verb: Verb, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A few lines; every step with --all."""
    verb("boot", "--on-error", "continue")

    def lines(*arguments: str) -> list[str]:
        capsys.readouterr()
        with pytest.raises(SystemExit):
            run(["status", "--database-url", database, *arguments])
        return capsys.readouterr().out.splitlines()

    short, whole = lines(), lines("--all")
    assert next(line for line in short if line.startswith("steps ")) == "steps     0 hold, 1 do not, 3 not known"
    assert any(line.startswith("  does not hold: refer: stands failed") for line in short)
    assert any(line.startswith("not looked at: attributes") for line in short)
    header = next(n for n, line in enumerate(whole) if line.startswith("step "))
    assert [line.split()[0] for line in whole[header + 1 : header + 5]] == list(STEPS)


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_it_watches_until_it_is_ended(form: list[str], verb: Verb, project: Path, database: str) -> None:
    """A line for each change, or a document a line; Ctrl-C ends it at once, with 130 and no traceback."""
    command = [sys.executable, "-m", "omega_bridge", "status", "--database-url", database, "--watch", "--interval", "0.05", *form]
    code = f"import runpy, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv = {command[2:]!r}; "
    code += "runpy.run_module('omega_bridge', run_name='__main__', alter_sys=True)"  # a shell's background job ignores the signal
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            first = process.stdout.readline()
            verb("boot", "--on-error", "continue")
            for line in process.stdout:
                if "refer stands failed" in line:
                    break
        finally:
            process.send_signal(signal.SIGINT)
        ended, said = process.wait(), process.stderr.read()
    assert (ended, "Traceback" in said) == (130, False)
    assert (json.loads(first)["database"]["pending"] == 3) if form else (" registry " in first)
