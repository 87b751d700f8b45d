"""An ``env.py`` of the project's own runs the exported revisions, with whichever driver it connects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import URL, create_mock_engine

import omega_bridge
from omega_bridge import Registry, Step
from omega_bridge.analysis import analyse
from omega_bridge.catalog import Catalog, diff
from omega_bridge.embedded import EmbeddedServer
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.ledger import judge
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.revisions.sending import send
from omega_bridge.sources.foundation import load_foundation
from tests.integration.test_rows import value
from tests.integration.test_rows_in_history import VERSION, configured, entries, exported

SYNC = """
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

with create_engine(URL, poolclass=NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=PER)
    with context.begin_transaction():
        context.run_migrations()
"""
ASYNC = """
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


def migrate(connection):
    context.configure(connection=connection, transaction_per_migration=PER)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    engine = create_async_engine(URL, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()

asyncio.run(main())
"""
DRIVERS = {"psycopg": SYNC, "psycopg2": SYNC, "pg8000": SYNC, "asyncpg": ASYNC, "psycopg_async": ASYNC}

STEPS = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, note text DEFAULT '50 %')",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text; COMMENT ON COLUMN t.a IS 'one :of several, 100 %s'; SELECT 1",
    "DO $$ BEGIN RAISE NOTICE '% %%', 'x'; EXECUTE 'CREATE TABLE IF NOT EXISTS ' || 'made (id int)'; END $$",
    "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.note := 'a%' || :x; RETURN NEW; END $f$".replace(
        ":x", "'%'"
    ),
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 't_check' AND conrelid = 't'::regclass) THEN "
    "ALTER TABLE t ADD CONSTRAINT t_check CHECK (id % 2 < 9); END IF; END $$",
    "INSERT INTO t (id, note) VALUES (1, '7 % of :it') ON CONFLICT (id) DO NOTHING",
]
CONCURRENTLY = "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_note ON t (note)"


@pytest.fixture(scope="module")
def tcp() -> Any:
    """A server that also listens on TCP: pg8000 and asyncpg do not read libpq's folder of the socket."""
    with EmbeddedServer(listen_tcp=True) as server:
        yield server


def env_for(driver: str, url: str, per_migration: bool) -> str:
    """The text of an ``env.py``."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    name = driver.removesuffix("_async")
    made = URL.create(
        f"postgresql+{name}", parts["user"], parts.get("password"), parts["host"], int(parts["port"]), parts["dbname"]
    )
    text = DRIVERS[driver].replace("URL", repr(made.render_as_string(hide_password=False)))
    return text.replace("PER", str(per_migration))


def catalog_of(url: str) -> Catalog:
    """Everything in the database."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


@pytest.mark.parametrize("per_migration", [False, True])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_history_runs_through_every_driver(tmp_path: Path, tcp: EmbeddedServer, driver: str, per_migration: bool) -> None:
    """Percent signs, colons, several statements in one text, blocks: as a start would leave it, and the guard of rows holds."""
    steps = [*STEPS, *([CONCURRENTLY] if per_migration else [])]
    name = f"{driver}_{per_migration}".lower()
    for made in (name, f"{name}_booted"):
        tcp.create_database(made)
    url, booted = tcp.tcp_url_for(name), tcp.tcp_url_for(f"{name}_booted")
    ids = exported(tmp_path, list(steps), env_for(driver, url, per_migration))
    command.upgrade(configured(tmp_path, url), "head")
    assert value(url, VERSION) == ids[-1]
    omega_bridge.boot(booted, steps)
    assert diff(catalog_of(booted), catalog_of(url)) == ()
    assert value(url, "SELECT note FROM t") == "7 % of :it"
    assert (
        value(url, "SELECT col_description('t'::regclass, attnum) FROM pg_attribute WHERE attname = 'a'")
        == "one :of several, 100 %s"
    )
    exported(
        tmp_path, [*steps, "DO $$ BEGIN EXECUTE 'DROP TABLE IF EXISTS ' || 't'; END $$"], env_for(driver, url, per_migration)
    )
    with pytest.raises(Exception, match="would destroy rows"):
        command.upgrade(configured(tmp_path, url), "head")
    assert value(url, "SELECT count(*) FROM t") == 1
    assert value(url, VERSION) == ids[-1]


def test_a_driver_that_nobody_has_tried_is_an_error() -> None:
    """Not a success: what it would do with the text is not known."""
    engine = create_mock_engine("postgresql+psycopg2://", lambda *_: None)
    engine.dialect.driver = "someone"
    with pytest.raises(ConfigurationInvalid, match="someone"):
        send(engine, "SELECT 1")  # type: ignore[arg-type]


@pytest.mark.parametrize("per_migration", [False, True])
@pytest.mark.parametrize("driver", DRIVERS)
def test_what_a_revision_did_is_on_record(tmp_path: Path, tcp: EmbeddedServer, driver: str, per_migration: bool) -> None:
    """Whoever connects: each revision of ours that was committed, with who it was; what failed or was refused; and the chain holds."""
    name = f"record_{driver}_{per_migration}".lower()
    tcp.create_database(name)
    url = tcp.tcp_url_for(name)
    omega_bridge.boot(url, ["CREATE TABLE IF NOT EXISTS u (id int)"])
    steps: list[str | Step] = [*STEPS[:2], Step("GRANT SELECT ON t TO no_such_role_of_ours", id="grant")]

    exported(tmp_path, steps, env_for(driver, url, per_migration))
    last = sorted((tmp_path / "versions").glob("*.py"))[-1]
    last.write_text(last.read_text().replace("op.run_step(", "op.attempt_step("))  # as a proof on scratch would have it
    command.upgrade(configured(tmp_path, url), "head")
    told = [e for e in entries(url) if e[0] == "alembic"]
    assert [e[1:3] for e in told] == [("upgrade", "applied"), ("upgrade", "applied"), ("upgrade", "failed")]
    assert told[2][3]["error"]["sqlstate"] == "42704"
    assert told[0][3]["by"]["client"] == f"alembic, {driver.removesuffix('_async')}"
    for step, outcome in (
        ("INSERT INTO t SELECT 1 / count(*) FROM t", "failed"),
        ("DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE t'; END $$", "refused"),
    ):
        value(url, "INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING" if outcome == "refused" else "DELETE FROM t")
        folder = tmp_path / outcome
        exported(folder, [*steps, Step(step, id="bad")], env_for(driver, url, per_migration))
        with pytest.raises(Exception, match=r"division by zero|would destroy rows"):
            command.upgrade(configured(folder, url), "head")
        last = entries(url)[-1]
        assert (last[:3], last[3]["steps"]) == (("alembic", "upgrade", outcome), ["bad"])
    with psycopg.connect(url, autocommit=True) as conn:
        assert judge(list(ledger_store.read(conn)), ledger_store.end_of(conn)).is_intact


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_foundation_is_laid_through_every_driver(tmp_path: Path, tcp: EmbeddedServer, driver: str) -> None:
    """Its many statements at once, with percent signs and colons; where only a part is there the upgrade stops and names the rest."""
    (tmp_path / "schema.sql").write_text(
        "CREATE TABLE a (id int PRIMARY KEY, note text DEFAULT '50 % :of'); COMMENT ON TABLE a IS 'it''s 100 %s'; CREATE TABLE b (id int);"
    )
    folder, name = tmp_path / "alembic", f"foundation_{driver}"
    tcp.create_database(name)
    url = tcp.tcp_url_for(name)
    folder.mkdir()
    (folder / "env.py").write_text(env_for(driver, url, False))
    foundation = load_foundation(["schema.sql"], tmp_path)
    done = export(analyse(Registry.of(["ALTER TABLE b ADD COLUMN IF NOT EXISTS c int"])), folder, foundation=foundation)
    command.upgrade(alembic_border.alembic_config(folder, url), "head")
    assert value(url, VERSION) == done.head
    assert (
        value(
            url,
            "SELECT obj_description('a'::regclass) || (SELECT column_default FROM information_schema.columns "
            "WHERE table_name = 'a' AND column_name = 'note')",
        )
        == "it's 100 %s'50 % :of'::text"
    )
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP TABLE b; DELETE FROM alembic_version")
    with pytest.raises(Exception, match="of its 2 tables 1 are missing: b"):
        command.upgrade(alembic_border.alembic_config(folder, url), "head")
    assert value(url, "SELECT count(*) FROM alembic_version") == 0
