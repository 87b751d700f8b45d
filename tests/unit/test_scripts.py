"""Scripts for psql, and dumps, as SQL for a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from omega_bridge.errors import ConfigurationInvalid, SourceNotFound, SourceSyntaxError, StepSyntaxError
from omega_bridge.sources.scripts import read_sql
from omega_bridge.sql.scripts import Rows, is_of_roles, read_script, settings_in, without

DUMP = r"""--
-- PostgreSQL database dump
--

\restrict 4Zq

SET statement_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET default_tablespace = '';

CREATE SCHEMA public;

SET default_table_access_method = heap;

CREATE TABLE public.patients (
    id integer NOT NULL,
    "na;me" text
);

ALTER TABLE public.patients OWNER TO app;

CREATE FUNCTION public.told() RETURNS text
    LANGUAGE sql
    AS $_$
\restrict is a line of this body
BEGIN;
$_$;

COPY public.patients (id, "na;me") FROM stdin;
1	it's
\.

GRANT ALL ON TABLE public.patients TO app;

\unrestrict 4Zq
"""


def test_a_dump_is_read_without_what_is_for_psql_alone() -> None:
    """Settings of the dump, lines for psql and rows go; every other letter stays, also in a body that looks like such lines."""
    found = read_script(DUMP, "schema.sql")
    assert found.rows == (Rows('COPY public.patients (id, "na;me") FROM stdin', ("1\tit's",)),)
    assert settings_in(found.text) == ("check_function_bodies",)
    assert "\\restrict is a line of this body\nBEGIN;\n" in found.text
    for gone in ("4Zq", "timeout", "set_config", "CREATE SCHEMA", "COPY", "heap"):
        assert gone not in found.text
    bare = without(found.text, is_of_roles)
    assert "OWNER TO" not in bare
    assert "GRANT" not in bare
    assert 'CREATE TABLE public.patients (\n    id integer NOT NULL,\n    "na;me" text\n);' in bare


@pytest.mark.parametrize(
    "text",
    [
        "SET search_path = app",
        "SET default_tablespace = fast",
        "SET standard_conforming_strings = off",
        "SET default_table_access_method = columnar",
        "SELECT set_config('search_path', 'app', false)",
        "CREATE SCHEMA IF NOT EXISTS public",
        "ROLLBACK",
        "CREATE TABLE t (a text DEFAULT E'\\'\n\\connect x')",
        "CREATE TABLE t (a text) -- it's\n",
        "/* it's */ CREATE TABLE t (a text) /* \n\\q */",
    ],
)
def test_what_means_something_stays(text: str) -> None:
    """A setting that is not a dump's own, and lines that only look like commands."""
    assert read_script(text, "schema.sql").text.strip() == text.strip()


def test_psqls_harmless_commands_go_and_others_are_an_error_with_their_line() -> None:
    """What psql would do, and no server can, is not left out in silence."""
    assert read_script("\\set ON_ERROR_STOP on\n\\echo hello\nBEGIN;\nSELECT 1;\nCOMMIT;\n", "a.sql").text == "SELECT 1;\n"
    for line in ("\\i tables.sql", "\\connect other", "\\set name 'x'", "\\copy t from 'x'", "\\gexec", "\\encoding LATIN1"):
        with pytest.raises(ConfigurationInvalid, match=r"a\.sql:2 is for psql alone"):
            read_script(f"SELECT 1;\n{line}\n", "a.sql")
    with pytest.raises(StepSyntaxError, match=r"a\.sql: syntax error"):
        read_script("CREATE TABEL t ()", "a.sql")


def test_a_file_that_is_no_sql_says_so(tmp_path: Path) -> None:
    """One that is not there, a dump in PostgreSQL's own format, and one in another encoding: each with what to do."""
    path = tmp_path / "schema.sql"
    with pytest.raises(SourceNotFound):
        read_sql(path)
    path.write_bytes(b"PGDMP\x01\x10")
    with pytest.raises(SourceSyntaxError) as found:
        read_sql(path)
    assert "pg_restore --schema-only" in found.value.hint
    path.write_bytes(b"SELECT 1;\n-- caf\xe9\n")
    with pytest.raises(SourceSyntaxError, match=r"schema\.sql:2 is no UTF-8"):
        read_sql(path)
    path.write_bytes("\ufeffSELECT 1".encode())
    assert read_sql(path) == "SELECT 1"
