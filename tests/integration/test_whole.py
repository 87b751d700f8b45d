"""What a step changes beyond what its text tells, and beyond what the catalog holds: at a start, and in a history."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.audit.proofs import prover
from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.postgres.following import Follower
from omega_bridge.postgres.whole_catalog import Watcher, changes, read_whole
from omega_bridge.revisions import alembic_border
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase

ENV = "from alembic import context\nfrom omega_bridge.environment import run\n\nrun(context)\n"


def whole(url: str) -> Catalog:
    """All of a database."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_whole(conn)


def looped(url: str, texts: Sequence[str]) -> Catalog:
    """All of a database when the naive loop changes nothing more in it."""
    before = None
    for _ in range(8):
        with psycopg.connect(url, autocommit=True) as conn:
            for text in texts:
                try:
                    conn.execute(text.encode())
                except psycopg.Error:
                    continue
        after = whole(url)
        if before is not None and not changes(before, after):
            return after
        before = after
    raise AssertionError("the loop does not settle")


BASE = (
    "CREATE TABLE t (id int, a text); CREATE VIEW v AS SELECT id FROM t; CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; "
    "CREATE OPERATOR FAMILY fam USING btree; CREATE SCHEMA side; CREATE PUBLICATION parts"
)
STATEMENTS = {
    "rule public.t.r": "CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING",
    "publication p": "CREATE PUBLICATION p FOR TABLE t",
    "statistics public.st": "CREATE STATISTICS st (dependencies) ON id, a FROM t",
    "default privileges public.tables of postgres": "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC",
    "schema public": "GRANT CREATE ON SCHEMA public TO pg_monitor",
    "operator public.===(integer,integer)": "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
    "range type public.span": "CREATE TYPE span AS RANGE (subtype = int4)",
    "column public.t.a": "COMMENT ON COLUMN t.a IS 'a'",
    "table public.t": "ALTER TABLE t SET (fillfactor = 50)",
    "access method heap2": "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler",
    "operator family public.fam using btree": "ALTER OPERATOR FAMILY fam USING btree ADD OPERATOR 1 < (int4, int2)",
    "publication parts": "ALTER PUBLICATION parts ADD TABLES IN SCHEMA side",
    "table public.bucket_1": "CREATE TABLE bucket_1 (id int)",
    "event trigger e": "CREATE FUNCTION et() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION et()",
}


@pytest.mark.parametrize(
    "told",
    [pytest.param(told, marks=[pytest.mark.pg(">= 15")] if "IN SCHEMA side" in STATEMENTS[told] else []) for told in STATEMENTS],
)
def test_what_a_statement_leaves_is_seen(database: str, told: str) -> None:
    """Rules, publications, privileges by default and the like count, and so does what bears no name that the list has."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(BASE.encode())
        watcher, follower = Watcher(conn), Follower(conn)
        before, then = watcher.look(), follower.look()
        conn.execute(STATEMENTS[told].encode())
        of_this_role = told.replace("tables of postgres", f"tables of {conn.info.user}")
        assert of_this_role in map(str, changes(before, watcher.look()))
        assert of_this_role in {str(d.key) for d in diff(then, follower.look())}


def test_what_is_written_anew_and_says_the_same_is_no_change(database: str) -> None:
    """A rule that is replaced by itself, and what was dropped and made again, has not changed."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"{BASE}; CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING; CREATE PUBLICATION p FOR TABLE t".encode())
        watcher = Watcher(conn)
        before = watcher.look()
        assert watcher.look() is before
        conn.execute(
            "CREATE OR REPLACE RULE r AS ON DELETE TO t DO ALSO NOTHING; DROP PUBLICATION p; CREATE PUBLICATION p FOR TABLE t"
        )
        conn.execute("ANALYZE t; CREATE TEMP TABLE passing (id int)")
        assert changes(before, watcher.look()) == {}
        conn.execute("DROP RULE r ON t")
        assert list(map(str, changes(before, watcher.look()))) == ["rule public.t.r"]


def test_another_one_s_search_path_changes_no_word(database: str) -> None:
    """Operators and functions that somebody else offers are not asked, and names are printed in full."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(BASE)
        before = read_whole(conn)
        conn.execute(
            "CREATE SCHEMA evil; CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$SELECT 'x'$$"
        )
        conn.execute("SET search_path = evil, public, pg_catalog")
        found = changes(before, read_whole(conn))
    assert all("evil" in str(key) for key in found)


LOOP = """DO $$ DECLARE t record; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic%' ORDER BY 1 LOOP
    EXECUTE format('ALTER TABLE public.%I ADD COLUMN IF NOT EXISTS tenant int', t.tablename);
  END LOOP;
END $$"""
BUCKETS = "DO $$ BEGIN FOR i IN 1..2 LOOP EXECUTE 'CREATE TABLE IF NOT EXISTS bucket_' || i || ' (id int)'; END LOOP; END $$"
T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
NO_RULE = "DO $$ BEGIN DROP RULE IF EXISTS r ON t; EXCEPTION WHEN OTHERS THEN NULL; END $$"
RULE = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_rules WHERE rulename = 'r') THEN CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING; END IF; END $$"
IF_RULE = """DO $$ BEGIN IF EXISTS (SELECT FROM pg_rules WHERE rulename = 'r') THEN
  ALTER TABLE t ADD COLUMN IF NOT EXISTS ruled int; END IF; END $$"""
OPTIONS = """DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'n') THEN
  ALTER TABLE t ALTER COLUMN n SET (n_distinct = 5); END IF; END $$"""

LISTS: dict[str, list[str]] = {
    "a step that waits stands ahead of a search path": [
        "CREATE VIEW v AS SELECT * FROM later",
        "CREATE SCHEMA IF NOT EXISTS side",
        "SET search_path TO side, public",
        "CREATE TABLE IF NOT EXISTS public.later (id int)",
        "CREATE TABLE IF NOT EXISTS inside (id int)",
        "RESET search_path",
        "CREATE TABLE IF NOT EXISTS outside (id int)",
    ],
    "a step that waits stands behind what discards a search path": [
        "CREATE SCHEMA IF NOT EXISTS side",
        "SET search_path TO side",
        "CREATE TABLE IF NOT EXISTS inside (id int)",
        "DISCARD ALL",
        "CREATE TABLE IF NOT EXISTS outside (id int)",
        "CREATE VIEW public.v AS SELECT * FROM public.late",
        "CREATE TABLE IF NOT EXISTS late (id int)",
    ],
    "an index beside a table that shadows another": [
        "CREATE SCHEMA IF NOT EXISTS side",
        "CREATE TABLE IF NOT EXISTS t (id int, ref uuid)",
        "SET search_path TO side, public",
        "CREATE INDEX IF NOT EXISTS ix ON t (ref)",
        "CREATE TABLE IF NOT EXISTS t (id int, ref uuid)",
    ],
    "a rejected step stands ahead of a search path that stays": [
        "CREATE TABLE IF NOT EXISTS t (id int); ALTER TABLE u ADD COLUMN IF NOT EXISTS r int",
        "CREATE SCHEMA IF NOT EXISTS side",
        "SELECT set_config('search_path', 'side, public', false)",
        "CREATE TABLE IF NOT EXISTS public.u (id int)",
        "CREATE TABLE IF NOT EXISTS inside (id int)",
    ],
    "the first of two makers is rejected": [
        "CREATE TABLE IF NOT EXISTS o (id serial PRIMARY KEY, CONSTRAINT uq_o UNIQUE (id))",
        "CREATE TABLE IF NOT EXISTS o (id int, name text)",
        "DO $$ BEGIN IF to_regclass('o_old') IS NULL THEN ALTER TABLE o RENAME TO o_old; END IF; END $$",
    ],
    "a table that is made anew in a further pass": [
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = 'o') THEN NULL; "
        "ELSE DROP TABLE o; END IF; END $$",
        "ALTER TABLE u ADD COLUMN IF NOT EXISTS small smallint",
        "CREATE TABLE IF NOT EXISTS o (id int, small smallint)",
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'u') "
        "THEN NULL; ELSE DROP TABLE u CASCADE; END IF; END $$",
        "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY, ref uuid)",
    ],
    "a rejected step ahead of one that gives itself work": [
        "ALTER TABLE o DROP COLUMN IF EXISTS gone; ALTER TABLE o ADD COLUMN IF NOT EXISTS d real",
        "ALTER TABLE IF EXISTS o RENAME TO o_old; CREATE TABLE IF NOT EXISTS o (id int NOT NULL)",
    ],
    "one that never settles among those that wait": [
        "COMMENT ON TABLE late IS 'late'; CREATE STATISTICS st (dependencies) ON id, amount FROM u",
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_statistic_ext WHERE stxname = 'st') THEN "
        "CREATE STATISTICS st (dependencies) ON id, tags FROM u; END IF; END $$",
        "ALTER TABLE u ADD COLUMN more int; ALTER TABLE nowhere.u ADD COLUMN more int",
        "CREATE TABLE IF NOT EXISTS u (id int, amount int, tags text[])",
        "CREATE TABLE IF NOT EXISTS late (id int)",
    ],
    "tables that no text names": [T, LOOP, BUCKETS],
    "a rule before its table, swallowed": [f"DO $$ BEGIN {RULE[13:-7]} EXCEPTION WHEN OTHERS THEN NULL; END $$", T],
    "a guard on a rule that comes": [T, IF_RULE, RULE],
    "a rule dropped, and made anew behind": [
        T,
        NO_RULE,
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS p int REFERENCES u (id)",
        RULE,
        "CREATE TABLE u (id int PRIMARY KEY)",
    ],
    "options of a column that comes": [OPTIONS, T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS n int"],
    "a rule's remover held back": [
        T,
        "INSERT INTO u (id) VALUES (3) ON CONFLICT DO NOTHING; ALTER TABLE t ADD COLUMN IF NOT EXISTS p int REFERENCES u (id)",
        "DROP RULE IF EXISTS r ON t",
        RULE,
        "CREATE TABLE IF NOT EXISTS u (id int PRIMARY KEY)",
    ],
    "a view on what is rebuilt with its views": [
        T,
        "DROP MATERIALIZED VIEW IF EXISTS m CASCADE; CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM t",
        "CREATE VIEW on_m AS SELECT n FROM m",
        "CREATE UNIQUE INDEX IF NOT EXISTS m_n ON m (n)",
    ],
    "privileges by default that come later": [
        T,
        "DROP MATERIALIZED VIEW IF EXISTS m; CREATE MATERIALIZED VIEW m AS SELECT * FROM t WITH NO DATA",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC",
    ],
}


@pytest.mark.parametrize("name", LISTS)
def test_a_start_and_a_history_end_where_the_loop_ends(
    tmp_path: Path, make_database: MakeDatabase, server: Server, name: str
) -> None:
    """What one step leaves in places that the catalog does not hold gives work to others, once, as in the loop."""
    steps = LISTS[name]
    wanted = looped(make_database(), steps)
    booted, upgraded = make_database(), make_database()
    omega_bridge.boot(booted, steps, on_error="continue")
    assert changes(wanted, whole(booted)) == {}
    registry = Registry.of(steps)
    (tmp_path / "env.py").write_text(ENV)
    with prover(server) as judge:
        export(analyse(registry), tmp_path, prover=lambda _n: nullcontext(judge))
    config = alembic_border.alembic_config(tmp_path, upgraded)
    config.attributes["omega_bridge_config"] = Config(root=tmp_path)
    config.attributes["omega_bridge_registry"] = (registry, None)
    environment.upgrade(config, "head")
    assert changes(wanted, whole(upgraded)) == {}
    further = list((tmp_path / "versions").glob("*_settle_*.py"))
    assert len(further) <= len(steps)  # no step is tried again and again


def test_a_longer_list_goes_on_behind_a_step_that_came_late(tmp_path: Path, make_database: MakeDatabase, server: Server) -> None:
    """The next export begins where the history ends, with what a late step was put between; the files before stay as they are."""
    steps = LISTS["a step that waits stands ahead of a search path"][:-2]
    longer = [*steps, "CREATE OR REPLACE VIEW w AS SELECT * FROM v", "CREATE TABLE IF NOT EXISTS more (id int)"]
    (tmp_path / "env.py").write_text(ENV)
    kept = {}
    for texts in (steps, longer):
        with prover(server) as judge:
            export(analyse(Registry.of(texts)), tmp_path, prover=lambda _n, judge=judge: nullcontext(judge))  # type: ignore[misc]
        kept = kept or {p.name: p.read_bytes() for p in (tmp_path / "versions").glob("*.py")}
    assert kept.items() <= {p.name: p.read_bytes() for p in (tmp_path / "versions").glob("*.py")}.items()
    upgraded = make_database()
    config = alembic_border.alembic_config(tmp_path, upgraded)
    config.attributes["omega_bridge_config"] = Config(root=tmp_path)
    config.attributes["omega_bridge_registry"] = (Registry.of(longer), None)
    environment.upgrade(config, "head")
    assert changes(looped(make_database(), longer), whole(upgraded)) == {}


RULED = "CREATE OR REPLACE RULE r AS ON DELETE TO %I DO ALSO NOTHING"
NOTED = "COMMENT ON TABLE %I IS NULL"


def test_nothing_is_sent_twice_where_nothing_changed(database: str) -> None:
    """Two steps of which only the server knows the effect run once each where neither changes what the other finds."""
    steps = [
        "INSERT INTO notes SELECT missing FROM nowhere",
        "CREATE TABLE IF NOT EXISTS notes (t text)",
        *(
            f"DO $$ BEGIN EXECUTE format('{sql}', 'notes'); INSERT INTO notes VALUES ('{sql[:6]}'); END $$"
            for sql in (RULED, NOTED)
        ),
    ]
    run = omega_bridge.boot(database, steps, on_error="continue")
    with psycopg.connect(database) as conn:
        found = conn.execute("SELECT count(*) FROM notes").fetchone()
    assert (run.passes, found) == (2, (2,))


def test_settings_of_other_databases_are_no_concern(make_database: MakeDatabase) -> None:
    """Where the whole database counts, what is set for another one does not make a start look again; what is set for this one does."""
    mine, other = make_database(), make_database()
    steps = ["CREATE TABLE IF NOT EXISTS t (id int)", "DO $$ BEGIN EXECUTE format('COMMENT ON TABLE %I IS NULL', 't'); END $$"]
    sets = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END $$"
    omega_bridge.boot(mine, steps)
    with psycopg.connect(other, autocommit=True) as conn:
        conn.execute(sets)
    assert omega_bridge.boot(mine, steps).round_trips == 1
    with psycopg.connect(mine, autocommit=True) as conn:
        conn.execute(sets)
    assert omega_bridge.boot(mine, steps).round_trips > 1
