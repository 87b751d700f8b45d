"""The catalog read look after look is the one that is read whole."""

from __future__ import annotations

import psycopg
import pytest

from omega_bridge.catalog import diff
from omega_bridge.postgres.catalog_reader import CatalogReader, read_catalog
from omega_bridge.postgres.following import Follower
from omega_bridge.postgres.session import Session

BEGIN = """
CREATE SCHEMA app; CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN price AS int CHECK (VALUE > 0);
CREATE TABLE t (id int PRIMARY KEY, a text, m mood); CREATE TABLE u (id serial, t_id int REFERENCES t (id)); CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE q; CREATE TABLE ev (id int, at date) PARTITION BY RANGE (at);
CREATE INDEX t_a ON t (a); CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf(); CREATE RULE r AS ON DELETE TO u DO INSTEAD NOTHING
"""
CHANGES = {
    "column": "ALTER TABLE t ADD COLUMN b int DEFAULT 1",
    "column-drop": "ALTER TABLE t DROP COLUMN m",
    "column-renamed": "ALTER TABLE t RENAME COLUMN id TO key",  # the other table's constraint and the view are printed otherwise
    "default": "ALTER TABLE t ALTER COLUMN a SET DEFAULT 'x'",
    "type": "ALTER TABLE u ALTER COLUMN t_id TYPE bigint",
    "table": "CREATE TABLE new (id int)",
    "table-drop": "DROP TABLE t CASCADE",
    "table-renamed": "ALTER TABLE t RENAME TO tt",
    "table-moved": "ALTER TABLE t SET SCHEMA app",
    "table-of-a-name-elsewhere": "CREATE TABLE app.t (id int)",
    "two-at-once": "DROP VIEW v; CREATE TABLE w (id int)",
    "comment": "COMMENT ON TABLE t IS 'one'; COMMENT ON COLUMN t.a IS 'two'",
    "comment-on-a-function": "COMMENT ON FUNCTION f(int) IS 'one'",
    "comment-on-a-constraint": "COMMENT ON CONSTRAINT t_pkey ON t IS 'one'",
    "label": "ALTER TYPE mood ADD VALUE 'b'",
    "label-renamed": "ALTER TYPE mood RENAME VALUE 'a' TO 'z'",
    "type-renamed": "ALTER TYPE mood RENAME TO temper",
    "domain": "ALTER DOMAIN price ADD CONSTRAINT low CHECK (VALUE < 9)",
    "domain-check-gone": "ALTER DOMAIN price DROP CONSTRAINT price_check",
    "function": "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "function-renamed": "ALTER FUNCTION tf() RENAME TO touch",
    "index": "CREATE INDEX t_am ON t (a, m)",
    "index-renamed": "ALTER INDEX t_a RENAME TO t_by_a",
    "constraint": "ALTER TABLE u ADD CONSTRAINT u_pos CHECK (t_id > 0)",
    "trigger": "ALTER TABLE t DISABLE TRIGGER tr",
    "trigger-gone": "DROP TRIGGER tr ON t",
    "policy": "CREATE POLICY p ON t USING (true); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "rule": "DROP RULE r ON u",
    "rule-of-its-table": "ALTER TABLE u ADD COLUMN c int",
    "statistics": "CREATE STATISTICS st (dependencies) ON id, a FROM t",
    "owned-by": "ALTER SEQUENCE q OWNED BY t.id",
    "sequence": "ALTER SEQUENCE q INCREMENT BY 5",
    "partition": "CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "partition-away": "CREATE TABLE ev_2 (id int, at date); ALTER TABLE ev ATTACH PARTITION ev_2 DEFAULT; ALTER TABLE ev DETACH PARTITION ev_2",
    "grant": "GRANT SELECT ON t TO PUBLIC; GRANT UPDATE (a) ON t TO PUBLIC; GRANT EXECUTE ON FUNCTION f(int) TO PUBLIC",
    "by-default": "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC",
    "schema": "DROP SCHEMA app",
    "schema-comment": "COMMENT ON SCHEMA app IS 'one'",
    "search-path": "SET search_path = app, public",
    "by-hand": "UPDATE pg_attribute SET attoptions = '{n_distinct=5}' WHERE attrelid = 't'::regclass AND attname = 'a'",
    "deallocated": "DEALLOCATE ALL",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_look_sees_what_reading_all_of_it_sees(database: str, change: str) -> None:
    """Whatever is changed, in a transaction and once it is over, also where it is taken back; and what changes no name reads few of them."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(BEGIN)
        follower = Follower(conn)
        before = follower.look()
        if change == "deallocated":
            follower.stop_preparing()
        for back in (True, False):
            with conn.transaction(force_rollback=back):
                mark = follower.mark()
                conn.execute(CHANGES[change])
                seen = follower.look(mark)
                assert diff(seen, read_catalog(conn), ignore=frozenset()) == ()
                conn.execute("ALTER TABLE ev ADD COLUMN IF NOT EXISTS more int")
                conn.execute("ALTER TABLE ev ALTER COLUMN more SET DEFAULT 1")  # one transaction writes the row twice
                assert diff(follower.look(), read_catalog(conn), ignore=frozenset()) == ()
            assert diff(follower.look(), read_catalog(conn), ignore=frozenset()) == ()
        assert change in ("deallocated", "search-path") or diff(before, seen)


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text",
        "INSERT INTO t VALUES (1, 'x', 'a')",
        "SELECT f(1)",
        "CREATE INDEX IF NOT EXISTS t_a ON t (a)",
    ],
)
def test_what_writes_to_no_catalog_is_not_looked_at(database: str, text: str) -> None:
    """Inside a transaction the last look holds behind what changed nothing, and not behind what changed something and took it back."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(BEGIN)
        follower = Follower(conn)
        first = follower.look()
        with conn.transaction():
            mark = follower.mark()
            conn.execute(text)
            assert follower.mark() == mark
            assert follower.look(mark) is first
            with conn.transaction(force_rollback=True):
                conn.execute("DROP TABLE u")
            assert follower.mark() != mark
            conn.execute("SET LOCAL track_counts = off")
            assert follower.mark() is None


def test_a_reader_goes_on_in_a_transaction_in_which_its_statement_was_deallocated(database: str) -> None:
    """What reads the catalog for each revision reads it behind one that deallocates, too, and leaves the planner's settings as they were."""
    with psycopg.connect(database, autocommit=False) as conn:
        conn.execute(BEGIN)
        reader = CatalogReader(Session.over(conn, database), takes_back=True)
        conn.execute("SET plan_cache_mode = force_custom_plan")
        before = reader.read({"t"})
        conn.execute("ALTER TABLE t ADD COLUMN b int")
        conn.execute("DEALLOCATE ALL")
        assert [d.key.name for d in diff(before, reader.read({"t"}))] == ["b"]
        assert conn.execute("SHOW plan_cache_mode").fetchone() == ("force_custom_plan",)


def test_only_what_was_written_is_read(database: str) -> None:
    """A step on one table makes one table be read; one that writes nothing, nothing."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(BEGIN)
        follower = Follower(conn)
        first = follower.look()
        assert follower.changed() is None
        assert (follower.look() is first, follower.changed()) == (True, frozenset())
        conn.execute("ALTER TABLE t ADD COLUMN b int; CREATE INDEX t_b ON t (b)")
        follower.look()
        assert follower.changed() == {"t"}
        conn.execute("ALTER TABLE t RENAME COLUMN b TO c")
        follower.look()
        assert follower.changed() is None
