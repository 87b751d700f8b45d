"""Rows go further than a statement names them: who waits for a table keeps what it reads, whichever way others reach it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.audit.proofs import prover
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.ledger import Outcome
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry

ROWS = "CREATE TABLE t (id int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'x'), (2, 'y'); "
KEPT = "INSERT INTO kept SELECT id, b FROM t"
MAKER = "CREATE TABLE IF NOT EXISTS kept (id int, b text)"
WIPE = "CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'UPDATE t SET b = NULL; SELECT 1'; "
SIDE = "CREATE TABLE side (k int); "

WAYS = {
    "by a function": (ROWS + WIPE, KEPT, "SELECT wipe()"),
    "by a function of a default": (ROWS + WIPE + "CREATE TABLE side (k int, n int DEFAULT wipe()); ", KEPT, "INSERT INTO side VALUES (1)"),
    "by a trigger": (
        ROWS + SIDE + "CREATE FUNCTION wiped() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE t SET b = NULL; RETURN NULL; END'; "
        "CREATE TRIGGER wiped AFTER INSERT ON side FOR EACH ROW EXECUTE FUNCTION wiped()",
        KEPT,
        "INSERT INTO side VALUES (1)",
    ),
    "by computed SQL": (
        ROWS + "CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS "
        "$$ BEGIN EXECUTE 'UPDATE ' || chr(116) || ' SET b = NULL'; RETURN 1; END $$",
        KEPT,
        "SELECT wipe()",
    ),
    "by a rule": (
        ROWS + SIDE + "CREATE RULE wiped AS ON INSERT TO side DO ALSO UPDATE t SET b = NULL",
        KEPT,
        "INSERT INTO side VALUES (1)",
    ),
    "by a key": (
        "CREATE TABLE owner (id int PRIMARY KEY); INSERT INTO owner VALUES (1), (2); "
        "CREATE TABLE t (id int REFERENCES owner ON DELETE CASCADE, b text); INSERT INTO t VALUES (1, 'x'), (2, 'y')",
        KEPT,
        "DELETE FROM owner",
    ),
    "by a parent": (
        "CREATE TABLE p (id int, b text); CREATE TABLE t () INHERITS (p); INSERT INTO t VALUES (1, 'x'), (2, 'y')",
        KEPT,
        "UPDATE p SET b = NULL",
    ),
    "by a partition": (
        "CREATE TABLE t (id int, b text) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1, 2); "
        "INSERT INTO t VALUES (1, 'x'), (2, 'y')",
        KEPT,
        "UPDATE t1 SET b = NULL",
    ),
    "by a view": (ROWS + "CREATE VIEW v AS SELECT * FROM t", KEPT, "UPDATE v SET b = NULL"),
    "through a view": (ROWS + "CREATE VIEW v AS SELECT * FROM t", "INSERT INTO kept SELECT id, b FROM v", "UPDATE t SET b = NULL"),
    "through a function": (
        ROWS + "CREATE FUNCTION f() RETURNS TABLE (id int, b text) LANGUAGE sql AS 'SELECT id, b FROM t'",
        "INSERT INTO kept SELECT * FROM f()",
        "UPDATE t SET b = NULL",
    ),
    "by a WITH query": (ROWS + SIDE, KEPT, "WITH gone AS (DELETE FROM t RETURNING id) INSERT INTO side SELECT id FROM gone"),
    "by a WITH query of a SELECT": (ROWS, KEPT, "WITH gone AS (UPDATE t SET b = NULL RETURNING 1) SELECT count(*) FROM gone"),
    "by an upsert": (ROWS, KEPT, "INSERT INTO t VALUES (1, NULL), (2, NULL) ON CONFLICT (id) DO UPDATE SET b = NULL"),
}  # fmt: skip


def asked(url: str, query: str) -> object:
    """The one value of a query."""
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def made(url: str, text: str) -> None:
    """The text, as another session sends it."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(text.encode())


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_one_waits_for_are_not_reached_in_another_way(database: str, way: str) -> None:
    """A step that waits for its table gets the rows as they were when its turn was, in whatever way a later step changes them."""
    start, reader, spoiler = WAYS[way]
    made(database, start)
    run = omega_bridge.boot(database, [reader, spoiler, MAKER])
    assert asked(database, "SELECT count(b) FROM kept") == 2
    assert [s.outcome for s in run.steps] == [Outcome.APPLIED] * 3


def test_rows_that_nobody_reaches_do_not_wait(database: str) -> None:
    """A step with tables, triggers and functions of its own is sent in its place: only what may reach the rows is held back."""
    made(database, ROWS + "CREATE TABLE other (id int, at timestamptz); "
         "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := now(); RETURN NEW; END'; "
         "CREATE TRIGGER touched BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION touched()")  # fmt: skip
    run = omega_bridge.boot(database, [KEPT, "INSERT INTO other VALUES (1)", "UPDATE other SET id = 2", MAKER])
    assert {s.id: s.pass_ for s in run.steps}["update-other"] == 1


HIDING = "DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT t_b UNIQUE (b); EXCEPTION WHEN OTHERS THEN NULL; END $$"
MENDING = "DELETE FROM t a USING t b WHERE a.b = b.b AND a.id > b.id"
TWICE = "CREATE TABLE t (id int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'x'), (2, 'x')"
IS_THERE = "SELECT count(*) FROM pg_constraint WHERE conname = 't_b'"
TABLE = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, b text)"


def test_what_rows_kept_from_its_effect_is_tried_again_when_they_have_changed(database: str) -> None:
    """A handler hid that rows stood in the way; where a later step of the start takes them away, the next pass does the work."""
    made(database, TWICE)
    run = omega_bridge.boot(database, [TABLE, HIDING, MENDING])
    assert asked(database, IS_THERE) == 1
    assert not run.standing
    assert omega_bridge.boot(database, [TABLE, HIDING, MENDING], retry=True).standing == ()


def test_a_history_tries_again_what_rows_kept_from_its_effect(database: str, tmp_path: Path, server: Server) -> None:
    """The history has such a step once more behind the one that mends the rows, and only once, however often it is exported."""
    (tmp_path / "env.py").write_text("from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n")
    longer = Registry.of([TABLE, HIDING, MENDING, "ALTER TABLE t ADD COLUMN IF NOT EXISTS n int"])
    for registry in (Registry.of([TABLE, HIDING, MENDING]), longer):
        with prover(server) as judge:
            export(analyse(registry), tmp_path, prover=lambda _n, judge=judge: nullcontext(judge))  # type: ignore[misc]
    texts = [p.read_text(encoding="utf-8") for p in (tmp_path / "versions").glob("*.py")]
    assert sum("which changes rows that may have made it fail" in text for text in texts) == 1
    made(database, TWICE)
    config = alembic_border.alembic_config(tmp_path, database)
    config.attributes["omega_bridge_config"] = Config(root=tmp_path)
    config.attributes["omega_bridge_registry"] = (longer, None)
    environment.upgrade(config, "head")
    assert asked(database, IS_THERE) == 1


SHOWN = "CREATE OR REPLACE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.b := {!r}; RETURN NEW; END'"


def test_a_trigger_named_as_its_function_is_not_the_function(database: str) -> None:
    """An edited function is sent alone: its trigger, which bears its name, and a policy and a column of that name are there."""
    steps = [
        TABLE, "ALTER TABLE t ADD COLUMN IF NOT EXISTS touched int", SHOWN.format("one").replace("'one'", "''one''"),
        "DO $$ BEGIN CREATE TRIGGER touched BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touched(); "
        "EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "DO $$ BEGIN CREATE POLICY touched ON t; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    ]  # fmt: skip
    omega_bridge.boot(database, steps)
    steps[2] = SHOWN.format("two").replace("'two'", "''two''")
    run = omega_bridge.boot(database, steps)
    assert [s.id for s in run.steps if s.action == "run"] == ["function-touched"]
    assert (run.passes, run.unsettled) == (1, ())
