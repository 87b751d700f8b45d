"""Data steps: one start at a time, once where that is meant, and what they changed is on record."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import omega_bridge
from omega_bridge import Step
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.session import open_session
from tests.fixtures.wire import Tape

T = "CREATE TABLE IF NOT EXISTS t (id int, name text)"
SLOW = "INSERT INTO t SELECT 1, 'x' FROM pg_sleep(0.3) WHERE NOT EXISTS (SELECT FROM t)"
FILL = "UPDATE t SET name = 'filled' WHERE name IS NULL"


def execute(url: str, *texts: str) -> None:
    """Statements by another hand."""
    with psycopg.connect(url, autocommit=True) as conn:
        for text in texts:
            conn.execute(text.encode())


def count(url: str) -> Any:
    """Rows of ``t``."""
    with psycopg.connect(url) as conn:
        return conn.execute("SELECT count(*) FROM t").fetchone()


def recorded(url: str) -> list[tuple[str, Any]]:
    """Each entry of a step, with the rows that it says were changed."""
    with open_session(url) as session:
        entries = list(ledger_store.read(session.connection))
    return [(e.draft.subject, e.draft.detail.get("rows")) for e in entries if e.draft.event == "step"]


@pytest.mark.parametrize("is_known", [False, True], ids=["whole-starts", "starts-with-nothing-else-to-do"])
def test_two_starts_do_not_insert_twice(database: str, is_known: bool) -> None:
    """``INSERT ... WHERE NOT EXISTS`` of the second one sees what the first one inserted."""
    omega_bridge.boot(database, [T, ("slow", SLOW)] if is_known else [T])
    execute(database, "DELETE FROM t")
    starts = [threading.Thread(target=omega_bridge.boot, args=(database, [T, ("slow", SLOW)])) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert count(database) == (1,)


def test_what_they_changed_is_in_the_ledger(database: str) -> None:
    """The number of rows, by a whole start and by one with nothing else to do; and nothing where no row was changed."""
    steps = [
        T,
        ("fill", FILL),
        ("none", "INSERT INTO t SELECT 9, 'x' WHERE false"),
        ("two", "DELETE FROM t WHERE id > 7; " + FILL),
    ]
    execute(database, T, "INSERT INTO t VALUES (1, NULL), (2, NULL), (8, 'x')")
    run = omega_bridge.boot(database, steps)
    assert {s.id: s.rows for s in run.steps if s.rows} == {"fill": 2, "two": 1}
    before = recorded(database)
    assert ("fill", 2) in before
    assert ("two", 1) in before
    omega_bridge.boot(database, steps)
    assert recorded(database) == before
    execute(database, "INSERT INTO t VALUES (3)")
    again = omega_bridge.boot(database, steps)
    assert (again.outcome, {s.id: s.rows for s in again.steps if s.rows}) == ("current", {"fill": 1})
    assert recorded(database) == [*before, ("fill", 1)]


def test_a_mixed_step_runs_once_where_that_is_meant(database: str) -> None:
    """It is not sent again when the list grows or the schema changes."""
    mixed = Step("ALTER TABLE t ADD COLUMN IF NOT EXISTS n int; UPDATE t SET n = coalesce(n, 0) + 1", id="mixed", repeat="once")
    execute(database, T, "INSERT INTO t VALUES (1)")
    omega_bridge.boot(database, [T, mixed])
    execute(database, "ALTER TABLE t ADD COLUMN other int")
    omega_bridge.boot(database, [T, mixed, "CREATE TABLE IF NOT EXISTS u (id int)"])
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT n FROM t").fetchone() == (1,)


LISTS: dict[str, list[Any]] = {
    "one by one": [T, ("bad", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int REFERENCES nowhere"), ("fill", FILL)],
    "together": [f"CREATE TABLE IF NOT EXISTS t{n} (id int)" for n in range(40)],
    "outside": [T, "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_id ON t (id)"],
    "watched": [T, ("drop", "DROP TABLE IF EXISTS old")],
}


@pytest.mark.parametrize("listed", LISTS)
def test_what_a_start_cost_is_what_went_over_the_wire(sent: Tape, listed: str) -> None:
    """Each text and each round trip, in a repair as well."""
    execute(sent.url, "CREATE TABLE old (id int); INSERT INTO old VALUES (1)")
    for _ in range(2):
        sent.clear()
        run = omega_bridge.boot(sent.url, LISTS[listed], on_error="continue")
        assert (run.statements, run.round_trips) == (len(sent.queries), sent.round_trips)
    execute(sent.url, "CREATE TABLE IF NOT EXISTS t (id int, name text)", "INSERT INTO t VALUES (5)")
    sent.clear()
    run = omega_bridge.boot(sent.url, LISTS[listed], on_error="continue")
    assert (run.statements, run.round_trips) == (len(sent.queries), sent.round_trips)


FAILING = {
    "a column that is not there": ("UPDATE t SET other = 1 WHERE name IS NULL", "42703"),
    "a type that does not fit": ("UPDATE t SET id = 'x'::text WHERE name IS NULL", "42804"),
    "no key for the conflict": ("INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO NOTHING", "42P10"),
    "a rule": ("INSERT INTO r (id) VALUES (1) ON CONFLICT (id) DO NOTHING", "0A000"),
}


@pytest.mark.parametrize(("text", "sqlstate"), FAILING.values(), ids=FAILING)
def test_a_step_that_cannot_work_fails_though_it_has_no_row(database: str, text: str, sqlstate: str) -> None:
    """It is sent, and stands failed, as in the loop: that no row would change is no answer to whether it works."""
    execute(database, T, "INSERT INTO t VALUES (1, 'x')", "CREATE TABLE r (id int UNIQUE)", "INSERT INTO r VALUES (1)")
    execute(database, "CREATE RULE r_r AS ON INSERT TO r DO ALSO INSERT INTO t VALUES (2)")
    for _ in range(2):
        run = omega_bridge.boot(database, [("it", text)], on_error="continue")
        assert [(s.outcome, s.error and s.error.sqlstate) for s in run.steps] == [("failed", sqlstate)]


def test_a_role_that_may_not_write_is_told_so_though_there_is_no_row(database: str) -> None:
    """A privilege that is missing is asked for by the plan, not by the question for rows."""
    execute(
        database,
        T,
        "DO $$ BEGIN CREATE ROLE only_reads; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT SELECT ON t TO only_reads",
        "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO only_reads', current_database()); END $$",
    )
    url = database + ("&" if "?" in database else "?") + "options=-crole%3Donly_reads"
    run = omega_bridge.boot(url, [("fill", FILL)], on_error="continue")
    assert [(s.outcome, s.error and s.error.sqlstate) for s in run.steps] == [("failed", "42501")]


ACTING = {
    "before-a-row-that-is-there": "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION noted()",
    "for-each-statement": "CREATE TRIGGER g AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION noted()",
}


@pytest.mark.parametrize("trigger", ACTING.values(), ids=ACTING)
@pytest.mark.parametrize(
    "table", ["TABLE t (id int UNIQUE)", "TABLE t (id int UNIQUE) PARTITION BY LIST (id)"], ids=["plain", "parted"]
)
def test_a_trigger_that_acts_without_a_row_has_the_step_sent(database: str, trigger: str, table: str) -> None:
    """Made by another hand, on the table or on a partition: the step runs at every start, as in the loop."""
    execute(database, f"CREATE {table}", "CREATE TABLE seen (n int)")
    is_parted = "PARTITION" in table
    if is_parted:
        execute(database, "CREATE TABLE part PARTITION OF t FOR VALUES IN (1)")
    execute(
        database,
        "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (1); RETURN NEW; END'",
        trigger.replace(" t ", " part ") if is_parted and "ROW" in trigger else trigger,
        "INSERT INTO t VALUES (1)",
        "TRUNCATE seen",
    )
    for starts in range(1, 4):
        omega_bridge.boot(database, [("it", "INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO NOTHING")])
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT count(*) FROM seen").fetchone() == (starts,)


FURTHER = "INSERT INTO t (id) SELECT 1 WHERE (SELECT count(*) FROM t) < 10"
FIRST = "UPDATE t SET id = 2 WHERE id = 7"
CONTEXTS = {
    "path": (["SET search_path = b"], FURTHER),
    "path-by-a-function": (["SELECT set_config('search_path', 'b', false)"], FURTHER),
    "path-in-a-block": (["DO $$ BEGIN EXECUTE 'SET search_path = b'; END $$"], FURTHER),
    "limits-too": (["SET statement_timeout = '5s'", "SET SESSION search_path TO b", "SET client_min_messages = error"], FURTHER),
    "there-and-back": (["SET search_path = a", FIRST, "SET search_path = b"], FURTHER),
    "asked-first": (["SET search_path = b"], "UPDATE t SET id = id + 1 WHERE id < 10"),
}


@pytest.mark.parametrize(("context", "step"), CONTEXTS.values(), ids=CONTEXTS)
def test_what_a_step_sets_holds_for_data_steps_of_every_start(database: str, context: list[str], step: str) -> None:
    """A start with nothing else to do works where the loop works, and not on the table of that name which the session begins with."""
    execute(database, "CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TABLE a.t (id int)", "CREATE TABLE b.t (id int)")
    execute(database, "INSERT INTO a.t VALUES (1)", "INSERT INTO b.t VALUES (1)")
    url = make_conninfo(database, options="-c search_path=a")
    for starts in range(1, 4):
        run = omega_bridge.boot(url, [*context, ("it", step)])
        assert run.outcome != "degraded"
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT count(*), max(id) FROM a.t").fetchone() == (1, 1)
            (found,) = conn.execute("SELECT count(*) + max(id) FROM b.t").fetchone() or (0,)
            assert found == 2 + starts


def test_a_role_that_a_step_sets_holds_for_data_steps_of_every_start(database: str) -> None:
    """They run as that role, and what they changed is recorded as who started."""
    execute(
        database,
        "DO $$ BEGIN CREATE ROLE writes_rows; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "CREATE TABLE t (id int, who text DEFAULT current_user)",
        "GRANT ALL ON t TO writes_rows",
    )
    for _ in range(3):
        omega_bridge.boot(database, ["SET ROLE writes_rows", ("it", FURTHER)])
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT who, count(*) FROM t GROUP BY 1").fetchall() == [("writes_rows", 3)]
    assert recorded(database).count(("it", 1)) == 3


def test_with_no_row_such_a_start_is_one_question_more(database: str) -> None:
    """What is set is set for the question alone; no lock is taken, and nothing is written."""
    execute(database, "CREATE SCHEMA b", "CREATE TABLE b.t (id int)")
    steps = ["SET search_path = b", ("it", "UPDATE t SET id = 1 WHERE id = 2")]
    omega_bridge.boot(database, steps)
    run = omega_bridge.boot(database, steps)
    assert (run.outcome, run.cost.round_trips) == ("current", 2)


def test_a_right_that_the_role_which_is_set_lacks_fails_the_step(database: str) -> None:
    """Whose rights the session began with are not asked for."""
    execute(database, "DO $$ BEGIN CREATE ROLE only_looks; EXCEPTION WHEN duplicate_object THEN NULL; END $$", T)
    execute(database, "GRANT SELECT ON t TO only_looks")
    run = omega_bridge.boot(database, ["SET ROLE only_looks", ("fill", FILL)], on_error="continue")
    assert [(s.outcome, s.error and s.error.sqlstate) for s in run.steps][1:] == [("failed", "42501")]


def test_nothing_is_lost_by_asking(database: str) -> None:
    """A function that calls itself immutable runs when PostgreSQL plans: what it would take is refused, as when the step runs."""
    execute(
        database,
        T,
        "CREATE TABLE kept (id int)",
        "INSERT INTO kept VALUES (1)",
        "CREATE FUNCTION takes() RETURNS text LANGUAGE plpgsql AS 'BEGIN DROP TABLE kept; RETURN 1; END'",
        "CREATE FUNCTION lies() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN takes(); END'",
    )
    steps = [("fill", "UPDATE t SET name = lies() WHERE name IS NULL")]
    assert [s.outcome for s in omega_bridge.boot(database, steps).steps] == ["refused"]
    omega_bridge.boot(database, steps)
    execute(database, "SELECT FROM kept")


@pytest.mark.parametrize("setting", ["SET timezone = 'Asia/Kolkata'", "RESET ROLE"])
def test_settings_and_the_data_steps_of_every_start_are_no_repair(database: str, setting: str) -> None:
    """Also where a start has to send them in their place: it says that it found everything there."""
    steps = [T, setting, "INSERT INTO t SELECT 1 WHERE NOT EXISTS (SELECT FROM t)"]
    assert [omega_bridge.boot(database, steps).outcome for _ in range(3)] == ["repaired", "current", "current"]


REFRESHED = {
    "alone": "REFRESH MATERIALIZED VIEW names",
    "beside readers": "REFRESH MATERIALIZED VIEW CONCURRENTLY names",
    "in a block": "DO $$ BEGIN REFRESH MATERIALIZED VIEW names; END $$",
}


@pytest.mark.parametrize("name", REFRESHED)
def test_a_materialised_view_is_refreshed_at_every_start(database: str, name: str) -> None:
    """Its rows are of the moment: a start that finds its schema as it was left refreshes them, as the loop would."""
    steps = [
        T,
        "CREATE MATERIALIZED VIEW IF NOT EXISTS names AS SELECT DISTINCT name FROM t",
        "CREATE UNIQUE INDEX IF NOT EXISTS names_name ON names (name)",
        REFRESHED[name],
    ]
    omega_bridge.boot(database, steps)
    execute(database, "INSERT INTO t VALUES (1, 'x')")
    assert omega_bridge.boot(database, steps).outcome == "current"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT name FROM names").fetchall() == [("x",)]
