"""The reference list, its models and a database: ``drift`` and ``check`` by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from omega_bridge.embedded import Server

ROOT = Path(__file__).parents[2]


def omega(*arguments: str, cwd: Path = ROOT, **environment: str) -> tuple[int, Any]:
    """The command line with JSON: exit code and what it says."""
    command = [sys.executable, "-m", "omega_bridge", *arguments, "--json"]
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def told(differences: list[dict[str, Any]]) -> set[tuple[str, str, str | None, str]]:
    """What each difference is about."""
    return {
        (d["what"], f"{d['table']}.{d['name']}" if d["table"] else d["name"], d["attribute"], d["by"].partition("-")[0])
        for d in differences
    }


def test_drift_of_a_database_that_people_worked_on(database: str) -> None:
    """After a start there is none; each thing that a hand changed is told, with who promised it; what it added stands apart."""
    assert omega("boot", DATABASE_URL=database)[0] == 0
    code, found = omega("drift", DATABASE_URL=database)
    assert (code, found) == (0, {"differences": [], "unclaimed": []})
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "ALTER TABLE tenants DROP COLUMN openai_api_key, ADD COLUMN by_hand int, ALTER timezone DROP DEFAULT;"
            "ALTER TABLE users ALTER email TYPE text; ALTER TABLE agents DROP COLUMN model; DROP INDEX uq_handoff_tenant;"
            "DROP TABLE chat_media; CREATE TABLE by_hand (a int)"
        )
    code, found = omega("drift", DATABASE_URL=database)
    assert code == 1
    assert told(found["differences"]) == {
        ("missing", "tenants.openai_api_key", None, "tenants"),
        ("different", "tenants.timezone", "default", "tenants"),
        ("different", "users.email", "type", "models"),
        ("missing", "agents.model", None, "models"),
        ("missing", "uq_handoff_tenant", None, "drop"),
        ("missing", "chat_media", None, "create"),
    }
    assert [(u["kind"], u["table"], u["name"]) for u in found["unclaimed"]] == [
        ("column", "tenants", "by_hand"),
        ("table", None, "by_hand"),
    ]


def test_a_start_ends_the_drift_of_a_legacy_database(database: str) -> None:
    """What is left afterwards is what the start refused for the sake of rows."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute((ROOT / "examples" / "nexus" / "legacy.sql").read_bytes())
    assert len(omega("drift", DATABASE_URL=database)[1]["differences"]) > 30
    omega("boot", DATABASE_URL=database)
    assert told(omega("drift", DATABASE_URL=database)[1]["differences"]) == {("different", "system_events.id", "type", "create")}


def test_drift_changes_nothing(database: str) -> None:
    """Not even the bridge's own schema is there afterwards."""
    omega("drift", DATABASE_URL=database)
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regnamespace('omega_bridge'), to_regclass('tenants')").fetchone() == (None, None)


def test_the_reference_project_passes_the_gate() -> None:
    """Committed as it is: no error, a history that is fresh, steps that lead to the models; with --strict it does not pass."""
    code, found = omega("check")
    assert (code, found["ok"]) == (0, True)
    assert [(c["name"], c["ok"]) for c in found["checks"]] == [("lint", True), ("export", True), ("models", True)]
    assert [c["ok"] for c in omega("check", "--strict")[1]["checks"]] == [False, True, True]


PROJECT = """
[tool.omega-bridge]
steps = "main.py:steps"
metadata = "project_models_{name}:metadata"
"""
MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table, Text
metadata = MetaData()
Table("t", metadata, Column("id", Integer, primary_key=True), Column("a", Text))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project whose list makes what its models say, exported."""
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(name="own"))
    (tmp_path / "project_models_own.py").write_text(MODELS)
    write(tmp_path, "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text")
    assert omega("export", "--no-prove", cwd=tmp_path)[0] == 0
    return tmp_path


def write(folder: Path, *steps: str) -> None:
    """The project's list."""
    (folder / "main.py").write_text(f"steps = {list(steps)!r}\n")


def checks(folder: Path, *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The gate: exit code, and its checks by name."""
    code, found = omega("check", *options, cwd=folder)
    assert found["ok"] is (code == 0)
    return code, {c["name"]: c for c in found["checks"]}


def test_each_check_says_no_for_itself(project: Path) -> None:
    """A list that has moved on, a column that no step makes, an error among the findings, a tampered history."""
    assert checks(project)[0] == 0
    write(
        project, "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS b text NOT NULL"
    )
    code, found = checks(project)
    assert code == 1
    assert [c["ok"] for c in found.values()] == [False, False, False]
    assert "not-null-without-default" in found["lint"]["told"]
    assert "omega-bridge export" in found["export"]["told"]
    assert told(found["models"]["differences"]) == {("missing", "t.a", None, "models")}
    revision = next((project / "alembic" / "versions").glob("0001*.py"))
    revision.write_text(revision.read_text() + "# touched\n")
    assert revision.name in checks(project)[1]["export"]["told"]


def test_what_only_a_server_can_tell_is_asked_of_a_scratch_database(project: Path, server: Server) -> None:
    """A column that dynamic SQL makes is there; one that it does not make is missing."""
    table = "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY)"
    write(project, table, "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS %I text', 't', 'a'); END $$")
    assert checks(project, "--scratch-url", server.url)[1]["models"]["ok"] is True
    write(project, table, "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS %I text', 't', 'b'); END $$")
    models = checks(project, "--scratch-url", server.url)[1]["models"]
    assert told(models["differences"]) == {("missing", "t.a", None, "models")}


def test_lint_ignore_is_the_projects_word(project: Path) -> None:
    """A rule that the project does not hold to fails no gate, and lint does not speak of it."""
    write(
        project, "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text NOT NULL"
    )
    assert omega("lint", cwd=project)[0] == 1
    assert [f["rule"] for f in omega("lint", cwd=project)[1]["findings"]] == ["not-null-without-default"]
    with (project / "pyproject.toml").open("a") as config:
        config.write('lint-ignore = ["not-null-without-default"]\n')
    assert omega("lint", cwd=project) == (0, {"findings": []})
    assert checks(project)[1]["lint"]["ok"] is True


def test_lint_speaks_to_editors(tmp_path: Path) -> None:
    """A line is file:line: severity rule: step: message, with a hint below; --strict fails on a note."""
    (tmp_path / "main.py").write_text('steps = [\n    "SELECT 1",\n    "TRUNCATE t",\n    "SELECT 1",\n]\n')
    command = [sys.executable, "-m", "omega_bridge", "lint", "--steps", "main.py:steps"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "main.py:3: warning destructive-drop: truncate-t: empties table t with the rows in it"
    assert lines[1].startswith("    hint: ")
    assert lines[-1] == "1 warning, 1 note"
    assert omega("lint", "--steps", "main.py:steps", "--select", "duplicate-step", "--strict", cwd=tmp_path)[0] == 1
    assert (
        omega(
            "lint",
            "--steps",
            "main.py:steps",
            "--ignore",
            "duplicate-step",
            "--ignore",
            "destructive-drop",
            "--strict",
            cwd=tmp_path,
        )[0]
        == 0
    )


def test_what_findings_say_to_write_runs(database: str) -> None:
    """The steps that the findings about the reference list show run on a database that the list repaired, and leave it as it is."""
    omega("boot", DATABASE_URL=database)
    findings = omega("lint")[1]["findings"]
    with psycopg.connect(database, autocommit=True) as conn:
        for text in (text for f in findings if f["rule"] != "destructive-drop" for text in f["instead"]):
            conn.execute(text.encode())
    assert omega("drift", DATABASE_URL=database)[0] == 0
