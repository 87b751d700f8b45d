"""What a step sets is in force for those behind it, and for nothing else: in a start, an upgrade, and the script of ``--sql``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.analysis.context import may_set
from omega_bridge.environment import upgrade
from omega_bridge.revisions.alembic_border import alembic_config
from omega_bridge.revisions.files import export
from omega_bridge.sql import parse
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.fixtures.roles import MakeRole

SIDE = "CREATE SCHEMA IF NOT EXISTS side"
T, U = "CREATE TABLE IF NOT EXISTS t (id int)", "CREATE TABLE IF NOT EXISTS u (id int, a int)"

LISTS = {
    "the search path of later steps": [SIDE, "SET search_path TO side", T, "SET search_path TO public", U],
    "a search path that stays": [SIDE, "SET search_path TO side", T],
    "by a function": [SIDE, "SELECT set_config('search_path', 'side', false)", T, "RESET search_path", U],
    "in a block": [SIDE, "DO $$ BEGIN PERFORM set_config('search_path', 'side', false); END $$", T, U],
    "among others": [f"{SIDE}; SET search_path = side; {T}", U],
    "for its transaction": [f"{SIDE}; SET LOCAL search_path = side; {T}", U],
    "for its transaction, with rows": [T, f"{SIDE}; SET LOCAL search_path = side, public; {U}; INSERT INTO t VALUES (1)", U],
    "for nothing": ["SET LOCAL search_path = side", SIDE, T],
    "the role of later steps": ["GRANT CREATE ON SCHEMA public TO {role}", "SET ROLE {role}", T, "RESET ROLE", U],
    "a role that stays": ["GRANT CREATE ON SCHEMA public TO {role}", "SET ROLE {role}", T],
    "a role for its transaction": ["GRANT CREATE ON SCHEMA public TO {role}", f"SET LOCAL ROLE {{role}}; {T}", U],
    "who the session is": [
        "GRANT CREATE ON SCHEMA public TO {role}", "SET SESSION AUTHORIZATION {role}", T, "RESET SESSION AUTHORIZATION", U,
    ],
    "a temporary table": [
        "CREATE TEMP TABLE IF NOT EXISTS src (id int)", "INSERT INTO src SELECT 1 WHERE NOT EXISTS (SELECT FROM src)",
        "CREATE TABLE IF NOT EXISTS t AS SELECT id, 'x'::text AS a FROM src", "DROP TABLE IF EXISTS src", U,
    ],
    "a temporary table that stays": [
        "CREATE TEMP TABLE src ON COMMIT PRESERVE ROWS AS SELECT 1 AS id; CREATE INDEX ON src (id)", U,
        "INSERT INTO u (id) SELECT id FROM src", "ALTER TABLE src ADD COLUMN a int", "INSERT INTO u SELECT * FROM pg_temp.src",
    ],
    "a temporary sequence": [
        U, "CREATE TEMP SEQUENCE numbers START 7", "CREATE TABLE IF NOT EXISTS t (id int, a text)", "INSERT INTO u (id) SELECT nextval('numbers')",
    ],
    "what is in pg_temp": [
        U, "CREATE TYPE pg_temp.kind AS ENUM ('int')", "CREATE OR REPLACE FUNCTION pg_temp.add(tab text, col text, kind pg_temp.kind) RETURNS void"
        " LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS %I %s DEFAULT 1', tab, col, kind); END $$; SELECT 1",
        "PREPARE fill (int) AS INSERT INTO u (id) VALUES ($1)", "SELECT pg_temp.add('u', 'b', 'int')", "EXECUTE fill(1)",
        "DO $$ BEGIN PERFORM pg_temp.add('u', 'c', 'int'); END $$", "DEALLOCATE fill",
    ],
    "what a default is read by": ["SET datestyle = 'SQL, DMY'", "CREATE TABLE IF NOT EXISTS t (at date DEFAULT '03/04/2020')"],
}  # fmt: skip


def tables(url: str) -> list[tuple[str, ...]]:
    """Schema, name, owner and defaults of each table, but for those that keep a record."""
    with psycopg.connect(url) as conn:
        return conn.execute(
            "SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), coalesce(pg_get_expr(d.adbin, d.adrelid), '')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attrdef d ON d.adrelid = c.oid"
            " WHERE c.relkind = 'r' AND n.nspname IN ('public', 'side') AND c.relname <> 'alembic_version' ORDER BY 1, 2"
        ).fetchall()


def by_loop(url: str, steps: list[str]) -> None:
    """Each step on its own, on one connection."""
    with psycopg.connect(url, autocommit=True) as conn:
        for step in steps:
            try:
                conn.execute(step.encode())
            except psycopg.Error:
                conn.rollback()


def versions(url: str) -> list[str]:
    """What ``public.alembic_version`` says."""
    with psycopg.connect(url) as conn:
        return [row[0] for row in conn.execute("SELECT version_num FROM public.alembic_version")]


ENV = """import os

from alembic import context
from sqlalchemy import create_engine

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration={each})
    {guarded}
else:
    with create_engine(os.environ["APP_URL"]).connect() as connection:
        context.configure(connection=connection, transaction_per_migration={each})
        {guarded}
"""
RUN = "with context.begin_transaction(): context.run_migrations()"
GUARDED = "from omega_bridge.own_environment import guarded\n{}with guarded(context), context.begin_transaction(): context.run_migrations()"


@pytest.mark.parametrize("steps", LISTS.values(), ids=LISTS)
def test_it_is_as_on_one_connection(steps: list[str], make_database: MakeDatabase, make_role: MakeRole, tmp_path: Path) -> None:
    """A start, an upgrade and a script lead where the loop leads, and each leaves the head on record."""
    role = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
    steps = [step.replace("{role}", str(role)) for step in steps]
    loop, booted, upgraded, scripted = (make_database() for _ in range(4))
    by_loop(loop, steps)
    wanted = tables(loop)
    folder = tmp_path / "alembic"
    head = export(analyse(Registry.of(steps)), folder).head
    try:
        assert omega_bridge.boot(booted, steps, history=folder).revision == head
        assert tables(booted) == wanted
        upgrade(alembic_config(folder, upgraded), "head")
        assert (tables(upgraded), versions(upgraded)) == (wanted, [head])
        assert omega_bridge.boot(upgraded, steps, history=folder).revision == head
        script(folder, scripted)
        assert (tables(scripted), versions(scripted)) == (wanted, [head])
    finally:
        for url in (loop, booted, upgraded, scripted):
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute(f"DROP OWNED BY {role}".encode())


NAMED = (
    "the search path of later steps",
    "a temporary table",
    "a temporary table that stays",
    "a temporary sequence",
    "what is in pg_temp",
    "by a function",
    "a role that stays",
    "what a default is read by",
)


@pytest.mark.parametrize("name", [*NAMED[:5], *(pytest.param(name, marks=pytest.mark.long) for name in NAMED[5:])])
def test_an_upgrade_from_the_middle_is_as_on_one_connection(
    name: str, make_database: MakeDatabase, make_role: MakeRole, tmp_path: Path
) -> None:
    """What revisions before the first one have set is in force, on whichever connection that one runs; in a script from there, too."""
    role = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
    steps = [step.replace("{role}", str(role)) for step in LISTS[name]]
    loop, upgraded, scripted = (make_database() for _ in range(3))
    by_loop(loop, steps)
    folder = tmp_path / "alembic"
    revisions = [r.id for r in export(analyse(Registry.of(steps)), folder).revisions]
    try:
        for before, revision in zip(["base", *revisions], revisions, strict=False):
            upgrade(alembic_config(folder, upgraded), revision)
            script(folder, scripted, f"{before}:{revision}")
        assert tables(upgraded) == tables(scripted) == tables(loop)
        assert versions(upgraded) == versions(scripted) == revisions[-1:]
    finally:
        for url in (loop, upgraded, scripted):
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute(f"DROP OWNED BY {role}".encode())


def script(folder: Path, url: str, revisions: str = "head") -> None:
    """What ``--sql`` writes, each statement by itself, as ``psql`` sends it."""
    (folder.parent / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    command = [sys.executable, "-m", "alembic", "upgrade", revisions, "--sql"]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=True)
    assert "Running then" not in done.stdout
    with psycopg.connect(url, autocommit=True) as conn:
        for statement in parse(done.stdout):
            conn.execute(statement.text.encode())


@pytest.mark.parametrize("each", [True, False], ids=["a transaction each", "one transaction"])
@pytest.mark.parametrize("is_guarded", [True, False], ids=["two lines", "untouched"])
def test_an_env_py_of_ones_own_writes_its_version_as_who_began(
    each: bool,
    is_guarded: bool,
    make_database: MakeDatabase,
    make_role: MakeRole,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Role and search path of a step are the steps' alone there, too."""
    role = psycopg.conninfo.conninfo_to_dict(make_role())["user"]
    steps = [
        f"CREATE SCHEMA IF NOT EXISTS side AUTHORIZATION {role}",
        f"SET ROLE {role}; SELECT set_config('search_path', 'side', false)",
        T,
    ]
    loop, url = make_database(), make_database()
    by_loop(loop, steps)
    folder = tmp_path / "alembic"
    head = export(analyse(Registry.of(steps)), folder).head
    lines = GUARDED if is_guarded else RUN
    (folder / "env.py").write_text(
        ENV.replace("    {guarded}\nelse", "    " + lines.format("    ") + "\nelse")
        .replace("        {guarded}", "        " + lines.format("        "))
        .replace("{each}", str(each))
    )
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    (tmp_path / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    (tmp_path / "main.py").write_text(f"migration_steps = {steps!r}\n")
    monkeypatch.setenv("APP_URL", url.replace("postgresql://", "postgresql+psycopg://"))
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tables(url), versions(url)) == (tables(loop), [head])
    for made in (loop, url):
        with psycopg.connect(made, autocommit=True) as conn:
            conn.execute(f"DROP OWNED BY {role}".encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SET work_mem = '1GB'", True),
        ("SELECT set_config('app.x', '1', false)", True),
        ("DO $$ BEGIN EXECUTE 'SET ROLE x'; END $$", True),
        ("DISCARD ALL", True),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1'", False),
        ("ALTER TABLE t ALTER a SET DEFAULT 1", False),
        ("UPDATE t SET role = 'x'", False),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE x'; END $$", False),
    ],
    ids=str,
)
def test_what_sets_is_told_from_what_does_not(text: str, expected: bool) -> None:
    """A script of a list that sets nothing has no word of settings in it."""
    assert may_set(text) is expected


@pytest.mark.parametrize(
    "step", ["SET default_transaction_read_only = on", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"]
)
def test_a_session_that_would_take_no_writes_is_taken_back(database: str, step: str) -> None:
    """The step fails and says why; the others, and the record, are written. What is about its own transaction alone changes nothing."""
    steps = [
        "CREATE TABLE IF NOT EXISTS a (id int)",
        ("closes", step),
        "SET TRANSACTION READ ONLY",
        "CREATE TABLE IF NOT EXISTS b (id int)",
    ]
    for first in ("applied", "already-there"):
        run = omega_bridge.boot(database, steps, on_error="continue")
        assert [s.outcome for s in run.steps] == [first, "failed", "applied", first]
        assert "takes no writes" in run.steps[1].reason


def test_what_is_the_sessions_own_is_no_gap(database: str) -> None:
    """A routine, a type and a view in ``pg_temp`` have been made, and no catalog shows them afterwards: nothing stands undone for it."""
    steps = [
        U,
        "CREATE TYPE pg_temp.kind AS ENUM ('int')",
        "CREATE FUNCTION pg_temp.add(tab text, kind pg_temp.kind) RETURNS void LANGUAGE plpgsql"
        " AS $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS b %s', tab, kind); END $$",
        "CREATE VIEW pg_temp.seen AS SELECT 'u'::text AS tab",
        "DO $$ BEGIN PERFORM pg_temp.add(tab, 'int') FROM pg_temp.seen; END $$",
    ]
    run = omega_bridge.boot(database, steps)
    assert [(s.outcome, s.reason) for s in run.steps if s.outcome != "applied"] == []
    assert omega_bridge.boot(database, steps).outcome == "current"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(b) FROM u").fetchone() == (0,)
