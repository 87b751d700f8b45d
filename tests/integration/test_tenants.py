"""Many tenants in one database, each in a schema of its own: a state, a lock and a "once" for each of them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import omega_bridge
from omega_bridge import Step
from omega_bridge.postgres.fast_path import sentinel
from omega_bridge.postgres.session import open_session

STEPS: list[Any] = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a int)",
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'touched' AND tgrelid = 't'::regclass) THEN"
    " CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    " CREATE TRIGGER touched BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch(); END IF; END $$",
    "COMMENT ON TABLE t IS 'things'",
    "UPDATE t SET a = 7 WHERE a IS NULL",
    Step("INSERT INTO t SELECT count(*), 1 FROM t", id="once", repeat="once"),
]
TENANTS = ("public", "one", "two", "Three's")


@pytest.fixture
def tenants(database: str) -> list[str]:
    """A URL for each tenant."""
    with psycopg.connect(database, autocommit=True) as conn:
        for name in TENANTS[1:]:
            conn.execute(f'CREATE SCHEMA "{name}"'.encode())
    return [make_conninfo(database, options=f'-csearch_path="{name}"'.replace(" ", "\\ ")) for name in TENANTS]


@pytest.mark.parametrize("watched", ["catalogs", "sentinel"])
def test_all_of_them_start_with_one_round_trip(database: str, tenants: list[str], watched: str) -> None:
    """Whichever came last; and where one is changed by hand, that one is repaired and the others go on as before."""
    if watched == "sentinel":
        with open_session(database) as session:
            sentinel.install(session)
    for url in tenants:
        assert omega_bridge.boot(url, STEPS).outcome == "repaired"
    for url in tenants:
        assert (omega_bridge.boot(url, STEPS).outcome, omega_bridge.boot(url, STEPS).round_trips) == ("current", 2)
    with psycopg.connect(tenants[1], autocommit=True) as conn:
        conn.execute("COMMENT ON TABLE t IS 'other'")
    assert [omega_bridge.boot(url, STEPS).round_trips == 2 for url in tenants] == [True, False, True, True]


def test_once_is_once_in_each_of_them(tenants: list[str]) -> None:
    """A step that ran in one schema has not run in another."""
    for _ in range(2):
        for url in tenants:
            omega_bridge.boot(url, STEPS)
    for url in tenants:
        with psycopg.connect(url) as conn:
            assert conn.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_new_tenant_disturbs_no_other(database: str, tenants: list[str]) -> None:
    """Its tables have the names of theirs."""
    for url in tenants:
        omega_bridge.boot(url, STEPS)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA late; CREATE TABLE late.t (id int, a int)")
    omega_bridge.boot(make_conninfo(database, options="-csearch_path=late"), STEPS, on_error="continue")
    assert [omega_bridge.boot(url, STEPS).round_trips for url in tenants] == [2] * len(tenants)
