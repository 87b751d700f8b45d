"""What may be a foundation, and how it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from omega_bridge.errors import ConfigurationInvalid, SourceNotFound
from omega_bridge.planning.foundation import laid, understood
from omega_bridge.sources.foundation import load_foundation


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CREATE EXTENSION pg_trgm", "makes no table"),
        ("CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY i ON t (a)", "cannot run in a transaction"),
        ("SET search_path = app; CREATE TABLE t (a int)", "sets search_path"),
        ("CREATE TABLE t (a int); CREATE TABLE alembic_version (version_num text)", "bridge's own record, or Alembic's"),
        ("CREATE TABLE t (a int); CREATE TABLE omega_bridge.omega_bridge_ledger (seq int)", "bridge's own record, or Alembic's"),
    ],
)
def test_what_cannot_be_one_says_why(text: str, told: str) -> None:
    """And what to write instead."""
    with pytest.raises(ConfigurationInvalid, match=told) as error:
        understood(text, "schema.sql")
    assert error.value.hint


def test_rows_are_no_part_of_one(tmp_path: Path) -> None:
    """A whole dump is refused: what it holds of a production database has no place in a history."""
    (tmp_path / "dump.sql").write_text("CREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\n1\n\\.\n")
    with pytest.raises(ConfigurationInvalid, match=r"holds rows \(COPY t \(a\) FROM stdin\)"):
        load_foundation(["dump.sql"], tmp_path)
    with pytest.raises(SourceNotFound):
        load_foundation(["none.sql"], tmp_path)


def test_its_tables_are_those_that_are_there_at_the_end() -> None:
    """Renamed, dropped and made in another schema; quoted where a name has to be."""
    found = understood(
        'CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE "Or""der" (id int); CREATE SCHEMA app;'
        "CREATE TABLE app.c (id int); DROP TABLE b; ALTER TABLE a RENAME TO d; CREATE TABLE public.e (id int);",
        "schema.sql",
    )
    assert found.tables == ('"Or""der"', "app.c", "d", "public.e")


def test_the_statement_holds_any_text() -> None:
    """Whatever dollars stand in it; its settings are put back."""
    text = "SET check_function_bodies = false; CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $foundation$ SELECT '$lay$' $foundation$"
    found = laid(text, ("t's",))
    assert f"EXECUTE $foundation1$\n{text}\n$foundation1$;" in found
    assert found.startswith("DO $lay1$\n")
    assert "'t''s'" in found
    assert "set_config('check_function_bodies', setting_0, false)" in found
