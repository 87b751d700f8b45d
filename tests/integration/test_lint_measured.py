"""``lint`` with servers: the second run measured beside what was foreseen, and findings weighed with the sizes of tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from omega_bridge.analysis import analyse
from omega_bridge.audit.measured import Measured, Verdict, measured
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.cli.app import app
from omega_bridge.config import load_config
from omega_bridge.lint import listing
from omega_bridge.revisions.models import with_models
from omega_bridge.sources import load
from omega_bridge.steps import Registry
from tests.fixtures.server import Server

ROOT = Path(__file__).parents[2]
ABSENT = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('t') AND attname = 'a'"


def run(server: Server, *steps: str) -> list[Measured]:
    """The second run of a list."""
    return list(measured(listing(analyse(Registry.of(list(steps)))), GivenServer(server.url)))


STEPS = {
    "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY)": (Verdict.CONFIRMED, ()),
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int": (Verdict.CONFIRMED, ("ACCESS EXCLUSIVE public.t",)),
    "CREATE INDEX IF NOT EXISTS i ON t (a)": (Verdict.CONFIRMED, ("SHARE public.t",)),
    "COMMENT ON TABLE t IS 'x'": (Verdict.CONFIRMED, ("SHARE UPDATE EXCLUSIVE public.t",)),
    "DROP TRIGGER IF EXISTS g ON t": (Verdict.CONFIRMED, ()),
    f"DO $$ BEGIN IF NOT EXISTS ({ABSENT}) THEN ALTER TABLE t ADD COLUMN a int; END IF; END $$": (Verdict.CONFIRMED, ()),
    "UPDATE t SET a = 1 WHERE a IS NULL": (Verdict.CONFIRMED, ()),
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS j ON t (a)": (Verdict.NOT_PREDICTED, None),
    "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ALTER a SET DEFAULT 1', 't'); END $$": (
        Verdict.NOT_PREDICTED,
        ("ACCESS EXCLUSIVE public.t",),
    ),
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)": (Verdict.CONFIRMED, None),
}


def test_each_step_is_measured_beside_what_was_foreseen(server: Server) -> None:
    """Locks from pg_locks, with the verdict; an error that was foreseen is confirmed, what nothing was said of is not judged."""
    seen = run(server, *STEPS)
    assert [(m.verdict, m.measure.locks) for m in seen] == list(STEPS.values())
    assert seen[-1].measure.error == "42710"
    assert all(m.measure.seconds > 0 and m.measure.wal >= 0 and not m.measure.rewritten for m in seen)


def test_a_rewrite_at_every_start_is_seen(server: Server) -> None:
    """The table has a new file after the second run, and bytes of WAL for it."""
    (_, column, rewrite) = run(
        server,
        "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY, a text)",
        "ALTER TABLE t ALTER a TYPE text",
        'DO $$ BEGIN ALTER TABLE t ALTER a TYPE varchar(5); ALTER TABLE t ALTER a TYPE text COLLATE "C"; TRUNCATE t; END $$',
    )
    assert column.measure.rewritten == ()
    assert rewrite.measure.rewritten == ("public.t",)
    assert rewrite.measure.wal > 0


def test_what_is_otherwise_than_foreseen_is_told(server: Server) -> None:
    """A trigger that locks more than its statement does: the words are read, the server is asked."""
    seen = run(
        server,
        "CREATE TABLE IF NOT EXISTS t (id uuid PRIMARY KEY, a int); CREATE TABLE IF NOT EXISTS u (id uuid PRIMARY KEY)",
        "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN LOCK TABLE u; RETURN NULL; END'",
        "CREATE OR REPLACE TRIGGER g AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION f()"
        if server.major >= 14
        else "DROP TRIGGER IF EXISTS g ON t; CREATE TRIGGER g AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION f()",
        "UPDATE t SET a = 1 WHERE a IS NULL",
    )
    assert (seen[-1].verdict, seen[-1].measure.locks) == (Verdict.MISMATCH, ("ACCESS EXCLUSIVE public.u",))


@pytest.mark.pg(">= 15")
def test_the_reference_list_is_as_foreseen(server: Server) -> None:
    """Of a real list nothing that was foreseen is otherwise, and most of it was foreseen."""
    config = load_config(start=ROOT)
    own = load(str(config.steps), root=ROOT, python_path=config.python_paths)
    registry = with_models(own, config.load_metadata())
    seen = measured(listing(analyse(registry), len(registry) - len(own)), GivenServer(server.url))
    assert [m.step for m in seen if m.verdict is Verdict.MISMATCH] == []
    assert sum(m.verdict is Verdict.CONFIRMED for m in seen) > len(seen) / 2


def test_the_verb_prints_the_second_run(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the findings, and under a key of its own in JSON."""
    (tmp_path / "main.py").write_text(f"steps = {list(STEPS)[:3]!r}\n")
    monkeypatch.chdir(tmp_path)
    asked = ["lint", "--steps", "main.py:steps", "--measured", "--scratch-url", server.url]
    assert "3 confirmed" in CliRunner().invoke(app, asked).output
    found = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)["measured"]
    assert found[1] | {"wal_bytes": 0, "seconds": 0} == {
        "step": "t-a",
        "predicted": ["ACCESS EXCLUSIVE t"],
        "locks": ["ACCESS EXCLUSIVE public.t"],
        "rewritten": [],
        "wal_bytes": 0,
        "seconds": 0,
        "error": None,
        "verdict": "confirmed",
    }


LIST = """steps = [
    "CREATE TABLE IF NOT EXISTS large (id uuid PRIMARY KEY, a int)",
    "CREATE INDEX IF NOT EXISTS i ON large (a)",
    "CREATE INDEX IF NOT EXISTS j ON small (a)",
    "CREATE INDEX IF NOT EXISTS k ON elsewhere (a)",
]
"""


def weighed(*options: str) -> dict[str, tuple[str, Any]]:
    """By step, the severity and the weight of what blocking-index says."""
    shown = CliRunner().invoke(app, ["lint", "--steps", "main.py:steps", "--select", "blocking-index", "--json", *options])
    assert shown.exit_code == 0, shown.output
    return {f["step"]: (f["severity"], f["weight"]) for f in json.loads(shown.stdout)["findings"]}


def test_sizes_weigh_findings(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small table is a note, a large one stays a warning although the list makes it; kept in a file it is the same without the database."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE small (a int); INSERT INTO small VALUES (1); CREATE TABLE large (id uuid PRIMARY KEY, a int)")
        conn.execute("INSERT INTO large SELECT gen_random_uuid(), n FROM generate_series(1, 20000) n")
        conn.execute("ANALYZE small, large")
    (tmp_path / "main.py").write_text(LIST)
    monkeypatch.chdir(tmp_path)
    assert set(weighed()) == {"index-j", "index-k"}
    found = weighed("--database-url", database, "--sizes", "sizes.json")
    assert {step: (severity, weight and weight["rows"]) for step, (severity, weight) in found.items()} == {
        "index-i": ("warning", 20000),
        "index-j": ("note", 1),
        "index-k": ("warning", None),
    }
    assert found["index-i"][1]["bytes"] > 1_000_000
    assert weighed("--sizes", "sizes.json") == found
    text = (
        CliRunner()
        .invoke(app, ["lint", "--steps", "main.py:steps", "--select", "blocking-index", "--sizes", "sizes.json"])
        .output
    )
    assert "weight: large: about 20,000 rows" in text


def test_a_file_without_sizes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that writes one."""
    (tmp_path / "main.py").write_text(LIST)
    (tmp_path / "sizes.json").write_text("[]")
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, ["lint", "--steps", "main.py:steps", "--sizes", "sizes.json"]).exception
    assert "--database-url URL --sizes FILE" in str(getattr(error, "hint", ""))


def test_a_list_without_a_url_asks_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL in the environment is for other verbs: lint stays without a server unless it is named one."""
    (tmp_path / "main.py").write_text(LIST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@localhost:1/nothing")
    assert weighed()["index-j"] == ("warning", None)


def test_the_types_of_the_database_are_known(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference to a table that only the database has, of another type than its key."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE legacy (id uuid PRIMARY KEY)")
    (tmp_path / "main.py").write_text('steps = ["ALTER TABLE t ADD COLUMN IF NOT EXISTS legacy_id int REFERENCES legacy (id)"]\n')
    monkeypatch.chdir(tmp_path)
    asked = ["lint", "--steps", "main.py:steps", "--select", "reference-type-differs"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    shown = CliRunner().invoke(app, [*asked, "--database-url", database])
    assert shown.exit_code == 1
    assert "legacy.id, is uuid" in shown.output
