"""Autovacuum in the way of a start: PostgreSQL cancels it, unless it prevents wraparound; a real worker each time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

import omega_bridge
from omega_bridge import OmegaBridgeError
from omega_bridge.embedded import EmbeddedServer

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, name text)"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"
SLOW = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
DEAD = f"ALTER TABLE t SET ({SLOW}, autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0)"
OLD = f"ALTER TABLE t SET ({SLOW}, autovacuum_freeze_max_age = 100000)"
AGE = "DO $$ BEGIN FOR i IN 1..101000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$"
WORKER = "SELECT query FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query ~ 'public\\.t( |$)'"


@pytest.fixture
def vacuumed() -> Iterator[str]:
    """A server whose autovacuum looks every second."""
    with EmbeddedServer(settings={"autovacuum": "on", "autovacuum_naptime": "1s"}) as server:
        yield server.url


def worker(url: str, *statements: str) -> str:
    """Make autovacuum work on the table, for minutes; what its worker says that it does."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 5000) n")
        conn.execute("DELETE FROM t WHERE id % 2 = 0")
        for statement in statements:
            conn.execute(statement)
    with psycopg.connect(url, autocommit=True) as conn:
        for _ in range(1200):
            if found := conn.execute(WORKER).fetchone():
                return str(found[0])
            time.sleep(0.05)
    pytest.fail("autovacuum did not begin")


def test_autovacuum_gives_way(vacuumed: str) -> None:
    """A try of half a second would never see it go: one try waits until PostgreSQL has cancelled it."""
    omega_bridge.boot(vacuumed, [T])
    assert worker(vacuumed, DEAD)
    assert omega_bridge.boot(vacuumed, [T, A]).outcome == "repaired"


@pytest.mark.parametrize(
    "step",
    [
        A,
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_name ON t (name)",
        "REINDEX INDEX CONCURRENTLY t_old",
        "REINDEX TABLE CONCURRENTLY t",
        "DROP INDEX CONCURRENTLY IF EXISTS t_old",
    ],
    ids=["column", "concurrently", "reindex", "reindex table", "drop index"],
)
def test_autovacuum_that_prevents_wraparound_is_named_at_once(vacuumed: str, step: str) -> None:
    """PostgreSQL does not cancel it for anybody, so the start ends after its first try, with the worker's pid and what it does."""
    omega_bridge.boot(vacuumed, [T, "CREATE INDEX IF NOT EXISTS t_old ON t (name)"])
    assert "(to prevent wraparound)" in worker(vacuumed, OLD, AGE)
    started = time.monotonic()
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(vacuumed, [T, step], boot_timeout=600.0)
    assert time.monotonic() - started < 300
    assert told.value.code == "OB402"
    assert "(to prevent wraparound)" in told.value.message
    with psycopg.connect(vacuumed) as conn:
        assert conn.execute(WORKER).fetchone(), "it goes on"
