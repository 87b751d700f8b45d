"""One boot against the naive loop's fixed point: what depends on the rest of the schema, on the session, on what is there."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.audit.equivalence import verify
from omega_bridge.catalog import Key, Kind, diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase
from tests.integration.test_again import compiled, upgraded

EVERY_TABLE = """
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS at timestamptz', t);
    END LOOP;
END $$
"""


def scalar(url: str, query: str) -> object:
    """The one value of a query."""
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_loop_over_the_catalog_sees_later_tables(database: str) -> None:
    """A step that means every table means those of later steps, too, after one boot; and it is named as standing too early."""
    steps = ["CREATE TABLE IF NOT EXISTS a (id int)", EVERY_TABLE, "CREATE TABLE IF NOT EXISTS b (id int)"]
    run = omega_bridge.boot(database, steps)
    assert (
        scalar(database, "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'at'")
        == 2
    )
    assert [s for s, _ in run.misplaced] == [run.steps[1].id]
    assert omega_bridge.boot(database, steps).outcome == "current"


def test_a_column_that_is_renamed_and_made_again_is_named_with_both_steps(database: str) -> None:
    """Who made it under the old name makes it again: that is said, and not that it stands too early."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int)",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS was text",
        "CREATE INDEX IF NOT EXISTS t_was ON t (was)",
    ]
    renames = """DO $$ BEGIN IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('t') AND attname = 'was')
        AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('t') AND attname = 'is_') THEN
            ALTER TABLE t RENAME COLUMN was TO is_; ALTER INDEX t_was RENAME TO t_is; END IF; END $$"""
    omega_bridge.boot(database, steps)
    run = omega_bridge.boot(database, [*steps, renames])
    assert run.misplaced == ()
    told = [warning for warning in run.warnings if "again" in warning]
    assert told[0].startswith(f"step t-was makes column public.t.was again, which step {run.steps[3].id} takes away")
    assert len(told) == 2


def test_a_guard_that_was_not_met_is_asked_again(database: str) -> None:
    """A step that did nothing because its table was missing does its work once a later step has made the table."""
    early = """DO $$ BEGIN IF to_regclass('public.t') IS NOT NULL THEN
        IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'c') THEN
            ALTER TABLE t ADD COLUMN c int; END IF; END IF; END $$"""
    run = omega_bridge.boot(database, [early, "CREATE TABLE IF NOT EXISTS t (id int)"])
    assert {s.outcome for s in run.steps} == {"applied"}
    assert scalar(database, "SELECT count(*) FROM information_schema.columns WHERE column_name = 'c'") == 1


def test_a_warning_names_the_place_where_there_is_one(database: str) -> None:
    """A step without a place in any source is told by its id alone."""
    steps = ["DO $$ BEGIN CREATE TABLE t (id int REFERENCES nowhere (id)); EXCEPTION WHEN OTHERS THEN NULL; END $$"]
    (warning,) = omega_bridge.boot(database, steps).warnings
    assert warning.startswith("step create-t: no-effect: it ran, and ")


def test_a_single_statement_whose_object_is_there_did_not_fail(database: str) -> None:
    """A statement without an idempotent form runs once; later starts that try it again are not stopped by it."""
    steps = ["CREATE TYPE p AS (a int)", "ALTER TYPE p ADD ATTRIBUTE b int"]
    assert omega_bridge.boot(database, steps).outcome == "repaired"
    again = omega_bridge.boot(database, [*steps, "CREATE TABLE t (id int)"])
    assert [s.outcome for s in again.steps] == ["already-there", "already-there", "applied"]
    assert "already exists" in again.steps[1].reason


def test_a_key_that_is_dropped_and_added_in_one_breath_stands(database: str) -> None:
    """Plain statements that were applied once are neither taken for without effect nor sent again as the list grows."""
    steps = [
        "CREATE TABLE IF NOT EXISTS u (url text, bio text)",
        "ALTER TABLE u ADD COLUMN id int NOT NULL, ADD CONSTRAINT u_pkey PRIMARY KEY (id)",
        "ALTER TABLE u DROP CONSTRAINT u_pkey, DROP COLUMN bio, DROP COLUMN id, ADD COLUMN name text, ADD CONSTRAINT u_pkey PRIMARY KEY (name)",
    ]
    run = omega_bridge.boot(database, steps)
    assert [s.outcome for s in run.steps] == ["applied"] * 3
    run = omega_bridge.boot(database, [*steps, "CREATE TABLE IF NOT EXISTS w (id int)"])
    assert [s.id for s in run.steps if s.action == "run"] == ["create-w"]


def test_a_comment_on_a_rebuilt_view_column_is_made_again(database: str) -> None:
    """Where a view is made anew, so is what the step says of its columns."""
    view = "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT {} FROM t; COMMENT ON COLUMN v.id IS 'x'"
    omega_bridge.boot(database, ["CREATE TABLE IF NOT EXISTS t (id int, n int)", view.format("id")])
    omega_bridge.boot(database, ["CREATE TABLE IF NOT EXISTS t (id int, n int)", view.format("id, n")])
    assert scalar(database, "SELECT col_description('v'::regclass, 1)") == "x"


def test_a_search_path_left_behind_is_not_recorded(database: str) -> None:
    """A step may set the ``search_path``: the record is one of what every start sees, and the next start is current."""
    steps = [
        "CREATE SCHEMA IF NOT EXISTS s",
        "SET search_path TO s; CREATE TABLE IF NOT EXISTS t (id int)",
        "DO $$ BEGIN PERFORM set_config('search_path', 's', true); ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; END $$",
    ]
    omega_bridge.boot(database, steps)
    assert omega_bridge.boot(database, steps).outcome == "current"
    assert scalar(database, "SELECT count(*) FROM information_schema.columns WHERE table_schema = 's'") == 2


def test_a_local_search_path_does_not_hide_the_version_table(make_database: MakeDatabase, tmp_path: Path) -> None:
    """A revision whose block moves the ``search_path`` runs apart from the transaction that writes ``alembic_version``."""
    folder = tmp_path
    (folder / "env.py").write_text("from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n")
    registry = Registry.of(
        [
            "CREATE SCHEMA IF NOT EXISTS s; CREATE TABLE IF NOT EXISTS s.t (id int)",
            "DO $$ BEGIN PERFORM set_config('search_path', 's', true); ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; END $$",
        ]
    )
    export(analyse(registry), folder)
    booted, upgraded = make_database(), make_database()
    omega_bridge.boot(booted, registry, history=folder)
    config = alembic_border.alembic_config(folder, upgraded)
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (registry, None)
    command.upgrade(config, "head")
    catalogs = []
    for url in (booted, upgraded):
        with psycopg.connect(url, autocommit=True) as conn:
            catalogs.append(read_catalog(conn))
    assert diff(*catalogs) == ()


def test_functions_are_told_by_their_argument_types(database: str) -> None:
    """Named, defaulted and OUT arguments do not hide a function that is there, whatever the spelling of its types."""
    steps = [
        "CREATE OR REPLACE FUNCTION f(who int, n varchar(9) DEFAULT 'x', OUT b text) LANGUAGE sql AS $$ SELECT 'b'::text $$",
        "CREATE OR REPLACE FUNCTION g(who int) RETURNS TABLE (a int, b text) LANGUAGE sql AS $$ SELECT 1, 'b'::text $$",
    ]
    assert [s.outcome for s in omega_bridge.boot(database, steps).steps] == ["applied", "applied"]
    again = omega_bridge.boot(database, steps, retry=True)
    assert "no-effect" not in {s.outcome for s in again.steps}


def test_data_steps_go_out_together(database: str) -> None:
    """All of them in one round trip, and one for the commit; where rows changed, those for the ledger's entries in between."""
    steps = [
        "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, v text)",
        "UPDATE t SET v = 'x' WHERE v IS NULL AND random() < 2",
        "UPDATE t SET v = 'y' WHERE v = 'z' AND random() < 2",
    ]
    omega_bridge.boot(database, steps)
    again = omega_bridge.boot(database, steps)
    assert (again.outcome, again.round_trips) == ("current", 3)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("INSERT INTO t SELECT g FROM generate_series(1, 100) g")
    changed = omega_bridge.boot(database, steps)
    assert [s.rows for s in changed.steps] == [100, 0]
    assert (changed.outcome, changed.round_trips) == ("current", 6)


def test_a_search_path_left_behind_by_a_revision(make_database: MakeDatabase, tmp_path: Path, server: Server) -> None:
    """The settings that a step leaves are those of the next steps, as on the loop's one connection; the version is found."""
    steps = [
        "CREATE SCHEMA IF NOT EXISTS app",
        "SET search_path TO app",
        "CREATE TABLE IF NOT EXISTS items (id int PRIMARY KEY)",
        "ALTER TABLE items ADD COLUMN IF NOT EXISTS c int",
    ]
    compiled(tmp_path / "alembic", server, steps)
    booted, url = make_database(), make_database()
    omega_bridge.boot(booted, steps)
    found = upgraded(url, tmp_path / "alembic", Registry.of(steps))
    assert diff(found, upgraded(url, tmp_path / "alembic")) == ()
    with psycopg.connect(booted, autocommit=True) as conn:
        assert diff(read_catalog(conn), found) == ()
    assert Key(Kind.COLUMN, "app", "items", "c") in found
    assert scalar(url, "SELECT count(*) FROM public.alembic_version") == 1


ONE_AFTER_THE_OTHER = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'parcels' AND column_name = 'weight') THEN
        ALTER TABLE parcels ADD COLUMN weight int;
    ELSIF NOT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'parcels' AND column_name = 'height') THEN
        ALTER TABLE parcels ADD COLUMN height int;
    END IF;
END $$
"""
PARCELS = ["CREATE TABLE IF NOT EXISTS parcels (id int)", "ALTER TABLE parcels ADD COLUMN IF NOT EXISTS label text"]
NAMES = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'parcels'::regclass AND attnum > 0"


def test_a_step_that_gives_itself_work_on_tables_of_this_start_is_done_in_it(database: str) -> None:
    """Its guard meets its own work: such a step is looked at once more behind its batch."""
    steps = [*PARCELS, ONE_AFTER_THE_OTHER]
    assert omega_bridge.boot(database, steps).passes == 2
    assert scalar(database, NAMES) == "id label weight height"
    assert omega_bridge.boot(database, steps, retry=True).outcome == "current"


def test_a_step_that_has_given_itself_none_needs_no_further_pass(database: str) -> None:
    """What the batch found in the end is enough."""
    steps = [*PARCELS, ONE_AFTER_THE_OTHER.partition("    ELSIF")[0] + "    END IF;\nEND $$"]
    assert omega_bridge.boot(database, steps).passes == 1
    assert scalar(database, NAMES) == "id label weight"
    assert omega_bridge.boot(database, steps, retry=True).outcome == "current"


def test_a_default_of_null_is_what_the_server_keeps_of_it(database: str) -> None:
    """Of a type with a length it keeps a NULL that is cast, of any other nothing: a start sends what sets it, and sees what is there."""
    steps = [
        "CREATE TABLE IF NOT EXISTS parcels (id int, code varchar(9), weight numeric(4,1) DEFAULT 1, label text DEFAULT 'x')",
        *(f"ALTER TABLE parcels ALTER COLUMN {name} SET DEFAULT NULL" for name in ("id", "code", "weight", "label")),
    ]
    assert omega_bridge.boot(database, steps).outcome == "repaired"
    told = "SELECT string_agg(a.attname || ' ' || pg_get_expr(d.adbin, d.adrelid), ', ' ORDER BY 1) FROM pg_attrdef d JOIN pg_attribute a"
    kept = scalar(database, f"{told} ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = 'parcels'::regclass")
    assert kept == "code NULL::character varying, weight NULL::numeric"
    assert omega_bridge.boot(database, steps).outcome == "current"


def test_a_default_of_null_in_a_definition_is_what_the_server_keeps_of_it(server: Server, database: str) -> None:
    """Of a domain it keeps a NULL that is cast, of an enum nothing: what is foreseen of a start is what comes."""
    steps = [
        "CREATE DOMAIN grams AS int",
        "CREATE TYPE shade AS ENUM ('light')",
        'CREATE TABLE IF NOT EXISTS parcels (id int DEFAULT NULL, weight grams DEFAULT NULL, shade shade DEFAULT NULL, "text" text DEFAULT NULL)',
        "ALTER TABLE parcels ADD COLUMN IF NOT EXISTS net grams DEFAULT NULL",
        "DO $$ BEGIN IF (SELECT count(column_default) FROM information_schema.columns WHERE table_name = 'parcels') = 2 THEN"
        " CREATE TABLE IF NOT EXISTS weighed (id int); END IF; END $$",
        "DO $$ BEGIN IF EXISTS (SELECT FROM information_schema.columns WHERE table_name = 'parcels' AND column_name = 'weight'"
        " AND column_default IS NOT NULL) THEN CREATE TABLE IF NOT EXISTS grams_kept (id int); END IF; END $$",
    ]
    found = verify(Registry.of(steps), None, server)
    assert (found.differences, found.predictions.mistaken) == ((), ())
    omega_bridge.boot(database, steps, on_error="continue")
    assert scalar(database, "SELECT count(*) FROM pg_class WHERE relname IN ('weighed', 'grams_kept')") == 2


def test_a_step_that_is_rejected_whole_takes_nothing_away(database: str) -> None:
    """What it would drop first is not left to it: one statement makes what is there, and PostgreSQL takes none of them."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE parcels (id int)")
        conn.execute("CREATE TABLE routes (id int)")
    steps = [
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_policies WHERE policyname = 'own' AND tablename = 'parcels') THEN"
        " CREATE POLICY own ON parcels USING (id > 0); END IF; END $$",
        "DROP POLICY IF EXISTS own ON parcels; CREATE TABLE routes (id int, day date)",
    ]
    omega_bridge.boot(database, steps, on_error="continue")
    assert scalar(database, "SELECT count(*) FROM pg_policies WHERE policyname = 'own'") == 1


def test_a_step_that_has_taken_something_away_and_would_be_rejected_now_keeps_its_word(database: str) -> None:
    """It is rejected for what it has made itself: what it took away is not made again, as the loop does from its second pass on."""
    steps = [
        "CREATE FUNCTION jobs(a text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION jobs(text); CREATE FUNCTION jobs(a text, b int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
    ]
    omega_bridge.boot(database, steps)
    for again in (False, True):
        omega_bridge.boot(database, [*steps, "CREATE TABLE IF NOT EXISTS parcels (id int)"], retry=again)
        assert (
            scalar(database, "SELECT string_agg(oid::regprocedure::text, ' ') FROM pg_proc WHERE proname = 'jobs'")
            == "jobs(text,integer)"
        )
