"""The harness itself: what it says of the wire, of locks and of databases is true."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import psycopg
import pytest

from tests.fixtures.databases import MakeDatabase
from tests.fixtures.locks import Lock
from tests.fixtures.server import meets
from tests.fixtures.wire import Tape, wire_proxy


def test_lists_simple_and_extended_statements(sent: Tape) -> None:
    """A statement is listed as it reaches the server, whichever protocol carries it."""
    with psycopg.connect(sent.url, autocommit=True) as conn:
        conn.execute("SELECT 1; SELECT '%'")
        conn.execute("SELECT %s::int", (7,))
    assert sent.queries == ["SELECT 1; SELECT '%'", "SELECT $1::int"]
    assert (sent.round_trips, sent.connections) == (2, 1)


def test_lists_each_execution_of_a_prepared_statement(sent: Tape) -> None:
    """A prepared statement that runs three times is listed three times."""
    with psycopg.connect(sent.url, autocommit=True) as conn:
        for value in range(3):
            conn.execute("SELECT %s::int", (value,), prepare=True)
    assert sent.queries == ["SELECT $1::int"] * 3


def test_a_pipeline_is_one_round_trip(sent: Tape) -> None:
    """Statements that wait for no answer in between cost one round trip."""
    with psycopg.connect(sent.url, autocommit=True) as conn:
        sent.clear()
        with conn.pipeline():
            for value in range(5):
                conn.execute("SELECT %s::int", (value,))
    assert len(sent.queries) == 5
    assert sent.round_trips == 1


def test_a_transaction_is_seen_whole(sent: Tape) -> None:
    """BEGIN and COMMIT that a driver adds are on the tape."""
    with psycopg.connect(sent.url) as conn:
        conn.execute("SELECT 1")
    assert sent.queries == ["BEGIN", "SELECT 1", "COMMIT"]


def test_delay_is_paid_once_in_each_direction(sent: Tape) -> None:
    """A round trip costs at least twice the delay."""
    with psycopg.connect(sent.url, autocommit=True) as conn:
        sent.delay = 0.05
        started = time.monotonic()
        conn.execute("SELECT 1")
        elapsed = time.monotonic() - started
        sent.delay = 0.0
    assert elapsed >= 0.1


def test_asyncpg_goes_through(sent: Tape) -> None:
    """The proxy serves asyncpg too, which prepares before it runs."""

    async def ask() -> int:
        conn = await asyncpg.connect(sent.url)
        try:
            return await conn.fetchval("SELECT $1::int", 5)
        finally:
            await conn.close()

    assert asyncio.run(ask()) == 5
    assert sent.queries[0] == "SELECT $1::int"


def test_large_results_pass_unchanged(sent: Tape) -> None:
    """Answers longer than the proxy's buffer arrive whole."""
    with psycopg.connect(sent.url) as conn:
        row = conn.execute("SELECT repeat('á', 1000000)").fetchone()
    assert row == ("á" * 1_000_000,)


def test_a_second_proxy_counts_for_itself(database: str) -> None:
    """Two tapes on one database do not mix."""
    with wire_proxy(database) as (first, tape), wire_proxy(database) as (_, other):
        with psycopg.connect(first, autocommit=True) as conn:
            conn.execute("SELECT 1")
        assert (tape.queries, other.queries) == (["SELECT 1"], [])


def test_locks_are_named(database: str, locks) -> None:
    """The lock of a session is told with its table and PostgreSQL's word for the mode."""
    with psycopg.connect(database) as conn:
        conn.execute("CREATE TABLE t (id int)")
        conn.commit()
        conn.execute("LOCK TABLE t IN SHARE MODE")
        assert locks(conn.info.backend_pid) == [Lock("relation", "t", "ShareLock", True)]


def test_a_database_is_a_copy_of_its_template(make_database: MakeDatabase) -> None:
    """What the template holds is in the copy, and what the copy gets is not in the template."""
    original = make_database("original")
    with psycopg.connect(original) as conn:
        conn.execute("CREATE TABLE t AS SELECT 1 AS a")
    copy = make_database(template="original")
    with psycopg.connect(copy) as conn:
        assert conn.execute("SELECT a FROM t").fetchall() == [(1,)]
        conn.execute("DROP TABLE t")
    with psycopg.connect(original) as conn:
        assert conn.execute("SELECT a FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("condition", "expected"), [(">= 14", True), ("<14", False), (">=13, <15", True), ("== 14", True), ("!=14", False)]
)
def test_gate_conditions(condition: str, expected: bool) -> None:
    """A test may ask for a range of versions."""
    assert meets(14, condition) is expected


@pytest.mark.pg("< 10")
def test_gate_skips() -> None:
    """A test that asks for another version does not run."""
    raise AssertionError("ran on a version it does not ask for")
