"""Servers, databases and roles that are not as initdb leaves them: other settings, encodings, schemas, fewer rights."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import omega_bridge
from omega_bridge import OmegaBridgeError
from omega_bridge.embedded import Server
from omega_bridge.ledger import first_broken
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.lock import exclusive
from omega_bridge.postgres.session import open_session
from tests.fixtures.databases import MakeDatabase

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, name text)"
PRINTED = [  # what PostgreSQL prints back in a form that depends on settings
    T,
    ("day", "ALTER TABLE t ADD COLUMN IF NOT EXISTS day date DEFAULT '2024-01-31'"),
    ("day-default", "ALTER TABLE t ALTER COLUMN day SET DEFAULT DATE '2024-01-30'"),
    ("span", "ALTER TABLE t ADD COLUMN IF NOT EXISTS span interval DEFAULT '1 day'"),
    ("span-default", "ALTER TABLE t ALTER COLUMN span SET DEFAULT interval '1 day 2 hours'"),
    ("check", "ALTER TABLE t DROP CONSTRAINT IF EXISTS c; ALTER TABLE t ADD CONSTRAINT c CHECK (day > '2020-01-31')"),
    ("index", "CREATE INDEX IF NOT EXISTS t_day ON t (id) WHERE day > '2020-01-31'"),
    ("rows", "UPDATE t SET name = 'x' WHERE name IS NULL"),
]
SETTINGS = {
    "nothing": "application_name = 'settings'",
    "dates": "DateStyle = 'SQL, DMY'",
    "intervals": "IntervalStyle = iso_8601",
    "serializable": "default_transaction_isolation = serializable",
    "backslashes": "standard_conforming_strings = off",
    "encoding": "client_encoding = LATIN1",
}


def execute(url: str, *statements: str) -> None:
    """Run statements in autocommit, by a session that speaks UTF-8."""
    with psycopg.connect(make_conninfo(url, client_encoding="utf8"), autocommit=True) as conn:
        for text in statements:
            conn.execute(text.encode())


def query(url: str, text: str) -> Any:
    """The first row."""
    with psycopg.connect(make_conninfo(url, client_encoding="utf8"), autocommit=True) as conn:
        return conn.execute(text.encode()).fetchone()


def alter(url: str, setting: str) -> None:
    """Give the database a setting of its own."""
    execute(url, f"ALTER DATABASE {conninfo_to_dict(url)['dbname']} SET {setting}")


def told(run: omega_bridge.Run) -> list[str]:
    """What a run has to complain about."""
    return [f"{s.id}: {s.outcome}: {s.reason}" for s in run.steps if s.outcome not in ("applied", "already-there", "skipped")]


def boots_twice(url: str, steps: list[Any], round_trips: int = 1) -> omega_bridge.Run:
    """Repaired without complaint, then current; the first run."""
    run = omega_bridge.boot(url, steps)
    assert (run.outcome, told(run)) == ("repaired", [])
    again = omega_bridge.boot(url, steps)
    assert (again.outcome, again.round_trips) == ("current", round_trips)
    with open_session(url) as session:
        assert first_broken(ledger_store.read(session.connection)) is None
        assert ledger_store.last_boot(session.connection)
    return run


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_settings_of_a_database(database: str, make_database: MakeDatabase, setting: str) -> None:
    """Whatever the database has set, a start does the same, and sees the same schema."""
    plain = omega_bridge.boot(make_database(), PRINTED)
    alter(database, setting)
    run = boots_twice(database, PRINTED, 2)
    assert run.catalog_digest == plain.catalog_digest


def test_the_url_may_name_another_encoding(database: str) -> None:
    """We speak UTF-8 whatever the URL says, and a text arrives as it was written."""
    text = "ñandú – 🧵"
    boots_twice(make_conninfo(database, client_encoding="LATIN1"), [T, f"COMMENT ON TABLE t IS '{text}'"])
    assert query(database, "SELECT obj_description('t'::regclass)") == (text,)


def test_a_backslash_means_what_the_server_takes_it_for(database: str) -> None:
    """Where literals have escapes, a step that holds one runs as it is written, and nothing is claimed of it."""
    alter(database, "standard_conforming_strings = off")
    steps = [T, ("comment", r"COMMENT ON TABLE t IS 'C:\\new'"), ("rows", r"UPDATE t SET name = 'a\'b' WHERE name IS NULL")]
    omega_bridge.boot(database, steps)
    execute(database, "INSERT INTO t VALUES (1, NULL)")
    omega_bridge.boot(database, [*steps, "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"])
    assert query(database, "SELECT obj_description('t'::regclass)") == ("C:\\new",)
    assert query(database, "SELECT name FROM t") == ("a'b",)


def test_the_holder_of_the_lock_may_think(database: str) -> None:
    """A server that ends idle sessions and transactions does not end the start that holds the lock."""
    alter(database, "idle_in_transaction_session_timeout = '1s'")
    if query(database, "SELECT current_setting('server_version_num')::int >= 140000")[0]:
        alter(database, "idle_session_timeout = '1s'")
    if query(database, "SELECT current_setting('server_version_num')::int >= 170000")[0]:
        alter(database, "transaction_timeout = '1s'")
    with open_session(database) as session, exclusive(session, 1.0):
        time.sleep(1.3)
        session.execute("BEGIN")
        time.sleep(1.3)
        session.execute("COMMIT")


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def encoded(request: pytest.FixtureRequest, server: Server) -> Any:
    """A database of another encoding than UTF-8."""
    name = f"test_{request.param.lower()}"
    provider = "LOCALE_PROVIDER libc" if server.major >= 15 else ""
    execute(server.url, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{request.param}' {provider} LOCALE 'C'")
    yield server.url_for(name)
    server.drop_database(name)


def test_a_database_of_another_encoding(encoded: str) -> None:
    """Its record holds what it can hold, and the steps come back from it as they were written."""
    steps = [
        T,
        ("accent", "ALTER TABLE t ADD COLUMN IF NOT EXISTS \"ñandú\" text DEFAULT 'garçon'"),
        ("dash – 🧵", "UPDATE t SET name = 'a b' WHERE id = 7 AND name IS NULL"),
        ("long", "UPDATE t SET name = 'é\\' WHERE name IS NULL"),
    ]
    boots_twice(encoded, steps, 2)
    execute(encoded, "INSERT INTO t VALUES (1, NULL)")
    assert omega_bridge.boot(encoded, steps).outcome == "current"
    assert query(encoded, 'SELECT name, "ñandú" FROM t') == ("é\\", "garçon")


def test_a_name_that_the_encoding_lacks(encoded: str) -> None:
    """The step fails by itself where the server cannot take it; the others stand."""
    run = omega_bridge.boot(encoded, [T, ("far", 'CREATE TABLE IF NOT EXISTS "表" (id int)')], on_error="continue")
    takes_every_byte = query(encoded, "SHOW server_encoding") == ("SQL_ASCII",)
    assert [s.outcome for s in run.steps] == ["applied", "applied" if takes_every_byte else "failed"]


def test_a_value_that_the_encoding_lacks(encoded: str) -> None:
    """The server rejects it wherever it stands: the step fails though it has no row to change, as in the loop."""
    run = omega_bridge.boot(encoded, [T, ("dash", "UPDATE t SET name = 'a – b' WHERE name IS NULL")], on_error="continue")
    takes_every_byte = query(encoded, "SHOW server_encoding") == ("SQL_ASCII",)
    assert run.steps[1].outcome == ("skipped" if takes_every_byte else "failed")


def test_the_default_schema_is_another(database: str) -> None:
    """Tables land where the search path says, and a start by another path looks again."""
    execute(database, "CREATE SCHEMA app", "CREATE SCHEMA other")
    alter(database, "search_path = app, public")
    boots_twice(database, PRINTED, 2)
    assert query(database, "SELECT to_regclass('app.t_day') IS NOT NULL, to_regclass('public.t')") == (True, None)
    boots_twice(make_conninfo(database, options="-c search_path=other"), PRINTED, 2)
    assert query(database, "SELECT to_regclass('other.t_day') IS NOT NULL") == (True,)


def test_a_role_that_owns_its_schema_only(database: str) -> None:
    """Without CREATE on the database it is told what to ask for; with the bridge's schema made for it, it needs no more."""
    role = f"{conninfo_to_dict(database)['dbname']}_role"
    execute(
        database,
        f"CREATE ROLE {role} LOGIN PASSWORD 'secret'",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",  # as it is from PostgreSQL 15 on
        f"CREATE SCHEMA {role} AUTHORIZATION {role}",
    )
    url = make_conninfo(database, user=role, password="secret")
    try:
        with pytest.raises(OmegaBridgeError) as missing:
            omega_bridge.boot(url, PRINTED)
        assert missing.value.code == "OB203"
        assert f'CREATE SCHEMA omega_bridge AUTHORIZATION "{role}"' in missing.value.hint
        execute(database, f"CREATE SCHEMA omega_bridge AUTHORIZATION {role}")
        boots_twice(url, PRINTED, 2)
        assert query(database, f"SELECT to_regclass('{role}.t_day') IS NOT NULL") == (True,)
    finally:
        execute(database, f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


def test_a_refusal_is_told_from_silence(database: str) -> None:
    """Where the server answered there is no use in looking whether it runs, in whatever language it did."""
    hints = []
    for url in (make_conninfo(database, dbname="nowhere"), "postgresql://127.0.0.1:1/nowhere"):
        with pytest.raises(OmegaBridgeError) as unreachable:
            omega_bridge.boot(url, [T])
        assert unreachable.value.code == "OB201"
        hints.append(unreachable.value.hint)
    assert "The server answered" in hints[0]
    assert "Is the server running" in hints[1]


@pytest.mark.parametrize("setting", ["backslash_quote = off", "standard_conforming_strings = off"])
def test_how_a_database_reads_backslashes_is_the_lists_affair(setting: str, database: str) -> None:
    """What a start asks itself is read alike under any of them: a step that changes rows, and one that drops a constraint, are applied."""
    with psycopg.connect(database, autocommit=True) as conn:
        name = conn.info.dbname
        conn.execute(f'ALTER DATABASE "{name}" SET {setting}'.encode())
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_id; ALTER TABLE t ADD CONSTRAINT t_id CHECK (id > 0)",
        "DO $$ BEGIN UPDATE t SET id = id + 1 WHERE id = 1; END $$",
    ]
    run = omega_bridge.boot(database, steps)
    assert [(s.id, s.outcome) for s in run.steps if s.outcome != "applied"] == []
