"""``alembic upgrade`` and ``downgrade`` take no row away unasked, as a start does not; and what failed in them is recorded."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.util import CommandError

import omega_bridge
from omega_bridge import Step, environment
from omega_bridge.analysis import analyse
from omega_bridge.analysis.leaving import way_out
from omega_bridge.audit.proofs import prover
from omega_bridge.catalog import diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.errors import OmegaBridgeError, StepFailed, StepRefused
from omega_bridge.postgres.session import open_session
from omega_bridge.postgres.undone import left_undone
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.revisions.files import export
from omega_bridge.revisions.squash import squash
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.integration.test_export import ENV
from tests.integration.test_order import catalog
from tests.integration.test_rows import FAR, LOSSES, START, Loss, far_away, prepared, value, with_ways_out

VERSION = "SELECT version_num FROM alembic_version"


def configured(folder: Path, url: str, *x: str, registry: Registry | None = None) -> Any:
    """Alembic's configuration for a folder and a database, as after ``alembic -x ...``."""
    config = alembic_border.alembic_config(folder, url)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (registry, None)
    config.cmd_opts = Namespace(x=list(x))
    return config


def exported(folder: Path, steps: list[str | Step], env: str = ENV) -> list[str]:
    """Export a list; the ids of its revisions."""
    folder.mkdir(exist_ok=True)
    (folder / "env.py").write_text(env)
    export(analyse(Registry.of(steps)), folder)
    return [line.revision for line in sums.read_sum(folder)]


def entries(url: str) -> list[tuple[str, str, str, Any]]:
    """Driver, event, outcome and detail of each row of the ledger."""
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute("SELECT driver, event, outcome, detail FROM omega_bridge.omega_bridge_ledger ORDER BY seq").fetchall()


@pytest.mark.parametrize("loss", LOSSES.values(), ids=[k.replace(" ", "-") for k in LOSSES])
@pytest.mark.pg(">= 14")
def test_an_upgrade_takes_no_rows_unasked(tmp_path: Path, make_database: MakeDatabase, loss: Loss) -> None:
    """It stops at the revision, which is recorded as refused; the version is the last that is true; allowed, it runs."""
    url, step, before = prepared(make_database, loss)
    ids = exported(tmp_path, [*before, Step(step, id="danger"), "CREATE TABLE IF NOT EXISTS after (id int)"])
    for _ in range(2):
        with pytest.raises((StepRefused, StepFailed, psycopg.errors.InvalidTransactionTermination)) as told:
            environment.upgrade(configured(tmp_path, url), "head")
        assert value(url, loss.asked) == 10
        assert value(url, VERSION) in ((ids[len(before) - 1],) if before else (None, "42P01"))
    assert value(url, "SELECT to_regclass('after')") is None
    last = entries(url)[-1]
    if isinstance(told.value, StepRefused):
        assert "allow-destructive=danger" in told.value.hint
        assert last[:3] == ("alembic", "upgrade", "refused")
        assert last[3]["destroyed"] or "transaction" in last[3]["reason"]
        environment.upgrade(configured(tmp_path, url, "allow-destructive=other,danger"), "head")
        assert value(url, loss.asked) != 10
        assert value(url, VERSION) == ids[-1]
    if "drop owned" in step.lower():
        value(url, f"DROP ROLE {step.rpartition(' ')[2]}")


def test_who_listens_to_a_statement_is_watched(tmp_path: Path, database: str) -> None:
    """What a statement does by itself is of no account where an event trigger of others runs along."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            START + "CREATE FUNCTION heard() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN TRUNCATE t; END';"
            "CREATE EVENT TRIGGER heard ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION heard()"
        )
    exported(tmp_path, ["CREATE OR REPLACE VIEW harmless AS SELECT 1 AS one"])
    with pytest.raises(StepRefused, match="10 rows"):
        environment.upgrade(configured(tmp_path, database), "head")
    assert value(database, "SELECT count(*) FROM t") == 10


def test_what_the_list_allows_is_carried_into_the_revision(tmp_path: Path, make_database: MakeDatabase) -> None:
    """Step(destructive=True) stands in the file, and a flag that was set later counts as well; the record says what went."""
    first, later, squashed = make_database(), make_database(), make_database()
    for url in (first, later, squashed):
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(START)
    free = Step("DROP TABLE t", id="drop", destructive=True)
    exported(tmp_path / "one", [free])
    assert "destructive = ('drop',)" in next((tmp_path / "one/versions").glob("*.py")).read_text().replace('"', "'")
    environment.upgrade(configured(tmp_path / "one", first), "head")
    assert entries(first)[-1][3]["destroyed"] == [{"table": "t", "column": None, "rows": 10}]
    exported(tmp_path / "two", [Step("DROP TABLE t", id="drop")])
    assert "destructive" not in next((tmp_path / "two/versions").glob("*.py")).read_text()
    environment.upgrade(configured(tmp_path / "two", later, registry=Registry.of([free])), "head")
    assert value(later, "SELECT to_regclass('t')") is None


def test_a_downgrade_of_what_holds_rows_needs_the_same_word(tmp_path: Path, database: str) -> None:
    """A table and a column with rows stay until they are allowed to go by id; then the record says how many went."""
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS v int"]
    ids = exported(tmp_path, [*steps])
    environment.upgrade(configured(tmp_path, database), "head")
    environment.downgrade(configured(tmp_path, database), "base")
    environment.upgrade(configured(tmp_path, database), "head")
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("INSERT INTO t SELECT g, g FROM generate_series(1, 10) g")
    for target, allowed, gone in (("-1", "t-v", "v"), ("base", ids[0], None)):
        with pytest.raises(StepRefused, match="10 rows") as told:
            environment.downgrade(configured(tmp_path, database), target)
        assert "downgrade" in told.value.hint
        assert entries(database)[-1][1:3] == ("downgrade", "refused")
        environment.downgrade(configured(tmp_path, database, f"allow-destructive={allowed}"), target)
        assert entries(database)[-1][3]["destroyed"] == [{"table": "t", "column": gone, "rows": 10}]
    assert value(database, "SELECT to_regclass('t')") is None


def test_the_command_line_refuses(tmp_path: Path, database: str) -> None:
    """``alembic upgrade head`` says which step, how many rows and how to allow it, and exits with an error; then it runs."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(START)
    (tmp_path / "main.py").write_text('migration_steps = ["CREATE TABLE IF NOT EXISTS u (id int)", "DROP TABLE IF EXISTS t"]\n')
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = alembic\npath_separator = os\n")
    exported(tmp_path / "alembic", ["CREATE TABLE IF NOT EXISTS u (id int)", "DROP TABLE IF EXISTS t"])

    def alembic(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "alembic"), *words],
            cwd=tmp_path,
            env={**os.environ, "DATABASE_URL": database},
            capture_output=True,
            text=True,
            check=False,
        )

    refused = alembic("upgrade", "head")
    assert refused.returncode != 0
    told = refused.stdout + refused.stderr
    assert all(
        word in told for word in ("OB303", "drop-t", "table t (10 rows)", "-x allow-destructive=drop-t", "destructive=True")
    )
    assert "Traceback" not in told
    assert value(database, "SELECT count(*) FROM t") == 10
    done = alembic("-x", "allow-destructive=nothing", "-x", "allow-destructive=drop-t", "upgrade", "head")
    assert done.returncode == 0, done.stderr
    assert value(database, "SELECT to_regclass('t')") is None


OWN_ENV = """
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

with create_engine("postgresql+psycopg://", connect_args=PARTS, poolclass=NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=PER)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.mark.parametrize("per_migration", [False, True])
@pytest.mark.parametrize(
    "step", ["DROP TABLE IF EXISTS t", "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$", "ALTER TABLE t DROP COLUMN v"]
)
def test_an_environment_of_the_projects_own_is_guarded_too(tmp_path: Path, database: str, step: str, per_migration: bool) -> None:
    """Without a line of ours in ``env.py`` the revision raises where rows would go: all is taken back, or that revision."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(START)
    env = OWN_ENV.replace("PARTS", repr(psycopg.conninfo.conninfo_to_dict(database))).replace("PER", str(per_migration))
    ids = exported(tmp_path, ["CREATE TABLE IF NOT EXISTS u (id int)", Step(step, id="danger")], env)
    with pytest.raises(Exception, match=r"danger.*would destroy rows: .*\(10\)"):
        command.upgrade(configured(tmp_path, database), "head")
    assert value(database, "SELECT count(v) FROM t") == 10
    assert value(database, VERSION) == (ids[0] if per_migration else "42P01")
    command.upgrade(configured(tmp_path, database, "allow-destructive=danger"), "head")
    assert value(database, "SELECT count(v) FROM t") in ("42P01", "42703")
    assert value(database, VERSION) == ids[-1]


UNSEEN = ("event trigger", "function in a cast", "function in a check that holds again")
"""What runs along with a statement that does not name it; a script does not ask."""
SQL_LOSSES = [k for k in LOSSES if k not in (*UNSEEN, "drop owned", "commit inside a block", "a procedure that commits")]


@pytest.mark.parametrize("name", SQL_LOSSES, ids=[k.replace(" ", "-") for k in SQL_LOSSES])
@pytest.mark.pg(">= 14")
def test_the_sql_carries_the_guard(tmp_path: Path, make_database: MakeDatabase, psql: str, name: str) -> None:
    """``upgrade --sql`` stops in psql where rows would go, tells which; on an empty table, and allowed, it runs through."""
    loss = LOSSES[name]
    url, step, before = prepared(make_database, loss)
    ids = exported(tmp_path, [*before, Step(step, id="danger")])

    def run(*x: str) -> subprocess.CompletedProcess[str]:
        config = configured(tmp_path, url, *x)
        config.output_buffer = io.StringIO()
        at = value(url, VERSION)
        command.upgrade(config, f"{at}:head" if at in ids else "head", sql=True)
        return subprocess.run(
            [psql, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", url],
            input=config.output_buffer.getvalue(),
            capture_output=True,
            text=True,
            check=False,
        )

    refused = run()
    assert refused.returncode == 3
    assert "danger) would destroy rows" in refused.stderr
    assert "-x allow-destructive=danger" in refused.stderr
    assert value(url, loss.asked) == 10
    if value(url, VERSION) not in ids:
        value(url, "DROP TABLE alembic_version")  # a step that refuses a transaction has committed it
    assert run("allow-destructive=danger").returncode == 0
    assert value(url, loss.asked) != 10


@pytest.mark.parametrize("step", FAR)
@pytest.mark.pg(">= 14")
def test_the_sql_spares_foreign_rows(tmp_path: Path, database: str, psql: str, step: str) -> None:
    """``upgrade --sql`` and ``upgrade`` take no row of a foreign table away by TRUNCATE, in whatever words."""
    far_away(database)
    exported(tmp_path, [Step(step, id="danger")])
    config = configured(tmp_path, database)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    run = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
    done = subprocess.run(run, input=config.output_buffer.getvalue(), capture_output=True, text=True, check=False)
    if "INSERT INTO t" not in step:  # as many rows as before: what has no file does not tell a script
        assert "foreign table t (10)" in done.stderr
        assert value(database, "SELECT count(*) FROM near WHERE v = id") == 10
    value(database, "DROP TABLE IF EXISTS alembic_version")
    with pytest.raises(StepRefused, match="10 rows"):
        environment.upgrade(configured(tmp_path, database), "head")
    assert value(database, "SELECT count(*) FROM near WHERE v = id") == 10


def test_what_goes_out_of_its_transaction_is_in_no_revision_unasked(tmp_path: Path, database: str, psql: str) -> None:
    """``upgrade`` and its ``--sql`` refuse as a start does: where the text says it, nothing is written; else the script stops."""
    for name, step in with_ways_out(database, psql).items():
        folder = tmp_path / name.replace(" ", "-")
        exported(folder, [Step(step, id="danger")])
        with pytest.raises(StepRefused, match=r"danger.* goes out of its transaction with"):
            environment.upgrade(configured(folder, database), "head")
        config = configured(folder, database)
        config.output_buffer = io.StringIO()
        if way_out(step) is not None:
            with pytest.raises(CommandError, match="goes out of its transaction"):
                command.upgrade(config, "head", sql=True)
        else:
            command.upgrade(config, "head", sql=True)
            run = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
            done = subprocess.run(run, input=config.output_buffer.getvalue(), capture_output=True, text=True, check=False)
            assert "goes out of its transaction with" in done.stderr
            value(database, "DROP TABLE IF EXISTS alembic_version")
        assert (name, value(database, "SELECT count(*) FROM t")) == (name, 10)


def test_the_sql_runs_where_nothing_is_lost(tmp_path: Path, database: str, psql: str) -> None:
    """An empty table goes, a rewrite keeps its rows, and what only adds has no block around it."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(START + "CREATE TABLE nothing (id int)")
    exported(
        tmp_path,
        [
            "DROP TABLE IF EXISTS nothing",
            "DO $$ BEGIN EXECUTE 'ALTER TABLE t' || ' ALTER v TYPE bigint'; END $$",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS w int",
            "INSERT INTO t VALUES (11, 11)",
        ],
    )
    config = configured(tmp_path, database)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    text = config.output_buffer.getvalue()
    assert text.count("would destroy rows") >= 2
    assert "step CONSTANT text := $omega$ALTER TABLE t ADD COLUMN" not in text
    done = subprocess.run(
        [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert value(database, "SELECT count(v) FROM t") == 11
    assert value(database, "SELECT to_regclass('nothing')") is None


FAILING = {
    "grant": "GRANT SELECT ON t TO no_such_role_of_ours",
    "reference": "ALTER TABLE t ADD COLUMN IF NOT EXISTS bad int REFERENCES nosuch (id)",
}


@pytest.mark.parametrize("step", FAILING.values(), ids=list(FAILING))
def test_what_failed_in_an_upgrade_is_not_recorded_as_done(tmp_path: Path, database: str, server: Any, step: str) -> None:
    """The revision stands failed with SQLSTATE and message; the next starts try it again, until one is clean."""
    from omega_bridge.audit.proofs import prover

    steps: list[str | Step] = ["CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)", Step(step, id="fails"), "SELECT 1"]
    (tmp_path / "env.py").write_text(ENV)
    export(analyse(Registry.of(steps)), tmp_path, prover=lambda _: prover(server))
    assert "attempt" in "".join(p.read_text() for p in (tmp_path / "versions").glob("*.py"))
    environment.upgrade(configured(tmp_path, database, registry=Registry.of(steps)), "head")
    (failed,) = [e for e in entries(database) if e[2] == "failed"]
    assert failed[:2] == ("alembic", "upgrade")
    assert failed[3]["error"]["sqlstate"] in ("42704", "42P01")
    assert failed[3]["error"]["message"]
    with open_session(database) as session:  # what status, drift and report go by
        (stands,) = left_undone(session.connection, {s.id: s.checksum for s in analyse(Registry.of(steps))})
    assert (stands["id"], stands["outcome"]) == ("fails", "failed")
    for _ in range(2):
        run = omega_bridge.boot(database, steps, history=tmp_path, on_error="continue")
        assert (run.outcome, {s.id: s.outcome for s in run.steps}["fails"]) == ("degraded", "failed")
    environment.upgrade(configured(tmp_path, database, registry=Registry.of(steps)), "head")
    assert omega_bridge.boot(database, steps, history=tmp_path, on_error="continue").outcome == "degraded"


def test_what_no_server_was_sent_stands_failed_in_an_upgrade(tmp_path: Path, database: str) -> None:
    """It ends there, with the reason on record: rows of the client's, and a session that would take no writes."""
    for name, step in (("copy", "COPY t FROM STDIN"), ("closes", "SET default_transaction_read_only = on")):
        exported(tmp_path / name, ["CREATE TABLE IF NOT EXISTS t (id int)", Step(step, id=name)])
        with pytest.raises(OmegaBridgeError) as told:
            environment.upgrade(configured(tmp_path / name, database), "head")
        assert told.value.code == "OB104"
        last = entries(database)[-1]
        assert (last[2], last[3]["steps"], last[3]["error"]["message"]) == ("failed", [name], told.value.message)
        value(database, "DROP TABLE t, alembic_version")


def test_an_attempt_beside_settings_fails_by_itself(tmp_path: Path, database: str, server: Any) -> None:
    """A step with a setting of its own has no transaction around it: where it is rejected the upgrade goes on, and it stands failed."""
    from omega_bridge.audit.proofs import prover

    steps: list[str | Step] = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        Step("SET search_path TO public; ALTER TABLE nosuch ADD a int", id="fails"),
    ]
    (tmp_path / "env.py").write_text(ENV)
    export(analyse(Registry.of(steps)), tmp_path, prover=lambda _: prover(server))
    environment.upgrade(configured(tmp_path, database), "head")
    assert [e[3]["error"]["sqlstate"] for e in entries(database) if e[2] == "failed"] == ["42P01"]


def test_a_squash_says_which_steps_were_allowed(tmp_path: Path, database: str) -> None:
    """Its file holds no SQL to tell what else of it may take rows: its own id is the word for all of it."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(START)
    ids = exported(
        tmp_path, ["CREATE TABLE IF NOT EXISTS u (id int)", Step("DROP TABLE IF EXISTS t", id="drop", destructive=True)]
    )
    squash(tmp_path, ids[-1], "")
    (file,) = (tmp_path / "versions").glob("*.py")
    assert "destructive = ('drop',)" in file.read_text().replace('"', "'")
    with pytest.raises(StepRefused):
        environment.upgrade(configured(tmp_path, database), "head")
    environment.upgrade(configured(tmp_path, database, f"allow-destructive={ids[-1]}"), "head")
    assert value(database, "SELECT to_regclass('t')") is None


FILLS = "DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO t (id) SELECT i WHERE NOT EXISTS (SELECT FROM t WHERE id = i); COMMIT; END LOOP; END $$"


def test_a_block_that_commits_as_it_goes_runs_in_both_drivers(tmp_path: Path, make_database: MakeDatabase) -> None:
    """A backfill in batches that ends its transaction: allowed, the upgrade passes as the start does; unasked, and not read in full, both refuse it."""
    table = "CREATE TABLE IF NOT EXISTS t (id int)"
    allowed: list[str | Step] = [table, Step(FILLS, id="fills", destructive=True)]
    exported(tmp_path / "allowed", allowed)
    upgraded, started = make_database(), make_database()
    environment.upgrade(configured(tmp_path / "allowed", upgraded, registry=Registry.of(allowed)), "head")
    assert omega_bridge.boot(started, allowed).outcome == "repaired"
    for url in (upgraded, started):
        assert value(url, "SELECT count(*) FROM t") == 3
    computed = FILLS.replace("; COMMIT", "; EXECUTE 'SELECT 1'; COMMIT")
    unasked: list[str | Step] = [table, Step(computed, id="fills")]
    first, _ = exported(tmp_path / "unasked", unasked)
    url = make_database()
    with pytest.raises(StepRefused, match="ends its own transaction"):
        environment.upgrade(configured(tmp_path / "unasked", url, registry=Registry.of(unasked)), "head")
    assert (value(url, VERSION), value(url, "SELECT count(*) FROM t")) == (first, 0)


def test_a_column_of_an_enumeration_has_a_guard_of_a_few_lines(tmp_path: Path, make_database: MakeDatabase, psql: str) -> None:
    """``--sql`` asks whether the type is the history's own enumeration, and stops where it is a domain; no row is watched for it."""
    url = make_database()
    steps: list[str | Step] = [
        START.partition(";")[0],
        "DO $$ BEGIN IF to_regtype('mood') IS NULL THEN CREATE TYPE mood AS ENUM ('calm'); END IF; END $$",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS mood mood NOT NULL DEFAULT 'calm'::mood, ADD COLUMN IF NOT EXISTS moods mood[]",
    ]
    exported(tmp_path, steps)
    config = configured(tmp_path, url)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    text = config.output_buffer.getvalue()
    assert (text.count("typtype <> 'e'"), text.count("would destroy rows")) == (2, 0)
    for first, told in (("CREATE DOMAIN mood AS text", "takes mood for an enumeration, and here it is none"), ("SELECT 1", "")):
        other = make_database()
        value(other, f"{first}; SELECT 1")
        arguments = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", other]
        done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False)
        assert (done.returncode == 0, told in done.stderr) == (not told, True)


def test_a_select_into_is_made_by_the_sql_too(tmp_path: Path, database: str, psql: str) -> None:
    """PL/pgSQL's ``EXECUTE`` takes none: watched, and in a step that PostgreSQL rejects where only an empty database is known."""
    steps: list[str | Step] = [
        START.partition(";")[0],
        "WITH old AS (SELECT id FROM t) SELECT id INTO snap FROM old UNION SELECT 7; INSERT INTO snap VALUES (8)",
        "SELECT 'it''s' AS a, legacy.* INTO UNLOGGED kept FROM legacy -- from before the list",
    ]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE legacy (id int); INSERT INTO legacy VALUES (1), (2)")
    exported(tmp_path, steps)
    config = configured(tmp_path, database, registry=Registry.of(steps))
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    script = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
    done = subprocess.run(script, input=config.output_buffer.getvalue(), capture_output=True, text=True, check=False)
    assert (done.returncode, "not possible here" in done.stderr) == (0, False), done.stderr
    assert value(database, "SELECT count(*) FROM snap") == 2
    assert (
        value(database, "SELECT (SELECT relpersistence::text FROM pg_class WHERE relname = 'kept') || count(*)::text FROM kept")
        == "u2"
    )


def test_a_script_that_only_adds_is_written_as_sql(tmp_path: Path, database: str) -> None:
    """``--sql`` refuses no script for its own BEGIN and COMMIT where none of its statements takes a row."""
    steps: list[str | Step] = [START.partition(";")[0], "BEGIN; ALTER TABLE t ADD COLUMN IF NOT EXISTS w int; COMMIT"]
    exported(tmp_path, steps)
    told = io.StringIO()
    config = configured(tmp_path, database, registry=Registry.of(steps))
    config.output_buffer = told
    command.upgrade(config, "head", sql=True)
    assert "ADD COLUMN IF NOT EXISTS w int" in told.getvalue()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS code text CHECK (code IS NOT NULL), ADD COLUMN IF NOT EXISTS more int DEFAULT 1",
        "CREATE UNIQUE INDEX IF NOT EXISTS t_name ON t (name)",
        "ALTER TABLE t DROP CONSTRAINT IF EXISTS long; ALTER TABLE t ADD CONSTRAINT long CHECK (length(name) > 3)",
    ],
    ids=["check", "unique", "replaced"],
)
def test_an_upgrade_goes_on_past_rows_that_the_steps_handler_lets_pass(
    tmp_path: Path, make_database: MakeDatabase, statement: str
) -> None:
    """On a database that holds rows which the list's author knew of, history and start do the same: nothing, and go on."""
    start = ("CREATE TABLE t (id int, name text, CONSTRAINT long CHECK (name <> ''))", "INSERT INTO t VALUES (1, 'x'), (2, 'x')")
    steps: list[str | Step] = [
        "CREATE TABLE IF NOT EXISTS t (id int, name text)",
        f"DO $$ BEGIN {statement}; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'skipped: %', SQLERRM; END $$",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS last int",
    ]
    booted, upgraded = make_database(), make_database()
    for url in (booted, upgraded):
        with psycopg.connect(url, autocommit=True) as conn:
            for text in start:
                conn.execute(text.encode())
    omega_bridge.boot(booted, steps)
    exported(tmp_path / "alembic", steps)
    command.upgrade(configured(tmp_path / "alembic", upgraded, registry=Registry.of(steps)), "head")
    assert not diff(catalog(booted), catalog(upgraded))


@pytest.mark.parametrize("is_there", [True, False], ids=["rows", "no rows"])
def test_a_script_that_scratch_rejects_is_written_as_sql(
    tmp_path: Path, server: Server, make_database: MakeDatabase, psql: str, *, is_there: bool
) -> None:
    """Each statement of it is judged by itself, as the upgrade does it: that of a type of which nobody has read what it does goes into a
    block. What would lose rows is told when it runs.
    """
    database = make_database()
    adds = "BEGIN; CREATE TABLE IF NOT EXISTS uu (id int); ALTER TABLE t ADD COLUMN IF NOT EXISTS w theirs.kind; COMMIT;"
    loses = "BEGIN; ALTER TABLE theirs.kept ADD COLUMN IF NOT EXISTS w theirs.kind; DROP TABLE theirs.doomed; COMMIT"
    steps: list[str | Step] = [START.partition(";")[0], adds, loses]
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA theirs; CREATE TABLE theirs.kept (id int); CREATE TABLE theirs.doomed (id int)")
        conn.execute("CREATE DOMAIN theirs.kind AS int DEFAULT 5 CHECK (VALUE > 0)")
        if is_there:
            conn.execute("INSERT INTO theirs.doomed VALUES (1)")
    export(analyse(Registry.of(steps)), tmp_path, prover=lambda _n: prover(server))
    config = configured(tmp_path, database, registry=Registry.of(steps))
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    script = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
    done = subprocess.run(script, input=config.output_buffer.getvalue(), capture_output=True, text=True, check=False)
    assert (done.returncode == 0, "would destroy rows: table theirs.doomed (1)" in done.stderr) == (not is_there, is_there), (
        done.stderr
    )
    assert value(database, "SELECT count(*) FROM information_schema.columns WHERE (table_name, column_name) = ('t', 'w')") == 1
    assert value(database, "SELECT to_regclass('theirs.doomed') IS NOT NULL") is is_there
