"""Statements times what they find: is there nothing to do, and is what they leave seen to be what they promise?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import psycopg

from omega_bridge.analysis import analyse
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.steps import Registry
from tests.oracle.guards.clauses import CLAUSES
from tests.oracle.guards.judge import Connection, Pieces, claim, look, misread, taken_back

BASE = "CREATE TABLE t (id int PRIMARY KEY, a text, n int); CREATE TYPE mood AS ENUM ('a', 'b');"

_TYPES = [
    "bit", "bit(3)", "bit varying(3)", "varbit", "decimal(5)", "decimal", "dec(5, 2)", "numeric(5)", "numeric(5,0)", "numeric(5, 2)",
    "int", "int4", "integer", "int8", "bigint", "int2", "float", "float(10)", "float(30)", "float4", "real", "double precision",
    "char", "char(3)", "character(3)", "nchar(3)", "\"char\"", "bpchar", "varchar", "varchar(5)", "character varying(5)", "text", "name",
    "bool", "boolean", "date", "time", "time(3)", "timetz", "time with time zone", "timestamp", "timestamp(3)", "timestamptz",
    "timestamp(3) with time zone", "interval", "interval(3)", "interval year", "interval day to second(3)", "int[]", "int[3]", "int[][]",
    "int array", "int array[3]", "varchar(5)[]", "decimal(5)[]", "mood", "public.mood", "mood[]", "public.mood[]", "pg_catalog.int4",
    "pg_catalog.varchar(5)", "uuid", "json", "jsonb", "bytea", "inet", "money", "xml", "int4range", "text COLLATE \"C\"", "oid", "regclass",
]  # fmt: skip
_DEFAULTS = [
    "1", "-1", "'x'", "NULL", "now()", "CURRENT_TIMESTAMP", "'2024-01-31'", "'x'::text", "1 + 1", "(1)", "'{}'::jsonb", "'a'::mood", "true",
    "'1'::int", "1.50", "1e3", "array[1, 2]", "upper('x')", "current_user", "nextval('q')", "E'a\\nb'", "U&'\\0041'", "'1'", "length('a')",
]  # fmt: skip
_TYPE_OF = {
    "1": "int", "-1": "int", "1 + 1": "int", "(1)": "int", "now()": "timestamptz", "CURRENT_TIMESTAMP": "timestamptz", "'2024-01-31'": "date",
    "'{}'::jsonb": "jsonb", "'a'::mood": "mood", "true": "bool", "'1'::int": "int", "1.50": "numeric", "1e3": "numeric",
    "array[1, 2]": "int[]", "nextval('q')": "int", "'1'": "int", "length('a')": "int",
}  # fmt: skip

_COMMANDS = [
    "ALTER n SET NOT NULL", "ALTER n DROP NOT NULL", "ALTER n SET DEFAULT 1", "ALTER n SET DEFAULT 2", "ALTER n DROP DEFAULT", "ALTER n TYPE bigint",
    "ALTER n TYPE int", "ADD COLUMN IF NOT EXISTS n text", "ADD COLUMN n int", "ADD COLUMN n int DEFAULT 7 NOT NULL", "DROP COLUMN IF EXISTS n",
    "DROP COLUMN n", "ALTER n ADD GENERATED ALWAYS AS IDENTITY", "ALTER n DROP IDENTITY IF EXISTS", "ADD CONSTRAINT c CHECK (n > 0)",
    "ADD CONSTRAINT c UNIQUE (n)", "DROP CONSTRAINT IF EXISTS c", "VALIDATE CONSTRAINT c", "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY",
]  # fmt: skip
"""What one ``ALTER TABLE`` may say twice of one thing: PostgreSQL carries its commands out in an order of its own."""

CASES: list[tuple[str, str]] = [
    *((f"{BASE} {start}", f"ALTER TABLE t {one}, {other}") for start in (
        "", "ALTER TABLE t ALTER n SET NOT NULL, ALTER n SET DEFAULT 1", "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)", "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0); COMMENT ON CONSTRAINT c ON t IS 'x'",
        "ALTER TABLE t ALTER n SET NOT NULL, ALTER n ADD GENERATED ALWAYS AS IDENTITY", "ALTER TABLE t DROP COLUMN n",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    ) for one in _COMMANDS for other in _COMMANDS),
    *((BASE, f"ALTER TABLE t ADD COLUMN IF NOT EXISTS x {t}") for t in _TYPES),
    *((f"{BASE} ALTER TABLE t ADD COLUMN x {t}", f"ALTER TABLE t ALTER COLUMN x TYPE {t}") for t in _TYPES),
    *((f"{BASE} ALTER TABLE t ADD COLUMN x {one}", f"ALTER TABLE t ALTER COLUMN x TYPE {other}") for one, other in (
        ("bit(3)", "bit"), ("varchar", "varchar(5)"), ("numeric", "numeric(5)"), ("numeric(5,2)", "decimal(5)"), ("char(3)", "char"),
        ("timestamp", "timestamp(3)"), ("int", "int[]"), ("interval", "interval year"), ("text", "text COLLATE \"C\""),
        ("text COLLATE \"C\"", "text"), ("varchar(5)", "text"), ("double precision", "float(10)"), ("time", "timetz"), ("\"char\"", "char(1)"),
    )),
    *((f"{BASE} CREATE SEQUENCE q", f"ALTER TABLE t ADD COLUMN IF NOT EXISTS x {_TYPE_OF.get(d, 'text')} DEFAULT {d}") for d in _DEFAULTS),
    *((f"{BASE} CREATE SEQUENCE q; ALTER TABLE t ADD COLUMN x {_TYPE_OF.get(d, 'text')} DEFAULT {d}", f"ALTER TABLE t ALTER x SET DEFAULT {d}")
      for d in _DEFAULTS),
    *((f"{BASE} ALTER TABLE t ADD COLUMN x {t} DEFAULT {d}", f"ALTER TABLE t ALTER x SET DEFAULT {e}") for t, d, e in (
        ("text", "'x'", "'y'"), ("text", "'x'", "NULL"), ("int", "1", "2"), ("int", "1", "'1'"), ("bool", "true", "'yes'"), ("text", "'1'", "1"),
        ("varchar(3)", "'x'", "'x'::text"), ("timestamptz", "now()", "CURRENT_TIMESTAMP(0)"), ("timestamp", "now()", "localtimestamp"),
        ("timestamptz", "now()", "'now'"), ("text", "'a b'", "'a  b'"), ("text", "current_user", "'current_user'"),
        ("char(3)", "'x'", "'x  '"), ("jsonb", "'{\"a\":1}'", "'{\"a\": 1}'"), ("numeric", "1.0", "1"), ("int", "1", "1.0"),
        ("varchar(10)", "'x'::text", "'x'"), ("text", "'x'::varchar", "'x'"), ("char(3)", "'x'::text", "'x'"), ("varchar(3)[]", "'{}'::text[]", "'{}'"),
        ("varchar(3)", "'x'::varchar(2)", "'x'"),
    )),
    (f"{BASE}", "ALTER TABLE t ALTER n SET DEFAULT NULL"),
    (f"{BASE} ALTER TABLE t ALTER n SET DEFAULT 1", "ALTER TABLE t ALTER n DROP DEFAULT"),
    (f"{BASE}", "ALTER TABLE t ALTER n DROP DEFAULT"),
    *((f"{BASE} {start}", f"ALTER TABLE t {command}") for start in (
        "", "ALTER TABLE t ALTER n SET NOT NULL", "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)", "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 1)",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID", "ALTER TABLE t ADD CONSTRAINT c UNIQUE (n)", "CREATE INDEX c ON t (n)",
        "ALTER TABLE t ADD CHECK (n > 0)", "ALTER TABLE t ADD UNIQUE (n)", "ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES t",
        "ALTER TABLE t ALTER n SET NOT NULL, ALTER n ADD GENERATED BY DEFAULT AS IDENTITY", "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "DROP TABLE t",
        "ALTER TABLE t RENAME n TO m",
    ) for command in (
        "ALTER n SET NOT NULL", "ALTER n DROP NOT NULL", "ADD CONSTRAINT c CHECK (n > 0)", "ADD CONSTRAINT c CHECK (n > 0) NOT VALID",
        "VALIDATE CONSTRAINT c", "DROP CONSTRAINT c", "DROP CONSTRAINT IF EXISTS c", "ADD CONSTRAINT c UNIQUE (n)", "ADD CHECK (n > 0)",
        "ADD UNIQUE (n)", "ADD FOREIGN KEY (n) REFERENCES t", "ADD PRIMARY KEY (n)", "DROP COLUMN n", "DROP COLUMN IF EXISTS n",
        "ADD COLUMN n int", "ADD COLUMN IF NOT EXISTS n int CHECK (n > 0)", "ADD COLUMN IF NOT EXISTS x int UNIQUE",
        "ALTER n ADD GENERATED BY DEFAULT AS IDENTITY", "ALTER n ADD GENERATED ALWAYS AS IDENTITY", "ALTER n DROP IDENTITY",
        "ALTER n DROP IDENTITY IF EXISTS", "ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY", "RENAME COLUMN n TO m", "RENAME TO t2",
        "RENAME CONSTRAINT c TO c2", "SET (fillfactor = 50)", "ALTER n SET STATISTICS 10", "ALTER a SET STORAGE external", "OWNER TO postgres",
        "SET UNLOGGED", "REPLICA IDENTITY FULL", "CLUSTER ON c", "ALTER n SET DATA TYPE bigint USING n::bigint",
        "ADD CONSTRAINT c CHECK (n > 0) NOT ENFORCED", "ALTER CONSTRAINT c DEFERRABLE",
    )),
    *((f"{BASE} {start}", f"ALTER TABLE {only} ADD COLUMN IF NOT EXISTS n int") for start in ("", "DROP TABLE t") for only in (
        "ONLY t", "IF EXISTS t", "IF EXISTS ONLY t", "public.t", "other.t", '"T"',
    )),
    *((f"{BASE} {start}", statement) for start in (
        "", "CREATE INDEX i ON t (n)", "CREATE UNIQUE INDEX i ON t (a)", "CREATE TABLE i (id int)", "CREATE INDEX t_n_idx ON t (n)",
        "CREATE SCHEMA other; CREATE TABLE other.t (n int); CREATE INDEX i ON other.t (n)",
        "CREATE INDEX i ON t (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
    ) for statement in (
        "CREATE INDEX IF NOT EXISTS i ON t (n)", "CREATE INDEX i ON t (n)", "CREATE INDEX ON t (n)", "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (n)",
        "DROP INDEX IF EXISTS i", "DROP INDEX i", "ALTER INDEX i RENAME TO j", "ALTER INDEX IF EXISTS i RENAME TO j", "REINDEX INDEX i",
        "COMMENT ON INDEX i IS 'x'",
    )),
    *((f"CREATE TABLE p (id int, n int) PARTITION BY RANGE (n); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2); {start}", statement)
      for start in ("", "CREATE INDEX i ON ONLY p (n)", "CREATE INDEX i ON p (n)") for statement in (
        "CREATE INDEX IF NOT EXISTS i ON ONLY p (n)", "CREATE INDEX IF NOT EXISTS i ON p (n)", "CREATE INDEX IF NOT EXISTS i ON p1 (n)",
        "CREATE TABLE IF NOT EXISTS p1 PARTITION OF p FOR VALUES FROM (1) TO (2)",
        "CREATE TABLE IF NOT EXISTS p2 PARTITION OF p FOR VALUES FROM (2) TO (3)",
        "ALTER TABLE p ADD COLUMN IF NOT EXISTS x int", "ALTER TABLE ONLY p ADD CONSTRAINT c CHECK (n > 0) NO INHERIT",
    )),
    *((f"{BASE} {start}", statement) for start in (
        "", "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'select 1'; ALTER FUNCTION f(int) SECURITY DEFINER",
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'select 1'; ALTER FUNCTION f(int) SET search_path = public",
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql IMMUTABLE STRICT COST 5 AS 'select 1'",
        "CREATE FUNCTION f(a int DEFAULT 3) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE FUNCTION f(a bigint) RETURNS int LANGUAGE sql AS 'select 1'", "CREATE FUNCTION f(a bit) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE FUNCTION f(b int) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE FUNCTION f(a int) RETURNS bigint LANGUAGE sql AS 'select 1::bigint'",
        "CREATE PROCEDURE f(a int) LANGUAGE sql AS 'select 1'", "CREATE SCHEMA other; SET LOCAL search_path = other, public",
    ) for statement in (
        "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1'",
        "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql STABLE AS 'select 1'",
        "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql SET search_path = public AS 'select 1'",
        "CREATE OR REPLACE FUNCTION f(a int DEFAULT 3) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE OR REPLACE FUNCTION f(a int4) RETURNS integer AS $$select 1$$ LANGUAGE 'sql'",
        "CREATE OR REPLACE FUNCTION f(a bit) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE OR REPLACE FUNCTION f(a varchar(5), VARIADIC b int[]) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE OR REPLACE FUNCTION public.f(a int) RETURNS int LANGUAGE sql AS 'select 1'",
        "CREATE OR REPLACE PROCEDURE f(a int) LANGUAGE sql AS 'select 1'", "DROP FUNCTION IF EXISTS f(int)", "DROP FUNCTION IF EXISTS f",
        "DROP FUNCTION f(int)", "DROP FUNCTION IF EXISTS f(bigint)", "DROP FUNCTION IF EXISTS f(bit)", "DROP PROCEDURE IF EXISTS f(int)",
        "DROP ROUTINE IF EXISTS f(int)", "ALTER FUNCTION f(int) RENAME TO g", "COMMENT ON FUNCTION f(int) IS 'x'",
        "DROP FUNCTION IF EXISTS f(int); CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'select 1'",
    )),
    *((f"{BASE} CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; {start}", statement) for start in (
        "", "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TRIGGER g BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION f('x')",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER g",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); COMMENT ON TRIGGER g ON t IS 'x'",
    ) for statement in (
        "CREATE OR REPLACE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE OR REPLACE TRIGGER g BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION f('x')",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", "DROP TRIGGER IF EXISTS g ON t", "DROP TRIGGER g ON t",
        "DROP TRIGGER IF EXISTS g ON t; CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "ALTER TABLE t ENABLE TRIGGER g", "ALTER TRIGGER g ON t RENAME TO h",
    )),
    *((f"{BASE} {start}", statement) for start in (
        "", "CREATE VIEW v AS SELECT id FROM t", "CREATE VIEW v WITH (security_barrier) AS SELECT id FROM t", "CREATE TABLE v (id int)",
        "CREATE MATERIALIZED VIEW v AS SELECT id FROM t", "CREATE SEQUENCE v", "CREATE TYPE v AS (id int)", "CREATE INDEX v ON t (n)",
        "CREATE SCHEMA v", "CREATE VIEW v AS SELECT id FROM t; COMMENT ON VIEW v IS 'x'",
        "CREATE VIEW v AS SELECT id FROM t; COMMENT ON COLUMN v.id IS 'x'", "CREATE SCHEMA other; CREATE VIEW other.v AS SELECT 1 AS id",
        "CREATE TEMP TABLE v (id int)", "CREATE DOMAIN v AS int", "CREATE TYPE v AS ENUM ('a')", "CREATE TYPE v AS ENUM ('a', 'b')",
    ) for statement in (
        "CREATE OR REPLACE VIEW v AS SELECT id FROM t", "CREATE OR REPLACE VIEW v WITH (security_barrier) AS SELECT id FROM t",
        "CREATE VIEW v AS SELECT id FROM t", "DROP VIEW IF EXISTS v", "DROP VIEW v", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT id FROM t",
        "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT id FROM t; COMMENT ON COLUMN v.id IS 'x'",
        "CREATE TABLE IF NOT EXISTS v (id int)", "CREATE TABLE IF NOT EXISTS v AS SELECT 1 AS id", "CREATE TABLE IF NOT EXISTS v (LIKE t)",
        "CREATE TABLE v (id int)", "DROP TABLE IF EXISTS v", "DROP TABLE IF EXISTS v CASCADE", "CREATE SEQUENCE IF NOT EXISTS v",
        "DROP SEQUENCE IF EXISTS v", "CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT id FROM t", "DROP MATERIALIZED VIEW IF EXISTS v",
        "DROP TYPE IF EXISTS v", "CREATE TYPE v AS ENUM ('a')", "CREATE TYPE v AS (id int)", "DROP DOMAIN IF EXISTS v", "CREATE DOMAIN v AS int",
        "CREATE SCHEMA IF NOT EXISTS v", "DROP SCHEMA IF EXISTS v", "ALTER VIEW v RENAME TO w", "ALTER VIEW IF EXISTS v RENAME TO w",
        "ALTER VIEW IF EXISTS v RENAME COLUMN id TO x", "COMMENT ON VIEW v IS 'x'", "COMMENT ON VIEW v IS NULL", "COMMENT ON TABLE v IS ''",
        "ALTER TYPE v ADD VALUE IF NOT EXISTS 'b'", "ALTER TYPE v ADD VALUE IF NOT EXISTS 'b' BEFORE 'a'", "ALTER TYPE v ADD VALUE 'b'",
        "ALTER TYPE v RENAME VALUE 'a' TO 'c'", "CREATE TABLE IF NOT EXISTS v (id int) INHERITS (t)", "CREATE UNLOGGED TABLE IF NOT EXISTS v (id int)",
        "CREATE TEMP TABLE IF NOT EXISTS v (id int)", "CREATE SCHEMA IF NOT EXISTS v AUTHORIZATION postgres", "CREATE VIEW IF EXISTS v AS SELECT 1",
        "ALTER TYPE v RENAME TO w", "ALTER SCHEMA v RENAME TO w", "ALTER TABLE IF EXISTS v SET SCHEMA pg_catalog",
    )),
    *((f"{BASE} {start}", statement) for start in (
        "", "CREATE POLICY p ON t USING (true)", "COMMENT ON TABLE t IS 'x'; COMMENT ON COLUMN t.a IS 'y'", "CREATE EXTENSION IF NOT EXISTS citext",
        "GRANT SELECT ON t TO PUBLIC", "CREATE TYPE r AS RANGE (subtype = int)", "CREATE STATISTICS st ON id, n FROM t",
    ) for statement in (
        "CREATE POLICY p ON t USING (true)", "DROP POLICY IF EXISTS p ON t", "DROP POLICY p ON t", "ALTER POLICY p ON t USING (false)",
        "COMMENT ON TABLE t IS 'x'", "COMMENT ON TABLE t IS NULL", "COMMENT ON COLUMN t.a IS 'y'", "COMMENT ON COLUMN t.a IS NULL",
        "COMMENT ON TYPE mood IS 'x'", "COMMENT ON SCHEMA public IS 'x'", "CREATE EXTENSION IF NOT EXISTS citext", "DROP EXTENSION IF EXISTS citext",
        "CREATE EXTENSION citext", "GRANT SELECT ON t TO PUBLIC", "REVOKE SELECT ON t FROM PUBLIC", "DROP TYPE IF EXISTS r",
        "CREATE TYPE r AS RANGE (subtype = int)", "CREATE STATISTICS IF NOT EXISTS st ON id, n FROM t", "DROP STATISTICS IF EXISTS st",
        "DROP TABLE IF EXISTS t, u", "DROP TABLE IF EXISTS u, w", "DROP TYPE IF EXISTS mood CASCADE", "DROP OWNED BY CURRENT_USER",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text, ADD COLUMN IF NOT EXISTS n int", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text, SET LOGGED",
        "CREATE TABLE IF NOT EXISTS t (id int)", "CREATE TABLE IF NOT EXISTS public.t (id int)", "CREATE TABLE IF NOT EXISTS other.t (id int)",
        "SELECT 1", "SELECT 1/0", "SELECT 'z'::regclass", "SELECT setval('q', 1)", "SELECT * INTO t2 FROM t", "LOCK TABLE t",
        "EXPLAIN ANALYZE CREATE TABLE z AS SELECT 1",
        "WITH x AS (INSERT INTO t VALUES (9) RETURNING id) SELECT * FROM x", "DISCARD PLANS", "NOTIFY x", "PREPARE pr AS SELECT 1",
        "ALTER TABLE t ADD COLUMN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa int",
        "CREATE INDEX IF NOT EXISTS aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ON t (n)",
        "ALTER TABLE t ADD CONSTRAINT aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa CHECK (n > 0)",
        'ALTER TABLE t ADD COLUMN "Mixed Case" int', "ALTER TABLE t ADD x serial", "ALTER TABLE t ADD x int GENERATED ALWAYS AS (n * 2) STORED",
        "ALTER TABLE t ADD x int NOT NULL DEFAULT 0 CHECK (x >= 0) REFERENCES t (id)", "ALTER TABLE t ADD x int CONSTRAINT nn NOT NULL",
        "CREATE TABLE w (id bigserial PRIMARY KEY, a int UNIQUE, b int REFERENCES t, CHECK (a > 0), EXCLUDE USING btree (b WITH =))",
        "CREATE TABLE w (LIKE t INCLUDING ALL)", "CREATE TABLE w (id int, n) AS SELECT 1, 2", "CREATE TABLE w AS TABLE t WITH NO DATA",
    )),
    *CLAUSES,
]  # fmt: skip

_UNNAMED = re.compile(r"CREATE (UNIQUE )?INDEX ON |ALTER TABLE t ADD\s+(CHECK|UNIQUE|FOREIGN KEY|EXCLUDE)\b")
"""PostgreSQL makes one more of them each time. On purpose unlike it, one that is there and the same is not made again."""


_OF_LATER_VERSIONS = (
    psycopg.errors.SyntaxError,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.InvalidTableDefinition,
    psycopg.errors.UndefinedFunction,
)


def judged(connection: Connection, cases: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What is misread of statements, before they run and after."""
    by_start: dict[str, list[str]] = {}
    for start, statement in cases:
        by_start.setdefault(start, []).append(statement)
    for start, several in by_start.items():
        try:
            try:
                connection.execute(start.encode())
            except _OF_LATER_VERSIONS:
                continue
            yield from _from(connection, start, several)
        finally:
            connection.rollback()


def _from(connection: Connection, start: str, several: Sequence[str]) -> Iterator[str]:
    steps = analyse(Registry.of(several))
    names, before = steps.names(), look(connection)
    catalog = read_catalog(connection, names)
    sent: Pieces = {}
    for step in steps:
        if _UNNAMED.match(step.step.sql):
            continue
        if told := misread(connection, step, claim(step, catalog), before, sent):
            yield f"{start}\n    {step.step.sql}\n    {told}"
        with taken_back(connection):
            try:
                connection.execute(step.step.sql.encode())
            except psycopg.Error:
                continue
            claimed = claim(step, read_catalog(connection, names))
            if told := misread(connection, step, claimed, look(connection), {}):
                yield f"{start}\n    {step.step.sql}, once more\n    {told}"
