"""Which steps a new connection needs again, since what they made went with the last one."""

from __future__ import annotations

import pytest

from omega_bridge.analysis.of_session import making_again

MADE = "CREATE TEMP TABLE src (id int)"


ROUTINE = "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        ([MADE, "INSERT INTO src VALUES (1)", "CREATE TABLE t (id int)"], [0, 1]),
        ([MADE, "INSERT INTO t SELECT id FROM src"], [0]),
        ([MADE, "INSERT INTO src SELECT id FROM t; TRUNCATE src; CREATE INDEX ON src (id)"], [0, 1]),
        ([MADE, "WITH new AS (INSERT INTO t SELECT id FROM src RETURNING id) SELECT * FROM new, src"], [0]),
        ([MADE, "DROP TABLE src"], []),
        ([MADE, "DISCARD ALL"], []),
        ([MADE, "DISCARD TEMP", "INSERT INTO src VALUES (1)"], []),
        ([MADE, "DROP TABLE IF EXISTS src; CREATE TEMP TABLE IF NOT EXISTS other AS SELECT 1 AS a"], [0, 1]),
        (["CREATE TABLE pg_temp.src (id int)", "DELETE FROM pg_temp.src"], [0, 1]),
        (["CREATE TEMP TABLE src ON COMMIT DROP AS SELECT 1"], []),
        (["CREATE TEMP TABLE src AS SELECT nextval('s') AS id, wipe() AS w"], []),
        (["CREATE TABLE temp (id int)", "INSERT INTO temp VALUES (1)"], []),
        (["CREATE TEMP TABLE src (id", "INSERT INTO src VALUES (1)"], []),
        ([ROUTINE, "SELECT pg_temp.f()", "DROP TABLE f"], [0]),
        ([ROUTINE, "DROP FUNCTION pg_temp.f"], []),
        ([ROUTINE, "DROP FUNCTION f"], [0]),
        ([ROUTINE, "DROP FUNCTION public.f"], [0]),
        ([ROUTINE, "DISCARD TEMP"], []),
        (["PREPARE p AS SELECT 1", "EXECUTE p", "DISCARD TEMP"], [0]),
        (["PREPARE p AS SELECT 1", "PREPARE q AS SELECT 1", "DEALLOCATE p"], [1]),
        (["PREPARE p AS SELECT 1", "DEALLOCATE ALL"], []),
        (["CREATE TYPE pg_temp.e AS ENUM ('a')", "CREATE TYPE pg_temp.c AS (a int)", "DROP TYPE pg_temp.e"], [1]),
        ([MADE, "CREATE TEMP VIEW v AS SELECT id FROM src", "SELECT * FROM v"], [0, 1]),
        (["CREATE TEMP VIEW v AS SELECT 1", "DROP VIEW v"], []),
        (["CREATE TEMP SEQUENCE s", "CREATE TABLE t (id int)"], [0]),
        (["CREATE TEMP SEQUENCE IF NOT EXISTS s START 7", "INSERT INTO t SELECT nextval('s')"], []),
        (["CREATE TEMP SEQUENCE s; SELECT nextval('s')"], []),
        (["CREATE TEMP SEQUENCE s", "DISCARD TEMP"], []),
        (["CREATE TEMP SEQUENCE s", "DROP SEQUENCE s"], []),
        (["CREATE SEQUENCE s", "CREATE TEMP TABLE src (id int)"], [1]),
    ],
    ids=str,
)
def test_what_is_about_temporary_tables_alone_is_made_again(texts: list[str], kept: list[int]) -> None:
    """While such a table stands; who writes to another one, or calls what is not PostgreSQL's own, does so once."""
    assert making_again(texts) == tuple(texts[n] for n in kept)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO src SELECT wipe()",
        "WITH gone AS (DELETE FROM t RETURNING id) INSERT INTO src SELECT id FROM gone",
        "UPDATE src SET id = 2; INSERT INTO t VALUES (1)",
        "DO $$ BEGIN INSERT INTO src VALUES (1); END $$",
        "CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS 'INSERT INTO src VALUES (1)'",
        "DROP TABLE src, t",
        "COPY src FROM '/some/file'",
        "INSERT INTO src VALUES (",
    ],
)
def test_a_table_that_something_else_may_have_filled_is_not(text: str) -> None:
    """Who reads it then finds none, which is an error, and not another content; those that stood with it in one step are not, either."""
    made = ["CREATE TEMP TABLE apart (id int)", MADE, "CREATE TEMP TABLE other AS SELECT * FROM src"]
    assert making_again([*made, text, "INSERT INTO src VALUES (3)"]) == tuple(made[:1])


def test_what_is_defined_among_other_things_is_given_by_itself() -> None:
    """Of a step that does more."""
    assert making_again([f"{ROUTINE}; SELECT pg_temp.f(); INSERT INTO t VALUES (1)"]) == (ROUTINE,)
