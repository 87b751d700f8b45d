"""A backfill in batches, which commits as it goes: restartable, the same in both drivers, and never where rows may go along."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command

import omega_bridge
from omega_bridge import Step, environment
from omega_bridge.embedded import EmbeddedServer
from omega_bridge.errors import RelationBusy, StepFailed
from omega_bridge.revisions import safe_steps
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.integration.test_drivers import DRIVERS, env_for, tcp
from tests.integration.test_rows import value
from tests.integration.test_rows_in_history import VERSION, configured, exported

__all__ = ["tcp"]

TABLE = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
STEPS: list[str | Step] = [
    TABLE,
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS c text",
    *safe_steps.not_null("t", "c", filled="'v'"),
]
MANDATORY = "SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c'"
FILLED = "SELECT count(c) FROM t"


def run(url: str, *texts: str) -> None:
    """Statements, each committed."""
    with psycopg.connect(url, autocommit=True) as conn:
        for text in texts:
            conn.execute(text.encode())


def with_rows(url: str, rows: int = 2500) -> str:
    """The database with yesterday's table."""
    run(url, TABLE, f"INSERT INTO t SELECT i FROM generate_series(1, {rows}) i")
    return url


def test_a_start_that_is_stopped_in_the_middle_goes_on_there(make_database: MakeDatabase) -> None:
    """Behind a row that somebody holds the first batches stay filled; the next start fills the rest, and a third asks one question."""
    url = with_rows(make_database())
    omega_bridge.boot(url, STEPS[:2])
    with psycopg.connect(url) as holder:
        holder.execute("SELECT FROM t WHERE id = 1500 FOR UPDATE")
        with pytest.raises(RelationBusy):
            omega_bridge.boot(url, STEPS, table_lock_timeout=0.05, boot_timeout=0.4)
        assert value(url, FILLED) == 1000
    assert omega_bridge.boot(url, STEPS).outcome == "repaired"
    assert (value(url, FILLED), value(url, MANDATORY)) == (2500, True)
    assert value(url, "SELECT count(*) FROM pg_constraint WHERE conname = 't_c_is_there'") == 0
    assert omega_bridge.boot(url, STEPS).round_trips == 1


def test_an_upgrade_that_is_stopped_in_the_middle_goes_on_there(tmp_path: Path, make_database: MakeDatabase) -> None:
    """So does ``alembic upgrade``; a start behind it has nothing to do."""
    url = with_rows(make_database())
    ids = exported(tmp_path, STEPS)
    config = configured(tmp_path, url, registry=Registry.of(STEPS))
    environment.upgrade(config, ids[1])
    with psycopg.connect(url) as holder:
        holder.execute("SELECT FROM t WHERE id = 1500 FOR UPDATE")
        run(url, f"ALTER DATABASE {psycopg.conninfo.conninfo_to_dict(url)['dbname']} SET lock_timeout = '50ms'")
        with pytest.raises(StepFailed):
            environment.upgrade(config, "head")
        assert value(url, FILLED) == 1000
    environment.upgrade(config, "head")
    assert (value(url, FILLED), value(url, MANDATORY), value(url, VERSION)) == (2500, True, ids[-1])
    assert omega_bridge.boot(url, STEPS, history=tmp_path).outcome == "current"


PROCEDURE = """CREATE OR REPLACE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN
    ALTER TABLE t ADD COLUMN IF NOT EXISTS c text; COMMIT; ALTER TABLE t ADD COLUMN IF NOT EXISTS d text;
END $$"""


@pytest.mark.parametrize("called", ["CALL fill()", "DO $$ BEGIN CALL fill(); END $$"], ids=["by itself", "in a block"])
def test_a_procedure_that_commits_runs_in_a_history_where_it_is_allowed(
    tmp_path: Path, make_database: MakeDatabase, psql: str, called: str
) -> None:
    """A start sends it without a transaction; so do ``alembic upgrade`` and what ``--sql`` writes, which rejected it for ever."""
    steps = [TABLE, PROCEDURE, Step(called, destructive=True), "CREATE INDEX IF NOT EXISTS t_d ON t (d)"]
    started, upgraded, piped = make_database(), make_database(), make_database()
    assert omega_bridge.boot(started, steps).outcome == "repaired"
    ids = exported(tmp_path, steps)
    environment.upgrade(configured(tmp_path, upgraded, registry=Registry.of(steps)), "head")
    config = configured(tmp_path, piped, registry=Registry.of(steps))
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    args = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", piped]
    subprocess.run(args, input=config.output_buffer.getvalue(), text=True, check=True)
    for url in (started, upgraded, piped):
        assert value(url, "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0") == 3
        assert value(url, "SELECT to_regclass('t_d') IS NOT NULL") is True
    assert value(upgraded, VERSION) == ids[-1]
    assert value(piped, VERSION) == ids[-1]


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_environment_of_the_projects_own_runs_it(tmp_path: Path, tcp: EmbeddedServer, driver: str) -> None:
    """With whichever driver; where something may go along, it is refused before the first row is changed."""
    name = f"batches_{driver}"
    tcp.create_database(name)
    url = with_rows(tcp.tcp_url_for(name))
    exported(tmp_path, STEPS, env_for(driver, url, True))
    run(url, *EVIL)
    with pytest.raises(Exception, match="commits as it goes"):
        command.upgrade(configured(tmp_path, url), "head")
    assert value(url, FILLED) == 0
    run(url, "DROP TRIGGER more ON t")
    command.upgrade(configured(tmp_path, url), "head")
    assert (value(url, FILLED), value(url, MANDATORY)) == (2500, True)


def test_the_sql_of_it_goes_through_psql(tmp_path: Path, make_database: MakeDatabase, psql: str) -> None:
    """``--sql`` writes it outside a transaction, behind a block that looks first."""
    url = with_rows(make_database())
    exported(tmp_path, STEPS)
    config = configured(tmp_path, url, registry=Registry.of(STEPS))
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)

    def piped() -> Any:
        args = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url]
        return subprocess.run(args, input=config.output_buffer.getvalue(), capture_output=True, text=True, check=False)

    run(url, *EVIL)
    assert "commits as it goes" in piped().stderr
    run(url, "DROP TRIGGER more ON t", "DROP TABLE alembic_version")
    done = piped()
    assert done.returncode == 0, done.stderr
    assert (value(url, FILLED), value(url, MANDATORY)) == (2500, True)


UPDATED = (
    "ALTER TABLE t ADD COLUMN at timestamptz",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$",
    "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()",
)
EVIL = (
    "CREATE TABLE held AS SELECT 1 AS id",
    "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DROP TABLE IF EXISTS held; RETURN NEW; END $$",
    "CREATE TRIGGER more BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION more()",
)
ALONG = {
    "trigger": EVIL,
    "rule": ("CREATE TABLE held AS SELECT 1 AS id", "CREATE RULE more AS ON UPDATE TO t DO ALSO DELETE FROM held"),
    "check": (
        "CREATE FUNCTION is_fine(int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$",
        "ALTER TABLE t ADD CONSTRAINT more CHECK (is_fine(id))",
    ),
    "keys that follow": ("CREATE TABLE u (id int REFERENCES t ON UPDATE CASCADE)",),
}


@pytest.mark.parametrize("before", ALONG.values(), ids=ALONG)
def test_it_is_refused_where_more_may_go_along(make_database: MakeDatabase, before: tuple[str, ...]) -> None:
    """A trigger, a rule, a function in a check: nobody could watch what they do. Allowed by its id, it runs."""
    url = with_rows(make_database(), 10)
    run(url, *before)
    found = omega_bridge.boot(url, STEPS, on_error="continue")
    outcomes = {s.id: s for s in found.steps}
    assert outcomes["rows-of-t"].outcome == "refused"
    assert "commits as it goes" in outcomes["rows-of-t"].reason
    assert value(url, FILLED) == 0
    if before[-1].startswith("CREATE RULE"):
        return  # PostgreSQL runs no such statement on a table with rules
    allowed = omega_bridge.boot(url, STEPS, allow_destructive=["rows-of-t"], retry=True)
    assert allowed.outcome == "repaired"
    assert value(url, MANDATORY) is True


@pytest.mark.parametrize("before", [UPDATED, ("CREATE TABLE u (id int REFERENCES t ON DELETE CASCADE)",), ()])
def test_what_belongs_to_the_rows_is_no_hindrance(make_database: MakeDatabase, before: tuple[str, ...]) -> None:
    """The trigger that keeps ``updated_at``, tables that refer to this one: the backfill runs unasked."""
    url = with_rows(make_database(), 10)
    run(url, *before)
    assert omega_bridge.boot(url, STEPS).outcome == "repaired"
    assert value(url, MANDATORY) is True


@pytest.mark.pg(">= 14")
def test_partitions_and_values_of_other_columns(make_database: MakeDatabase) -> None:
    """Every partition is filled; a row for which the expression gives nothing ends no walk early, and is told by the check."""
    url = make_database()
    run(
        url,
        "CREATE TABLE t (id int, name text, c text) PARTITION BY RANGE (id)",
        *(f"CREATE TABLE t{n} PARTITION OF t FOR VALUES FROM ({n * 1500}) TO ({(n + 1) * 1500})" for n in range(3)),
        "INSERT INTO t SELECT i, CASE WHEN i <> 7 THEN 'A' || i END FROM generate_series(0, 4499) i",
    )
    run(url, safe_steps.in_batches("t", "c", "lower(name)"))
    assert value(url, FILLED) == 4499
    run(url, "UPDATE t SET name = 'x' WHERE id = 7", safe_steps.in_batches("t", "c", "lower(name)"))
    assert value(url, FILLED) == 4500


def test_a_trigger_that_keeps_the_rows_as_they_are_ends_it(database: str) -> None:
    """Where no row takes the value, the block ends instead of trying for ever."""
    with_rows(database, 1500)
    run(
        database,
        "ALTER TABLE t ADD COLUMN c text",
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "CREATE TRIGGER no BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION no()",
        safe_steps.in_batches("t", "c", "'v'"),
    )
    assert value(database, FILLED) == 0
