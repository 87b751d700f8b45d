"""What steps of unknown effect make in schemas that no text names: its loss is seen, and made good as the loop would."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import Step
from omega_bridge.analysis import analyse
from omega_bridge.audit.expected import make
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.embedded import Server
from omega_bridge.expectation_file import keep
from omega_bridge.postgres import clean_state, elsewhere, ledger_store
from omega_bridge.steps import Registry

DYNAMIC = (
    "DO $$ DECLARE s text := 'tenant_' || 'one'; BEGIN EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', s); "
    "EXECUTE format('CREATE TABLE IF NOT EXISTS %I.t (id int)', s); END $$"
)
CALLED = (
    "CREATE OR REPLACE FUNCTION mk() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN EXECUTE 'CREATE SCHEMA IF NOT EXISTS tenant_' || 'one'; "
    "EXECUTE 'CREATE TABLE IF NOT EXISTS tenant_' || 'one.t (id int)'; END $f$",
    "SELECT mk()",
)
HANDLED = (
    "DO $$ BEGIN BEGIN EXECUTE 'CREATE SCHEMA IF NOT EXISTS tenant_' || 'one'; "
    "EXECUTE 'CREATE TABLE IF NOT EXISTS tenant_' || 'one.t (id int)'; EXCEPTION WHEN OTHERS THEN NULL; END; END $$"
)
COMMITS = (
    "CREATE OR REPLACE PROCEDURE mk() LANGUAGE plpgsql AS $f$ BEGIN EXECUTE 'CREATE SCHEMA IF NOT EXISTS tenant_' || 'one'; COMMIT; "
    "EXECUTE 'CREATE TABLE IF NOT EXISTS tenant_' || 'one.t (id int)'; COMMIT; END $f$",
    Step("CALL mk()", destructive=True),
)
LISTS = {"dynamic": (DYNAMIC,), "called": CALLED, "handled": (HANDLED,), "commits": COMMITS}


def connected(database: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that commits at once."""
    return psycopg.connect(database, autocommit=True)


def is_there(database: str) -> bool:
    """Whether the table is."""
    with connected(database) as conn:
        return conn.execute("SELECT to_regclass('tenant_one.t')").fetchone() != (None,)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("hand", ["DROP TABLE tenant_one.t", "DROP SCHEMA tenant_one CASCADE"])
def test_its_loss_is_seen_and_made_good(database: str, name: str, hand: str) -> None:
    """Also the second time, and where the step runs in transactions of its own, or inside a handler."""
    steps = [*LISTS[name], "CREATE TABLE IF NOT EXISTS tt (id int)"]
    omega_bridge.boot(database, steps)
    assert omega_bridge.boot(database, steps).outcome == "current"
    for _ in range(2):
        with connected(database) as conn:
            conn.execute(hand)
        assert omega_bridge.boot(database, steps).outcome == "repaired"
        assert is_there(database)
        assert omega_bridge.boot(database, steps).outcome == "current"


@pytest.mark.parametrize(
    ("step", "asked", "answer"),
    [
        pytest.param(
            "GRANT SELECT ON ALL TABLES IN SCHEMA app TO pg_monitor",
            "SELECT has_table_privilege('pg_monitor', 'app.later', 'SELECT')",
            True,
            id="all tables of a schema that another script made",
        ),
        pytest.param(
            "CREATE TABLE IF NOT EXISTS app.own (id int); DO $$ DECLARE t text; BEGIN "
            "FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'app' LOOP "
            "EXECUTE format('ALTER TABLE app.%I ENABLE ROW LEVEL SECURITY', t); END LOOP; END $$",
            "SELECT relrowsecurity FROM pg_class WHERE oid = 'app.later'::regclass",
            True,
            id="a loop over a schema that the list names",
        ),
    ],
)
def test_what_comes_in_a_schema_that_the_list_names_is_meant_too(database: str, step: str, asked: str, answer: object) -> None:
    """The loop would do it to what a hand made there: so does the next start, and the one behind it has nothing to do."""
    with connected(database) as conn:
        conn.execute("CREATE SCHEMA app")
    omega_bridge.boot(database, [step])
    assert omega_bridge.boot(database, [step]).outcome == "current"
    with connected(database) as conn:
        conn.execute("CREATE TABLE app.later (id int)")
    omega_bridge.boot(database, [step])
    with connected(database) as conn:
        assert conn.execute(asked.encode()).fetchone() == (answer,)
    assert omega_bridge.boot(database, [step]).outcome == "current"


def test_what_others_made_there_is_not_its_effect(database: str) -> None:
    """A table that somebody else makes in that schema, and drops, makes no start look again; nor does a schema of theirs."""
    omega_bridge.boot(database, [DYNAMIC])
    for hand in ("CREATE TABLE tenant_one.others (id int)", "DROP TABLE tenant_one.others"):
        with connected(database) as conn:
            conn.execute(hand)
        assert omega_bridge.boot(database, [DYNAMIC]).outcome == "current"


def test_a_longer_list_keeps_what_was_recorded(database: str) -> None:
    """A start that sends the step, and finds its table there, knows of it all the same."""
    omega_bridge.boot(database, [DYNAMIC])
    omega_bridge.boot(database, [DYNAMIC, "CREATE TABLE IF NOT EXISTS tt (id int)"])
    with connected(database) as conn:
        conn.execute("DROP TABLE tenant_one.t")
    assert omega_bridge.boot(database, [DYNAMIC, "CREATE TABLE IF NOT EXISTS tt (id int)"]).outcome == "repaired"
    assert is_there(database)


def test_where_it_ran_on_scratch_alone_the_catalog_file_tells(database: str, server: Server, tmp_path: Path) -> None:
    """A database that was brought up by others: what the file names, and is here, is watched."""
    analysis = analyse(Registry.of([DYNAMIC]))
    keep(make(analysis, "", GivenServer(server.url)), tmp_path)
    with connected(database) as conn:
        conn.execute(DYNAMIC)
        ledger_store.prepare(conn)
        promised = clean_state.Promised(analysis, analysis.names()).with_effects(conn, None, tmp_path)
        oid = conn.execute("SELECT 'tenant_one.t'::regclass::oid::int8").fetchone()
        assert [(m.catalog, (m.oid,), m.schema) for m in elsewhere.every(promised.effects)] == [("pg_class", oid, "tenant_one")]
        assert promised.watched.schemas == {"tenant_one"}
