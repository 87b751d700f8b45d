"""The parser's room: canonical text, comparison, and what handlers hide."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import postgast
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from postgast import pg_query_pb2 as pb

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import (
    canonical,
    checksum,
    may_commit,
    on_one_line,
    parse,
    same_expression,
    same_routine,
    same_statement,
    same_type,
    unswallowed,
)
from omega_bridge.sql.messages import messages

STEP = "ALTER TABLE t ADD COLUMN a varchar(20) DEFAULT 'Some  Text'"
BLOCK = "DO $$ BEGIN IF TRUE THEN ALTER TABLE t ADD a int; END IF; END $$"


@pytest.mark.parametrize(
    "other",
    [
        "alter table T add column A VARCHAR(20) default 'Some  Text'",
        "ALTER TABLE t\n\tADD COLUMN a varchar ( 20 )   DEFAULT 'Some  Text';",
        "-- why\nALTER TABLE t /* here; $$ */ ADD COLUMN a varchar(20) DEFAULT 'Some  Text' ; -- done",
    ],
    ids=["case", "white-space", "comments"],
)
def test_cosmetic_edits_change_no_checksum(other: str) -> None:
    """White space, comments and the case of keywords are nobody's change."""
    assert checksum(other) == checksum(STEP)


@pytest.mark.parametrize(
    "other",
    [
        STEP.replace("Some  Text", "Some Text"),
        STEP.replace("20", "21"),
        STEP.replace(" a ", ' "A" '),
        STEP.replace("'Some", "E'Some"),
        STEP + "; SELECT 1",
    ],
    ids=["literal", "modifier", "quoted-name", "escape-string", "one-more"],
)
def test_meaningful_edits_change_the_checksum(other: str) -> None:
    """A literal, a modifier, a quoted name: each is another step."""
    assert checksum(other) != checksum(STEP)


def test_a_block_is_canonical_inside() -> None:
    """The body of a DO block is code; a function's body, or a literal, is text."""
    assert checksum(BLOCK) == checksum(
        "do $body$ begin\n  -- a column\n  if true then alter table t add a int; end if;\nend $body$"
    )
    literal = "SELECT $$ Two  Words $$"
    assert checksum(literal) != checksum(literal.replace("  ", " "))


@given(st.text())
@example(":0\N{NO-BREAK SPACE}")
def test_canonical_is_its_own_canonical(text: str) -> None:
    """Whatever the text, even none that a lexer takes: once is enough."""
    once = canonical(text)
    assert canonical(once) == once


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"])))
def test_one_line_means_the_same(text: str) -> None:
    """A statement put on one line has the checksum that it had."""
    assert checksum(on_one_line(text)) == checksum(text)


def test_statements_are_split_as_written() -> None:
    """Semicolons in literals, comments and dollar bodies split nothing."""
    text = "SELECT ';' -- ;\n; DO $x$ BEGIN PERFORM 1; END $x$; /* ; $$ */ SELECT $$;$$"
    assert [s.text for s in parse(text)] == ["SELECT ';' -- ;", "DO $x$ BEGIN PERFORM 1; END $x$", "SELECT $$;$$"]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("SELEC 1", 1, 1), ("SELECT 1;\nCREATE TABLE t (\n  a int,,\n b int)", 3, 9), ("SELECT 'ñandú', FROM", 1, 17)],
)
def test_errors_have_a_place(text: str, line: int, column: int) -> None:
    """Line and column within the step, in characters."""
    with pytest.raises(StepSyntaxError) as told:
        parse(text)
    assert (told.value.line, told.value.column) == (line, column)
    assert told.value.hint


@pytest.mark.parametrize(
    ("printed", "written", "answer"),
    [
        ("'new'::character varying", "'new'", True),
        ("now()", "CURRENT_TIMESTAMP", True),
        ("'{}'::jsonb", "'{}'", True),
        ("nextval('t_id_seq'::regclass)", "nextval('t_id_seq')", True),
        ("'-7'::integer", "-7", True),
        ("7", "8", False),
        ("'-7'::integer", "-8", False),
        ("false", "true", False),
        ("'a'::text", "'b'", False),
        ("'a'::character varying", "'b'::varchar", False),
        ("lower(x)", "upper(x)", None),
        ("true", "'yes'", None),
        ("8", "'08'", None),
        ("'2024-01-31 00:00:00'::timestamp without time zone", "'2024-01-31'", None),
        ("'1 day 02:00:00'::interval", "'1 day 2 hours'::interval", None),
        ("""'{"a": 1}'::jsonb""", """'{"a":1}'""", None),
        ("'{a,c}'::text[]", "'{a, c}'", None),
        ("'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "'B0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", None),
    ],
)
def test_defaults_are_compared_by_meaning(printed: str, written: str, answer: bool | None) -> None:
    """What PostgreSQL prints back is what was written; where only the server can tell, the answer is neither."""
    assert same_expression(printed, written) is answer


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("int", "integer", True),
        ("varchar(20)", "character varying(20)", True),
        ("varchar(20)", "varchar(21)", False),
        ("timestamptz", "timestamp with time zone", True),
        ("timestamptz", "timestamp", False),
        ("numeric(10,2)", "decimal(10, 2)", True),
        ("text[]", "text", False),
        ("double precision", "float8", True),
    ],
)
def test_types_are_compared_with_their_modifiers(one: str, other: str, answer: bool) -> None:
    """Aliases are one type; modifiers and arrays are not."""
    assert same_type(one, other) is answer


def test_statements_and_routines_are_compared_as_trees() -> None:
    """Layout says nothing, and neither do options that spell out a default; the body does."""
    assert same_statement("SELECT 1 , 2", "select 1,2")
    assert not same_statement("SELECT 1", "SELECT 2")
    plain = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    assert same_routine(
        plain, "CREATE OR REPLACE FUNCTION public.f()\n RETURNS int\n LANGUAGE sql\n VOLATILE COST 100 AS 'SELECT 1'"
    )
    assert not same_routine(plain, plain.replace("1", "2"))
    assert not same_routine(plain, plain + " STRICT")


def test_a_handler_is_made_to_tell() -> None:
    """RAISE comes first in every handler, whatever stands around it; a step without handlers has nothing to tell."""
    text = "DO $$ BEGIN PERFORM 1; EXCEPTION WHEN undefined_table OR OTHERS THEN RAISE NOTICE 'when x then %', SQLERRM; END $$"
    assert "THEN RAISE; RAISE NOTICE 'when x then %'" in str(unswallowed(text))
    assert unswallowed(BLOCK) is None
    assert unswallowed("DO $$ BEGIN RAISE EXCEPTION 'EXCEPTION WHEN others THEN'; END $$") is None


def test_messages_are_those_that_postgast_makes() -> None:
    """Each message with its fields, each enumeration with its values; and protobuf's implementation in Python is not loaded for them."""
    made = messages(Path(pb.__file__).parent)
    assert made is not None
    described = pb.DESCRIPTOR
    assert made.Node.DESCRIPTOR.file.serialized_pb == described.serialized_pb
    assert {n for n in vars(pb) if not n.startswith("_")} - {"DESCRIPTOR", "DESCRIPTOR_POOL", "annotations"} <= {
        *vars(made), *described.message_types_by_name
    }  # fmt: skip
    assert "SelectStmt" not in vars(made)
    assert made.SelectStmt is made.SelectStmt is type(made.Node().select_stmt)
    with pytest.raises(AttributeError, match="NoStmt"):
        _ = made.NoStmt
    assert all(getattr(made, name).DESCRIPTOR.full_name == f"pg_query.{name}" for name in described.message_types_by_name)
    for name, enum in described.enum_types_by_name.items():
        assert getattr(made, name).items() == getattr(pb, name).items()
        assert [getattr(made, value.name) for value in enum.values] == [value.number for value in enum.values]
    tree = postgast.parse(
        "CREATE TABLE t (a numeric(3, 2)[] DEFAULT '{}' CHECK (a IS NOT NULL)); SELECT 1 FROM t JOIN u USING (a)"
    )
    assert str(made.ParseResult.FromString(tree.SerializeToString())) == str(tree)
    program = "import sys, omega_bridge.sql\nassert 'google.protobuf.internal.python_message' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("description", [b"", b"\x12\x00", b"\x0a\x7f", b"\x0a\x02\x0a\x7f"])
def test_another_description_is_left_to_postgast(tmp_path: Path, description: bytes) -> None:
    """What is not read as expected makes no messages."""
    (tmp_path / "pg_query.desc").write_bytes(description)
    assert messages(tmp_path) is None
    assert messages(tmp_path / "none") is None


def test_the_parser_is_loaded_by_protobufs_public_modules_where_it_has_to_be() -> None:
    """With protobuf's implementation in Python the same statements are read."""
    program = "from omega_bridge.sql import parse\nassert parse('SELECT 1')[0].tag == 'select_stmt'"
    env = {**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    subprocess.run([sys.executable, "-c", program], check=True, env=env)


def test_the_parser_is_loaded_without_what_nobody_uses() -> None:
    """Of ``postgast`` a start loads what parses, and who imports it beside that gets all of it."""
    program = (
        "import sys\nfrom omega_bridge.sql import deparse_statement, parse\n"
        "assert not [name for name in sys.modules if 'postgast' in name], sys.modules.keys()\n"
        "(found,) = parse('ALTER TABLE t ADD COLUMN \"Ä\" varchar(3)')\n"
        "import postgast\n"
        "tree = postgast.parse(found.text)\n"
        "assert postgast.deparse(tree) == deparse_statement(found.tag, found.node)\n"
        "assert postgast.errors.PgQueryError and postgast.wrap(tree)\n"
        "assert parse('SELECT 1')[0].tag == 'select_stmt'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    subprocess.run([sys.executable, "-c", f"import postgast\n{program}".replace("assert not [", "assert [")], check=True)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("CALL fill(1)", True),
        ("-- now\ncall fill(1);", True),
        ("DO $$ BEGIN CALL fill(); END $$", True),
        ("DO $$ BEGIN IF true THEN CALL fill(); END IF; END $$", True),
        ("DO $$ BEGIN COMMIT; END $$", True),
        ("SELECT 1; CALL fill()", False),
        ("CALL fill(); SELECT 1", False),
        ("CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN CALL fill(); END $$", False),
        ("DO $$ BEGIN RAISE NOTICE 'CALL fill()'; END $$", False),
        ("SELECT 'x", False),
        ("", False),
    ],
)
def test_what_may_commit_as_it_goes(text: str, answer: bool) -> None:
    """A procedure may, called by itself or by a block; several statements in one text are one transaction, in which none may."""
    assert may_commit(text) is answer
