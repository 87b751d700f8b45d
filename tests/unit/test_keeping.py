"""What certainly keeps the rows: read in full, drops nothing, calls nothing unknown."""

from __future__ import annotations

import pytest

from omega_bridge.analysis.keeping import keeps_rows
from omega_bridge.sql import ends_transaction

KEEP = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a varchar(20) DEFAULT 'x', b timestamptz DEFAULT now())",
    "ALTER TABLE t ADD COLUMN IF NOT EXISTS a varchar(20) DEFAULT 'x'",
    "ALTER TABLE t ADD COLUMN b uuid DEFAULT gen_random_uuid()",
    "CREATE INDEX i ON t (lower(a))",
    "CREATE INDEX CONCURRENTLY i ON t (f(a))",
    "ALTER TABLE t ALTER COLUMN a TYPE bigint USING a::bigint",
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM information_schema.columns WHERE table_name='t' AND column_name='a') THEN ALTER TABLE t ADD a int; END IF; END $$",
    "DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u(id); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    "DO $$ BEGIN CREATE TYPE e AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN DROP TABLE t; RETURN 1; END $f$",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a IN ('a','b') AND b BETWEEN 1 AND 2)",
    "DROP VIEW IF EXISTS v",
    "DROP INDEX IF EXISTS i",
    "COMMENT ON TABLE t IS 'x'",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "ALTER TYPE e ADD VALUE IF NOT EXISTS 'x'",
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'c') THEN ALTER TABLE t ADD CONSTRAINT c UNIQUE (a); END IF; END $$",
]

UNKNOWN = [
    "ALTER TABLE t ADD COLUMN a int DEFAULT wipe()",
    "SELECT wipe()",
    "INSERT INTO t VALUES (1)",
    "DO $$ DECLARE x int := wipe(); BEGIN END $$",
    "DO $$ DECLARE x int; BEGIN x := wipe(); END $$",
    "DO $$ BEGIN IF wipe() = 1 THEN CREATE TABLE x(); END IF; END $$",
    "DO $$ BEGIN RAISE NOTICE '%', wipe(); END $$",
    "DO $$ BEGIN PERFORM wipe(); END $$",
    "CREATE TABLE x AS SELECT wipe()",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (wipe() = 1)",
    "ALTER TABLE t ALTER a TYPE int USING wipe()",
    "ALTER TABLE t ADD COLUMN a mydomain",
    "DROP TABLE t",
    "DROP SCHEMA s",
    "ALTER TABLE t DROP COLUMN a",
    "TRUNCATE t",
    "DROP VIEW v CASCADE",
    "DROP TYPE x CASCADE",
    "BEGIN; DROP TABLE t; COMMIT",
    "CALL p()",
    "EXPLAIN ANALYZE DELETE FROM t",
    "REFRESH MATERIALIZED VIEW v",
    "SELECT 1 WHERE a === b",
    "ALTER TABLE p DETACH PARTITION c",
    "DO $$ BEGIN RETURN; EXCEPTION WHEN OTHERS THEN PERFORM wipe(); END $$",
    "SELECT * FROM wipe()",
    "SELECT pg_temp.now()",
    "DO $$ DECLARE x int DEFAULT public.now(); BEGIN END $$",
    "DO $$ BEGIN FOR i IN 1..wipe() LOOP NULL; END LOOP; END $$",
    "DO $$ BEGIN CASE wipe() WHEN 1 THEN NULL; END CASE; END $$",
    "DO $$ BEGIN ASSERT wipe() = 1; END $$",
    "DO $$ BEGIN WHILE wipe() = 1 LOOP EXIT; END LOOP; END $$",
    "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_class WHERE wipe() = 1) THEN CREATE TABLE x(); END IF; END $$",
    "ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS (wipe()) STORED",
    "GRANT ALL ON t TO x",
    "CREATE RULE r AS ON SELECT TO t DO INSTEAD SELECT wipe()",
    "DROP OWNED BY x",
    "DROP EXTENSION x CASCADE",
    "CREATE SCHEMA s CREATE TABLE t (a int DEFAULT wipe())",
    "CREATE MATERIALIZED VIEW v AS SELECT wipe()",
    "DECLARE c CURSOR FOR SELECT wipe()",
    "SET search_path TO x; ALTER TABLE t ADD a int",
    "LOCK TABLE t; SELECT wipe()",
    "PREPARE x AS SELECT wipe()",
    "EXECUTE x",
    "COPY (SELECT wipe()) TO STDOUT",
    "DO LANGUAGE sql 'select 1'",
    "VALUES (wipe())",
    "TABLE t",
    "SELECT count(*) FILTER (WHERE wipe()=1) FROM t",
    "SELECT 1 INTO x FROM wipe()",
    "CREATE TABLE x PARTITION OF t FOR VALUES IN (wipe())",
    "ALTER DOMAIN d ADD CHECK (wipe()=1)",
    "ALTER DOMAIN d VALIDATE CONSTRAINT c",
]


@pytest.mark.parametrize("text", KEEP)
def test_plain_additions_need_nobody_to_watch(text: str) -> None:
    """The statements that real lists are made of are certain, so that they cost nothing more."""
    assert keeps_rows(text)


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_may_call_or_drop_is_watched(text: str) -> None:
    """A call of a function of unknown content anywhere, a change of rows, a drop, or what cannot be read: not certain."""
    assert not keeps_rows(text)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("SELECT 1; COMMIT", True),
        ("/* x */ END; SELECT", True),
        ("broken (; ABORT", True),
        ("PREPARE TRANSACTION 'x'", True),
        ("PREPARE q AS SELECT 1", False),
        ("DO $$ BEGIN COMMIT; END $$", False),
        ("SELECT 'x; COMMIT'", False),
        ("SELECT commit FROM t", False),
    ],
)
def test_the_end_of_a_transaction_is_seen_without_a_parser(text: str, ends: bool) -> None:
    """By its tokens, also in a text that only a newer server can read."""
    assert ends_transaction(text) is ends
