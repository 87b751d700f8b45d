"""Which steps a new connection needs again, since what they made went with the last one."""

from __future__ import annotations

import pytest

from omega_bridge.analysis.of_session import making_again

MADE = "CREATE TEMP TABLE src (id int)"


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        ([MADE, "INSERT INTO src VALUES (1)", "CREATE TABLE t (id int)"], [0, 1]),
        ([MADE, "INSERT INTO t SELECT id FROM src"], [0]),
        ([MADE, "INSERT INTO src SELECT id FROM t; TRUNCATE src; CREATE INDEX ON src (id)"], [0, 1]),
        ([MADE, "DROP TABLE src"], []),
        ([MADE, "DISCARD ALL"], []),
        ([MADE, "DISCARD TEMP", "INSERT INTO src VALUES (1)"], []),
        ([MADE, "DROP TABLE src, t"], [0]),
        ([MADE, "DROP TABLE side.src"], [0]),
        ([MADE, "DROP TABLE IF EXISTS src; CREATE TEMP TABLE IF NOT EXISTS other AS SELECT 1 AS a"], [0, 1]),
        ([MADE, "INSERT INTO side.src VALUES (1)"], [0]),
        ([MADE, "WITH gone AS (DELETE FROM t RETURNING id) INSERT INTO src SELECT id FROM gone"], [0]),
        ([MADE, "INSERT INTO src SELECT wipe()"], [0]),
        ([MADE, "UPDATE src SET id = 2; INSERT INTO t VALUES (1)"], [0]),
        ([MADE, "DO $$ BEGIN INSERT INTO src VALUES (1); END $$"], [0]),
        (["CREATE TABLE pg_temp.src (id int)", "DELETE FROM pg_temp.src"], [0, 1]),
        (["CREATE TEMP TABLE src ON COMMIT DROP AS SELECT 1"], []),
        (["CREATE TEMP TABLE src AS SELECT nextval('s') AS id, wipe() AS w"], []),
        (["CREATE TABLE temp (id int)", "INSERT INTO temp VALUES (1)"], []),
        (["CREATE TEMP TABLE src (id", "INSERT INTO src VALUES (1)"], []),
    ],
    ids=str,
)
def test_what_is_about_temporary_tables_alone_is_made_again(texts: list[str], kept: list[int]) -> None:
    """While such a table stands; who writes to another one, or calls what is not PostgreSQL's own, does so once."""
    assert making_again(texts) == tuple(texts[n] for n in kept)
