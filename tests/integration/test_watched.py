"""What a start watches beyond its own database, and what ``drift`` names because nobody compares it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.audit.drift import drift
from omega_bridge.audit.expected import make
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.embedded import Server
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.fixtures.roles import MakeRole

T = "CREATE TABLE IF NOT EXISTS t (id int)"


def settings_of(role: str) -> list[str]:
    """Steps about a role that write the same row of the cluster anew each time."""
    return [
        T,
        f"ALTER ROLE {role} SET statement_timeout TO '5s'",
        f"DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET work_mem TO %L', '{role}', '8MB'); END $$",
        f"COMMENT ON ROLE {role} IS 'of the application'",
    ]


def test_databases_of_one_cluster_give_one_another_no_work(make_database: MakeDatabase, make_role: MakeRole) -> None:
    """Each of two starts says the same of a role of both: neither finds work in what the other has written anew."""
    role = str(conninfo_to_dict(make_role())["user"])
    one, other = make_database(), make_database()
    for database in (one, other):
        omega_bridge.boot(database, settings_of(role))
    for database in (one, other, one):
        assert omega_bridge.boot(database, settings_of(role)).outcome == "current"
    for hand in (
        f"ALTER ROLE {role} SET statement_timeout TO '6s'",
        f"ALTER ROLE {role} RESET work_mem",
        f"COMMENT ON ROLE {role} IS NULL",
    ):
        with psycopg.connect(one, autocommit=True) as conn:
            conn.execute(hand.encode())
        assert omega_bridge.boot(one, settings_of(role)).outcome == "repaired"
        assert omega_bridge.boot(one, settings_of(role)).outcome == "current"


@pytest.mark.pg(">= 15")
@pytest.mark.parametrize(
    "step",
    [
        "GRANT SET ON PARAMETER log_min_duration_statement TO {role}",
        "DO $$ BEGIN GRANT SET ON PARAMETER log_min_duration_statement TO {role}; EXCEPTION WHEN undefined_object THEN NULL; END $$",
        "DO $$ BEGIN EXECUTE format('GRANT SET ON PARAMETER %I TO %I', 'log_min_duration_statement', '{role}'); END $$",
    ],
)
def test_a_privilege_on_a_setting_is_put_back(
    make_database: MakeDatabase, make_role: MakeRole, server: Server, step: str
) -> None:
    """What a hand takes of it gives the next start its step again; ``drift`` names it as not looked at."""
    role = str(conninfo_to_dict(make_role())["user"])
    steps = [T, step.format(role=role)]
    one, other = make_database(), make_database()
    for database in (one, other):
        omega_bridge.boot(database, steps)
    assert [omega_bridge.boot(database, steps).outcome for database in (one, other, one)] == ["current"] * 3
    may = f"SELECT has_parameter_privilege('{role}', 'log_min_duration_statement', 'SET')"
    with psycopg.connect(one, autocommit=True) as conn:
        try:
            conn.execute(f"REVOKE SET ON PARAMETER log_min_duration_statement FROM {role}".encode())
            assert omega_bridge.boot(one, steps).outcome == "repaired"
            assert conn.execute(may.encode()).fetchone() == (True,)
            analysis = analyse(Registry.of(steps))
            found = drift(one, analysis, analyse(Registry(())), make(analysis, "", GivenServer(server.url)))
            assert found.differences == ()
            assert [line for line in found.unseen if "settings" in line] == [
                f"the privileges on settings that step {analysis.steps[1].id} gives or takes"
            ]
        finally:
            conn.execute(f"REVOKE SET ON PARAMETER log_min_duration_statement FROM {role}".encode())


BROUGHT = {
    "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC": "pg_catalog.pg_sleep",
    "GRANT EXECUTE ON FUNCTION similarity(text, text) TO pg_monitor": "public.similarity(text, text): extension pg_trgm",
    "COMMENT ON FUNCTION similarity(text, text) IS 'ours'": "public.similarity(text, text): extension pg_trgm",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO pg_monitor": "more: extension pg_trgm",
    "DO $$ BEGIN EXECUTE format('REVOKE ALL ON FUNCTION %I(text, text) FROM PUBLIC', 'similarity'); END $$": "public.similarity",
    "SELECT lo_create(0)": "large objects",
}


@pytest.mark.parametrize(("step", "words"), BROUGHT.items())
def test_what_no_catalog_holds_is_named_as_not_looked_at(database: str, server: Server, step: str, words: str) -> None:
    """Privileges on what PostgreSQL or an extension brings, and large objects; a table of the list's own is compared, and not named."""
    steps = [
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE TABLE IF NOT EXISTS text (id int)",
        "GRANT SELECT ON text TO pg_monitor",
    ]
    for listed, expected in ((steps, []), ([*steps, step], [words])):
        analysis = analyse(Registry.of(listed))
        omega_bridge.boot(database, listed)
        found = drift(database, analysis, analyse(Registry(())), make(analysis, "", GivenServer(server.url)))
        assert found.differences == ()
        assert len(found.unseen) == len(expected), found.unseen
        assert all(word in line for word, line in zip(expected, found.unseen, strict=True)), found.unseen


def test_what_a_start_does_not_watch_goes_when_it_has_something_to_do(database: str, server: Server) -> None:
    """Comments, and an index, on what the list makes anew: a start does not look again for their sake, and ``drift`` promises nothing."""
    steps = [
        T,
        "DROP VIEW IF EXISTS v",
        "CREATE VIEW v AS SELECT id FROM t",
        "DROP MATERIALIZED VIEW IF EXISTS m",
        "CREATE MATERIALIZED VIEW m AS SELECT id FROM t",
        "DROP POLICY IF EXISTS p ON t",
        "CREATE POLICY p ON t USING (id > 0)",
    ]
    analysis, nothing = analyse(Registry.of(steps)), analyse(Registry(()))
    expected = make(analysis, "", GivenServer(server.url))
    omega_bridge.boot(database, steps)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("COMMENT ON VIEW v IS 'x'; COMMENT ON POLICY p ON t IS 'x'; CREATE INDEX by_hand ON m (id)")
    found = {(d.key.name, d.attribute): d.is_repaired for d in drift(database, analysis, nothing, expected).differences}
    assert found == {("v", "comment"): None, ("p", "comment"): None, ("by_hand", ""): False}
    assert omega_bridge.boot(database, steps).outcome == "current"
    assert {(d.key.name, d.attribute) for d in drift(database, analysis, nothing, expected).differences} == set(found)
    omega_bridge.boot(database, [*steps, "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"])
    left = drift(database, analysis, nothing, expected).differences
    assert [(d.key.name, str(d.what)) for d in left] == [("a", "only-in-database")]
