"""States of a catalog, as SQL that is rolled back again: the objects that the forms look for are there, or not, or otherwise."""

from __future__ import annotations

_FUNCTION = "LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
_PARTS = f"""
CREATE INDEX t_a ON t (a);
ALTER TABLE t ADD CONSTRAINT t_n CHECK (n > 0), ADD CONSTRAINT t_u UNIQUE (n);
CREATE FUNCTION f() RETURNS trigger {_FUNCTION};
CREATE TRIGGER tg BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE POLICY p ON t;
CREATE TYPE m AS ENUM ('x', 'y');
CREATE VIEW v AS SELECT 1 AS n;
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS n;
CREATE SEQUENCE q;
CREATE DOMAIN d AS int;
"""
THERE = "CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'x', b varchar(20) NOT NULL, n int);" + _PARTS

STATES = {
    "nothing": "",
    "there": THERE,
    "table alone": "CREATE TABLE t (id int)",
    "table without the column": "CREATE TABLE t (id int PRIMARY KEY, a text, b varchar(20)); CREATE TYPE m AS ENUM ('y')",
    "in another schema": f"CREATE SCHEMA other; SET LOCAL search_path = other; {THERE}; SET LOCAL search_path = public",
    "behind the first schema": f"{THERE}; CREATE SCHEMA s; SET LOCAL search_path = s, public",
    "of another kind": (
        "CREATE VIEW t AS SELECT 1 AS id, 'x'::text AS a, 'y'::varchar(20) AS b, 1 AS n; CREATE DOMAIN m AS text; "
        "CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'; CREATE TABLE v (n int); CREATE TABLE mv (n int); CREATE TABLE t_a (n int); "
        "CREATE VIEW q AS SELECT 1 AS n; CREATE TYPE d AS ENUM ('x')"
    ),
    "a materialized view": "CREATE MATERIALIZED VIEW t AS SELECT 1 AS id, 'x'::text AS a, 1 AS n; CREATE INDEX t_a ON t (a)",
    "a materialized view elsewhere": "CREATE TABLE t (id int); CREATE SCHEMA other; CREATE MATERIALIZED VIEW other.t AS SELECT 1 AS n",
    "of another type": (
        "CREATE TABLE t (id bigint, a varchar(5) NOT NULL DEFAULT 'y', b text, n text DEFAULT '4'); CREATE TYPE m AS ENUM ('z')"
    ),
    "not quite": (
        THERE + "ALTER TABLE t DISABLE TRIGGER tg; ALTER TABLE t DROP CONSTRAINT t_n; INSERT INTO t VALUES (1, 'x', 'y', -1);"
        "ALTER TABLE t ADD CONSTRAINT t_n CHECK (n > 0) NOT VALID; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass"
    ),
    "on another table": (
        "CREATE TABLE t (id int); CREATE TABLE u (id int, a text, n int CONSTRAINT t_n CHECK (n > 0), CONSTRAINT t_u UNIQUE (n)); "
        f"CREATE FUNCTION f() RETURNS trigger {_FUNCTION}; CREATE POLICY p ON u; CREATE INDEX t_a ON u (a);"
        "CREATE TRIGGER tg BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f()"
    ),
    "types": (
        "CREATE TYPE t AS (id int, n int); CREATE TYPE m AS RANGE (subtype = int); CREATE TYPE q AS (n int);"
        "CREATE DOMAIN x AS int CONSTRAINT t_n CHECK (VALUE > 0)"
    ),
    "indexes and sequences": "CREATE TABLE u (id int, n int); CREATE INDEX t ON u (n); CREATE SEQUENCE v; CREATE INDEX q ON u (id)",
    "partitioned": (
        "CREATE TABLE t (id int, a text, b varchar(20), n int NOT NULL) PARTITION BY RANGE (n); CREATE INDEX t_a ON ONLY t (a);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (2)"
    ),
    "temporary": "CREATE TEMP TABLE t (id int, n int); CREATE TEMP VIEW v AS SELECT 1 AS n; CREATE TABLE u (id int)",
    "in capitals": 'CREATE TABLE "T" (id int, n int, "N" int); CREATE TYPE "M" AS ENUM (\'x\')',
    "foreign": (
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER w FOREIGN DATA WRAPPER w; "
        "CREATE FOREIGN TABLE t (id int, a text DEFAULT 'x', n int) SERVER w"
    ),
    "identity": "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME q), n serial)",
    "another's": f"{THERE}; CREATE SCHEMA other; CREATE ROLE omega_oracle; GRANT ALL ON SCHEMA public TO omega_oracle; SET LOCAL ROLE omega_oracle",
    "another's, to be read": (
        f"{THERE}; CREATE ROLE omega_oracle; GRANT ALL ON SCHEMA public TO omega_oracle; GRANT SELECT ON ALL TABLES IN SCHEMA public "
        "TO omega_oracle; SET LOCAL ROLE omega_oracle"
    ),
    "no schema": f"{THERE}; SET LOCAL search_path = nowhere",
}  # fmt: skip
"""By what is the case. A state may set the role and the ``search_path`` of the transaction."""
