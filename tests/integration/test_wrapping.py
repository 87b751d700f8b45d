"""``add --sql``: plain DDL in a form that may run again, and leads to what the plain statement leads to."""

from __future__ import annotations

import psycopg
import pytest

from omega_bridge import boot
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions.wrapping import wrapped
from tests.fixtures.databases import MakeDatabase

BEFORE = (
    "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE plans (id int PRIMARY KEY); "
    "CREATE TABLE t (id int PRIMARY KEY, a text, b varchar(10), plan int, old text NOT NULL DEFAULT 'x', CONSTRAINT away CHECK (id > 0));"
    "INSERT INTO t (id, a) VALUES (1, 'one')"
)
STATEMENTS = [
    "ALTER TABLE t ADD COLUMN c integer NOT NULL DEFAULT 7, ADD COLUMN d text",
    "ALTER TABLE t ADD CONSTRAINT named CHECK (a <> '')",
    "ALTER TABLE t ADD CONSTRAINT to_plan FOREIGN KEY (plan) REFERENCES plans (id) ON DELETE CASCADE",
    "ALTER TABLE t ADD CONSTRAINT one UNIQUE (a, b)",
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN old DROP NOT NULL",
    "ALTER TABLE t ALTER COLUMN a SET DEFAULT 'new'",
    "ALTER TABLE t ALTER COLUMN old DROP DEFAULT",
    "ALTER TABLE t ALTER COLUMN b TYPE text",
    "ALTER TABLE t RENAME COLUMN old TO fresh",
    "ALTER TABLE t RENAME CONSTRAINT away TO here; ALTER INDEX t_pkey RENAME TO t_key",
    "ALTER TABLE t DROP CONSTRAINT away",
    "ALTER TABLE t DROP COLUMN b",
    "ALTER TYPE mood ADD VALUE 'bright'",
    "CREATE TABLE u (id uuid PRIMARY KEY)",
    "CREATE INDEX ix ON t (a) WHERE plan IS NOT NULL",
    "CREATE TYPE kind AS ENUM ('x')",
    "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)",
    "CREATE SEQUENCE counted",
    "CREATE SCHEMA app",
    "CREATE VIEW v AS SELECT id FROM t",
    "DROP TABLE plans",
    "COMMENT ON TABLE t IS 'it''s'",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_is_written_leads_where_the_statement_does(make_database: MakeDatabase, statement: str) -> None:
    """Once and again, in a loop as at a start."""
    plain, looped, started = (make_database() for _ in range(3))
    steps = [s.sql for s in wrapped(statement)]
    for url in (plain, looped, started):
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(BEFORE)
    with psycopg.connect(plain, autocommit=True) as conn:
        conn.execute(statement.encode())
        wanted = _meant(conn)
    with psycopg.connect(looped, autocommit=True) as conn:
        for step in (*steps, *steps):
            conn.execute(step.encode())
        assert _meant(conn) == wanted
    assert boot(started, steps, strict=True).outcome == "repaired"
    assert boot(started, steps, strict=True).outcome == "current"
    with psycopg.connect(started, autocommit=True) as conn:
        assert _meant(conn) == wanted


def _meant(conn: psycopg.Connection[tuple[object, ...]]) -> dict[str, object]:
    catalog = read_catalog(conn)
    return {str(k): {n: v for n, v in a.items() if n != "position"} for k, a in catalog.objects.items()}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER TABLE t ADD COLUMN c text NOT NULL", "every row must have a value"),
        ("ALTER TABLE t ADD CHECK (a <> '')", "needs a name"),
        ("CREATE INDEX ON t (a)", "needs a name"),
        ("ALTER TABLE t RENAME TO u", "cannot be looked for"),
        ("ALTER TABLE t CLUSTER ON t_pkey", "none of the parts"),
        ("VACUUM t", "cannot be looked for"),
    ],
)
def test_what_has_no_guarded_form_is_an_error(statement: str, told: str) -> None:
    """With what to write instead; it is never written as it is."""
    with pytest.raises(ConfigurationInvalid, match=told):
        wrapped(statement)
