"""Statements whose effect no look-up by name finds: what they made is watched all the same, and its loss is no ``current``."""

from __future__ import annotations

import psycopg
import pytest

import omega_bridge
from omega_bridge.postgres.fast_path import sentinel
from omega_bridge.postgres.session import open_session
from tests.fixtures.databases import MakeDatabase

T = "CREATE TABLE IF NOT EXISTS tt (id int PRIMARY KEY, a int, b int)"
F = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'"
TF = "CREATE OR REPLACE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
PARTS = """DO $$ DECLARE n text; BEGIN FOREACH n IN ARRAY ARRAY['one', 'two'] LOOP
  EXECUTE format('CREATE TABLE IF NOT EXISTS part_%s (id int)', n); END LOOP; END $$"""
PUBLISHED = """DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = 'pub') THEN
  CREATE PUBLICATION pub FOR TABLE tt; END IF; END $$"""
GRANTED = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC"
DEFAULTS = "ALTER DEFAULT PRIVILEGES IN SCHEMA public {} SELECT ON TABLES {} PUBLIC"

DAMAGES = {
    "publication": ([T, PUBLISHED], "DROP PUBLICATION pub", "SELECT count(*) FROM pg_publication"),
    "publication's table": (
        [T, "DROP PUBLICATION IF EXISTS pub; CREATE PUBLICATION pub FOR TABLE tt"],
        "ALTER PUBLICATION pub DROP TABLE tt",
        "SELECT count(*) FROM pg_publication_rel",
    ),
    "statistics": (
        [T, "CREATE STATISTICS IF NOT EXISTS st (dependencies) ON a, b FROM tt"],
        "DROP STATISTICS st",
        "SELECT count(*) FROM pg_statistic_ext",
    ),
    "rule": (
        [T, "CREATE OR REPLACE RULE no AS ON DELETE TO tt DO INSTEAD NOTHING"],
        "DROP RULE no ON tt",
        "SELECT count(*) FROM pg_rules WHERE rulename = 'no'",
    ),
    "default privileges": (
        [T, DEFAULTS.format("GRANT", "TO")],
        DEFAULTS.format("REVOKE", "FROM"),
        "SELECT count(*) FROM pg_default_acl",
    ),
    "comment": (
        [F, "COMMENT ON FUNCTION f() IS 'one'"],
        "COMMENT ON FUNCTION f() IS NULL",
        "SELECT obj_description('f'::regproc)",
    ),
    "owner of a sequence": (
        [T, "CREATE SEQUENCE IF NOT EXISTS q", "ALTER SEQUENCE q OWNED BY tt.id"],
        "ALTER SEQUENCE q OWNED BY NONE",
        "SELECT pg_get_serial_sequence('tt', 'id')",
    ),
    "collation": (
        ['CREATE COLLATION IF NOT EXISTS plain FROM "C"'],
        "DROP COLLATION plain",
        "SELECT count(*) FROM pg_collation WHERE collname = 'plain'",
    ),
    "text search": (
        ["DROP TEXT SEARCH CONFIGURATION IF EXISTS words; CREATE TEXT SEARCH CONFIGURATION words (COPY = simple)"],
        "DROP TEXT SEARCH CONFIGURATION words",
        "SELECT count(*) FROM pg_ts_config WHERE cfgname = 'words'",
    ),
    "text search mapping": (
        [
            "DROP TEXT SEARCH CONFIGURATION IF EXISTS words; CREATE TEXT SEARCH CONFIGURATION words (PARSER = default)",
            "ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING IF EXISTS FOR word; "
            "ALTER TEXT SEARCH CONFIGURATION words ADD MAPPING FOR word WITH simple",
        ],
        "ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR word",
        "SELECT count(*) FROM pg_ts_config_map WHERE mapcfg >= 16384",
    ),
    "member of an operator family": (
        [
            "DROP OPERATOR FAMILY IF EXISTS fam USING btree; CREATE OPERATOR FAMILY fam USING btree",
            "ALTER OPERATOR FAMILY fam USING btree ADD OPERATOR 1 < (int4, int4)",
        ],
        "ALTER OPERATOR FAMILY fam USING btree DROP OPERATOR 1 (int4, int4)",
        "SELECT count(*) FROM pg_amop WHERE oid >= 16384",
    ),
    "aggregate": (
        ["CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4pl, stype = int)"],
        "DROP AGGREGATE total(int)",
        "SELECT count(*) FROM pg_proc WHERE proname = 'total'",
    ),
    "cast": (
        ["CREATE TYPE pair AS (a int)", "CREATE CAST (pair AS text) WITH INOUT"],
        "DROP CAST (pair AS text)",
        "SELECT count(*) FROM pg_cast WHERE oid >= 16384",
    ),
    "server": (
        ["CREATE FOREIGN DATA WRAPPER w", "CREATE SERVER s FOREIGN DATA WRAPPER w"],
        "DROP SERVER s",
        "SELECT count(*) FROM pg_foreign_server",
    ),
    "made by dynamic SQL": ([PARTS, T], "DROP TABLE part_two", "SELECT to_regclass('part_two')::text"),
    "column of what dynamic SQL made": (
        [PARTS.replace("(id int)'", "(id int); ALTER TABLE part_%1$s ADD COLUMN IF NOT EXISTS x int'"), T],
        "ALTER TABLE part_two DROP COLUMN x",
        "SELECT count(*) FROM information_schema.columns WHERE column_name = 'x'",
    ),
    "granted on all": ([T, GRANTED], "REVOKE SELECT ON tt FROM PUBLIC", "SELECT relacl::text FROM pg_class WHERE relname = 'tt'"),
    "attribute of a composite type": (
        [
            "DO $$ BEGIN CREATE TYPE pair AS (a int); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
            "ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint",
        ],
        "ALTER TYPE pair ALTER ATTRIBUTE a TYPE int",
        "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'pair'::regclass",
    ),
    "trigger at work": (
        [T, TF, "DROP TRIGGER IF EXISTS tr ON tt; CREATE TRIGGER tr BEFORE INSERT ON tt FOR EACH ROW EXECUTE FUNCTION tf()"],
        "ALTER TABLE tt DISABLE TRIGGER tr",
        "SELECT tgenabled::text FROM pg_trigger WHERE tgname = 'tr'",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_goes_is_put_back(make_database: MakeDatabase, name: str) -> None:
    """A start with nothing to do asks once; after the damage it is not current, and puts back what the loop would."""
    steps, damage, value = DAMAGES[name]
    url = make_database()
    omega_bridge.boot(url, steps)
    with psycopg.connect(url, autocommit=True) as conn:
        before = conn.execute(value.encode()).fetchone()
        again = omega_bridge.boot(url, steps)
        assert (again.outcome, again.round_trips) == ("current", 1)
        conn.execute(damage.encode())
        assert conn.execute(value.encode()).fetchone() != before
        assert omega_bridge.boot(url, steps).outcome == "repaired"
        assert conn.execute(value.encode()).fetchone() == before
    assert omega_bridge.boot(url, steps).round_trips == 1


Z = "CREATE SCHEMA z"
ALTERED = {
    "attribute of a composite type": (
        "CREATE TYPE pair AS (a int)",
        "ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint",
        "ALTER TYPE pair ALTER ATTRIBUTE a TYPE int",
        "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'pair'::regclass",
    ),
    "option of a view": (
        'CREATE VIEW "My View" AS SELECT 1 AS one',
        'ALTER VIEW "My View" SET (security_barrier = true)',
        'ALTER VIEW "My View" RESET (security_barrier)',
        "SELECT reloptions FROM pg_class WHERE relname = 'My View'",
    ),
    "parameter of an index": (
        "CREATE TABLE tt (id int); CREATE INDEX ix ON tt (id)",
        "ALTER INDEX ix SET (fillfactor = 60)",
        "ALTER INDEX ix RESET (fillfactor)",
        "SELECT reloptions FROM pg_class WHERE relname = 'ix'",
    ),
    "increment of an identity column": (
        "CREATE TABLE tt (id int GENERATED ALWAYS AS IDENTITY)",
        "ALTER TABLE tt ALTER id SET INCREMENT 7",
        "ALTER TABLE tt ALTER id SET INCREMENT 2",
        "SELECT seqincrement FROM pg_sequence",
    ),
    "constraint of a domain in another schema": (
        "CREATE SCHEMA z; CREATE DOMAIN z.d AS int",
        "ALTER DOMAIN z.d DROP CONSTRAINT IF EXISTS c; ALTER DOMAIN z.d ADD CONSTRAINT c CHECK (VALUE > 0)",
        "ALTER DOMAIN z.d DROP CONSTRAINT c",
        "SELECT count(*) FROM pg_constraint WHERE contypid = 'z.d'::regtype",
    ),
    "privilege on PostgreSQL's own language": (
        "",
        "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC",
        "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC",
        "SELECT has_language_privilege('pg_monitor', 'plpgsql', 'USAGE')",
    ),
    "option of a foreign table": (
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE ft (a int) SERVER s OPTIONS (x '1')",
        "ALTER FOREIGN TABLE ft OPTIONS (SET x '2')",
        "ALTER FOREIGN TABLE ft OPTIONS (SET x '3')",
        "SELECT ftoptions FROM pg_foreign_table",
    ),
    "constraint that is deferred": (
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE f (p int CONSTRAINT fk REFERENCES p)",
        "ALTER TABLE f ALTER CONSTRAINT fk DEFERRABLE",
        "ALTER TABLE f ALTER CONSTRAINT fk NOT DEFERRABLE",
        "SELECT condeferrable FROM pg_constraint WHERE conname = 'fk'",
    ),
    "option of a foreign table's column": (
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE ft (a int) SERVER s",
        "ALTER FOREIGN TABLE ft ALTER COLUMN a SET NOT NULL",
        "ALTER FOREIGN TABLE ft ALTER COLUMN a DROP NOT NULL",
        "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'ft'::regclass AND attname = 'a'",
    ),
    "statistics of an index in another schema": (
        f"{Z}; CREATE TABLE z.tt (id int); CREATE INDEX ix ON z.tt ((id + 1))",
        "ALTER INDEX z.ix ALTER COLUMN 1 SET STATISTICS 200",
        "ALTER INDEX z.ix ALTER COLUMN 1 SET STATISTICS 300",
        "SELECT attstattarget FROM pg_attribute WHERE attrelid = 'z.ix'::regclass",
    ),
    "statistics of an index, behind a guard": (
        f"{Z}; CREATE TABLE z.tt (id int); CREATE INDEX ix ON z.tt ((id + 1))",
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_class WHERE relname = 'ix') THEN"
        " ALTER INDEX z.ix ALTER COLUMN 1 SET STATISTICS 200; END IF; END $$",
        "ALTER INDEX z.ix ALTER COLUMN 1 SET STATISTICS 300",
        "SELECT attstattarget FROM pg_attribute WHERE attrelid = 'z.ix'::regclass",
    ),
    "parameter of an index in another schema": (
        f"{Z}; CREATE TABLE z.tt (id int); CREATE INDEX ix ON z.tt (id)",
        "ALTER INDEX z.ix SET (fillfactor = 60)",
        "ALTER INDEX z.ix RESET (fillfactor)",
        "SELECT reloptions FROM pg_class WHERE oid = 'z.ix'::regclass",
    ),
    "index that goes with an extension": (
        f"{Z}; CREATE TABLE z.tt (id int); CREATE INDEX ix ON z.tt (id)",
        "ALTER INDEX z.ix DEPENDS ON EXTENSION plpgsql",
        "ALTER INDEX z.ix NO DEPENDS ON EXTENSION plpgsql",
        "SELECT count(*) FROM pg_depend WHERE deptype = 'x'",
    ),
    "parameter of a materialised view": (
        f"{Z}; CREATE MATERIALIZED VIEW z.mv AS SELECT 1 AS one",
        "ALTER MATERIALIZED VIEW z.mv ALTER COLUMN one SET STATISTICS 7",
        "ALTER MATERIALIZED VIEW z.mv ALTER COLUMN one SET STATISTICS 8",
        "SELECT attstattarget FROM pg_attribute WHERE attrelid = 'z.mv'::regclass AND attnum = 1",
    ),
    "parameter of a TOAST table": (
        f"{Z}; CREATE TABLE z.tt (id text)",
        "ALTER TABLE z.tt SET (toast.autovacuum_enabled = false)",
        "ALTER TABLE z.tt SET (toast.autovacuum_enabled = true)",
        "SELECT t.reloptions FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.oid = 'z.tt'::regclass",
    ),
    "name of a view's column": (
        f"{Z}; CREATE VIEW z.v AS SELECT 1 AS one",
        "ALTER VIEW z.v RENAME COLUMN one TO two",
        "ALTER VIEW z.v RENAME COLUMN two TO one",
        "SELECT attname FROM pg_attribute WHERE attrelid = 'z.v'::regclass",
    ),
    "name of a composite type's attribute": (
        f"{Z}; CREATE TYPE z.p AS (a int)",
        "ALTER TYPE z.p RENAME ATTRIBUTE a TO b",
        "ALTER TYPE z.p RENAME ATTRIBUTE b TO a",
        "SELECT attname FROM pg_attribute WHERE attrelid = 'z.p'::regclass AND attnum = 1",
    ),
    "function of PostgreSQL's own": (
        "",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_backend_pid() FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION pg_backend_pid() TO PUBLIC",
        "SELECT proacl::text FROM pg_proc WHERE proname = 'pg_backend_pid'",
    ),
    "function of PostgreSQL's own, by its name alone": (
        "",
        "GRANT EXECUTE ON FUNCTION pg_stat_reset() TO pg_monitor",
        "REVOKE EXECUTE ON FUNCTION pg_stat_reset() FROM pg_monitor",
        "SELECT proacl::text FROM pg_proc WHERE proname = 'pg_stat_reset'",
    ),
    "table of PostgreSQL's own": (
        "",
        "GRANT SELECT (rolname) ON pg_authid TO pg_monitor",
        "REVOKE SELECT (rolname) ON pg_authid FROM pg_monitor",
        "SELECT has_column_privilege('pg_monitor', 'pg_authid', 'rolname', 'SELECT')",
    ),
    "view of the information schema": (
        "",
        "REVOKE SELECT ON information_schema.tables FROM PUBLIC",
        "GRANT SELECT ON information_schema.tables TO PUBLIC",
        "SELECT relacl::text FROM pg_class WHERE oid = 'information_schema.tables'::regclass",
    ),
    "type of PostgreSQL's own": (
        "",
        "REVOKE USAGE ON TYPE xml FROM PUBLIC",
        "GRANT USAGE ON TYPE xml TO PUBLIC",
        "SELECT has_type_privilege('pg_monitor', 'xml', 'USAGE')",
    ),
    "schema of PostgreSQL's own": (
        "",
        "REVOKE USAGE ON SCHEMA information_schema FROM PUBLIC",
        "GRANT USAGE ON SCHEMA information_schema TO PUBLIC",
        "SELECT has_schema_privilege('pg_monitor', 'information_schema', 'USAGE')",
    ),
    "function of PostgreSQL's own, in a statement that is put together": (
        "",
        "DO $$ BEGIN EXECUTE format('REVOKE EXECUTE ON FUNCTION %I() FROM PUBLIC', 'pg_backend_pid'); END $$",
        "GRANT EXECUTE ON FUNCTION pg_backend_pid() TO PUBLIC",
        "SELECT proacl::text FROM pg_proc WHERE proname = 'pg_backend_pid'",
    ),
    "comment on a function of PostgreSQL's own": (
        "",
        "COMMENT ON FUNCTION now() IS 'one'",
        "COMMENT ON FUNCTION now() IS 'two'",
        "SELECT obj_description('now'::regproc, 'pg_proc')",
    ),
    "comment on a table of PostgreSQL's own": (
        "",
        "COMMENT ON TABLE pg_class IS 'one'",
        "COMMENT ON TABLE pg_class IS NULL",
        "SELECT obj_description('pg_class'::regclass, 'pg_class')",
    ),
    "comment on a type of PostgreSQL's own": (
        "",
        "COMMENT ON TYPE int IS 'one'",
        "COMMENT ON TYPE int IS 'two'",
        "SELECT obj_description('int'::regtype, 'pg_type')",
    ),
    "privilege on a large object": (
        "SELECT lo_create(4711), lo_create(123456)",
        "GRANT SELECT ON LARGE OBJECT 4711, 123456 TO pg_monitor",
        "REVOKE SELECT ON LARGE OBJECT 123456 FROM pg_monitor",
        "SELECT lomacl::text FROM pg_largeobject_metadata WHERE oid = 123456",
    ),
    "comment on a large object": (
        "SELECT lo_create(4711)",
        "COMMENT ON LARGE OBJECT 4711 IS 'one'",
        "COMMENT ON LARGE OBJECT 4711 IS 'two'",
        "SELECT description FROM pg_description WHERE objoid = 4711 AND classoid = 'pg_largeobject'::regclass",
    ),
    "comment on a language of PostgreSQL's own": (
        "",
        "COMMENT ON LANGUAGE sql IS 'one'",
        "COMMENT ON LANGUAGE sql IS 'two'",
        "SELECT obj_description(oid, 'pg_language') FROM pg_language WHERE lanname = 'sql'",
    ),
}


def _is_put_back(url: str, before: str, step: str, damage: str, value: str) -> None:
    """A start sets a ``value`` of what was there ``before``; where a hand damages it, the next start sets it again, and then all is quiet."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(before.encode())
        omega_bridge.boot(url, [step])
        wanted = conn.execute(value.encode()).fetchone()
        assert omega_bridge.boot(url, [step]).round_trips == 1
        conn.execute(damage.encode())
        assert conn.execute(value.encode()).fetchone() != wanted
        assert omega_bridge.boot(url, [step]).outcome == "repaired"
        assert conn.execute(value.encode()).fetchone() == wanted
    assert omega_bridge.boot(url, [step]).round_trips == 1


@pytest.mark.parametrize("name", ALTERED)
def test_what_the_list_alters_and_does_not_make_is_watched(make_database: MakeDatabase, name: str) -> None:
    """The object was there before the list; a hand takes away what the list sets, and the next start sets it again."""
    before, step, damage, value = ALTERED[name]
    _is_put_back(make_database(), before, step, damage, value)


@pytest.mark.parametrize(
    "name", [name for name, (_, step, _, _) in ALTERED.items() if "DROP" not in step and "RENAME" not in step]
)
def test_it_is_watched_where_it_was_so_before(make_database: MakeDatabase, name: str) -> None:
    """The first start finds what the list says: it sends the statement, which need not write a thing, and watches what it is about."""
    before, step, damage, value = ALTERED[name]
    url = make_database()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(before.encode())
        conn.execute(step.encode())
        omega_bridge.boot(url, [step])
        wanted = conn.execute(value.encode()).fetchone()
        conn.execute(damage.encode())
        assert omega_bridge.boot(url, [step]).outcome == "repaired"
        assert conn.execute(value.encode()).fetchone() == wanted


PUT_TOGETHER = [
    "parameter of a materialised view", "name of a view's column", "name of a composite type's attribute",
    "statistics of an index in another schema", "function of PostgreSQL's own",
]  # fmt: skip


@pytest.mark.parametrize("name", PUT_TOGETHER)
def test_what_is_altered_by_a_statement_that_is_put_together_is_watched(make_database: MakeDatabase, name: str) -> None:
    """What it wrote is its recorded effect, whether a row of the object itself or of a column."""
    before, step, damage, value = ALTERED[name]
    step = f"DO $do$ DECLARE s text := $s${step}$s$; BEGIN EXECUTE s; END $do$"
    url = make_database()
    _is_put_back(url, before, step, damage, value)


@pytest.mark.parametrize("name", ["statistics of an index in another schema", "comment on a function of PostgreSQL's own"])
def test_the_event_trigger_tells_of_it_too(make_database: MakeDatabase, name: str) -> None:
    """A mark in a schema that the list names counts, PostgreSQL's own included."""
    before, step, damage, value = ALTERED[name]
    url = make_database()
    with open_session(url) as session:
        sentinel.install(session)
    _is_put_back(url, before, step, damage, value)


def test_what_a_comment_is_about_alone_counts(make_database: MakeDatabase) -> None:
    """Comments on the list's own functions have no start look at PostgreSQL's own of a name in their words."""
    steps = [F, "COMMENT ON FUNCTION f() IS 'the text of now'"]
    url = make_database()
    omega_bridge.boot(url, steps)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("COMMENT ON FUNCTION now() IS 'two'")
    assert omega_bridge.boot(url, steps).round_trips == 1
