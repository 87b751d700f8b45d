"""Data steps: one start at a time, once where that is meant, and what they changed is on record."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

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
