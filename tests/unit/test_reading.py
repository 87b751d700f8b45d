"""What a block is understood to do in a catalog where table ``t (id)`` is, and what is left to the server."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning import World, evaluate
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.sql import same_routine
from omega_bridge.steps import Registry

COLUMN = {"type": "integer", "nullable": True, "default": None, "identity": "", "generated": ""}
CATALOG = Catalog(
    {
        **empty_catalog().objects,
        Key(Kind.TABLE, "public", "", "t"): {"kind": "r"},
        Key(Kind.COLUMN, "public", "t", "id"): COLUMN,
    }
)
ADD = "ALTER TABLE t ADD COLUMN n int;"
NO_N = "NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't' AND column_name = 'n')"
HAS_T = "to_regclass('t') IS NOT NULL"

NOTHING, WORK, DOUBT = "nothing", "work", "doubt"
BLOCKS = {
    "return ends the block": (f"BEGIN IF {HAS_T} THEN RETURN; END IF; {ADD} END", NOTHING),
    "return in the else": (f"BEGIN IF {HAS_T} THEN NULL; ELSE RETURN; END IF; {ADD} END", WORK),
    "nothing follows a return": (f"BEGIN RETURN; {ADD} END", NOTHING),
    "return in an arm of an arm": (f"BEGIN IF {HAS_T} THEN IF {NO_N} THEN RETURN; END IF; END IF; {ADD} END", DOUBT),
    "return of two arms": (
        f"BEGIN IF {NO_N} THEN RETURN; ELSIF {HAS_T} THEN RETURN; END IF; {ADD} END",
        NOTHING,
    ),
    "return in a loop": (f"DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP RETURN; END LOOP; {ADD} END", DOUBT),
    "a label that is left": (f"<<b>> BEGIN EXIT b; {ADD} END", DOUBT),
    "an assertion": (f"BEGIN ASSERT {NO_N}; {ADD} END", DOUBT),
    "a searched case": (f"BEGIN CASE WHEN {HAS_T} THEN NULL; ELSE {ADD} END CASE; END", NOTHING),
    "a case of a value": (f"BEGIN CASE 1 WHEN 1 THEN {ADD} ELSE NULL; END CASE; END", DOUBT),
    "the else of an unknown guard": (f"BEGIN IF version() = 'x' THEN NULL; ELSE {ADD} END IF; END", DOUBT),
    "assigned with =": (f"DECLARE b bool; BEGIN b = {NO_N}; IF b THEN {ADD} END IF; END", WORK),
    "declared with a default": (f"DECLARE b bool := {NO_N}; BEGIN IF NOT b THEN {ADD} END IF; END", NOTHING),
    "a default of an inner block": (
        f"BEGIN {ADD} DECLARE b bool := {NO_N}; BEGIN IF b THEN CREATE TABLE u (id int); END IF; END; END",
        DOUBT,
    ),
    "declared twice": (
        f"DECLARE b bool := true; BEGIN DECLARE b bool; BEGIN b := false; END; IF b THEN {ADD} END IF; END",
        DOUBT,
    ),
    "set on one path": (f"DECLARE b bool; BEGIN b := true; IF NOT {HAS_T} THEN b := false; END IF; IF b THEN {ADD} END IF; END", DOUBT),
    "looked up before the change": (f"DECLARE b bool; BEGIN b := {NO_N}; {ADD} IF b THEN CREATE TABLE u (id int); END IF; END", DOUBT),
    "another name for a variable": (f"DECLARE b bool; c ALIAS FOR b; BEGIN b := true; c := false; IF b THEN {ADD} END IF; END", DOUBT),
    "found of the last query": (
        "DECLARE v int; BEGIN PERFORM 1 FROM pg_class WHERE relname = 't'; SELECT 1 INTO v FROM information_schema.columns "
        f"WHERE table_name = 't' AND column_name = 'n'; IF NOT FOUND THEN {ADD} END IF; END",
        WORK,
    ),
    "found after a statement": (
        f"BEGIN PERFORM 1 FROM pg_class WHERE relname = 't'; UPDATE t SET id = 1; IF NOT FOUND THEN {ADD} END IF; END",
        DOUBT,
    ),
    "into strict": (
        "DECLARE v int; BEGIN SELECT 1 INTO STRICT v FROM information_schema.columns WHERE table_name = 't' AND column_name = 'n'; "
        f"{ADD} END",
        DOUBT,
    ),
    "executed into": (f"DECLARE b bool; BEGIN EXECUTE 'SELECT false' INTO b; IF b THEN {ADD} END IF; END", DOUBT),
    "a handler that does work": (f"BEGIN PERFORM 'z'::regclass; EXCEPTION WHEN undefined_table THEN {ADD} END", DOUBT),
    "a handler of what is there": (f"BEGIN CREATE TABLE t (id int); EXCEPTION WHEN duplicate_table THEN {ADD} END", DOUBT),
    "a handler that lets pass": ("BEGIN CREATE TABLE t (id int); EXCEPTION WHEN duplicate_table THEN NULL; END", NOTHING),
    "null is not true": (
        "BEGIN IF NOT ((SELECT data_type FROM information_schema.columns WHERE table_name = 't' AND column_name = 'n') = 'text') "
        f"THEN {ADD} END IF; END",
        NOTHING,
    ),
    "distinct from null": (
        "DECLARE d text; BEGIN SELECT column_default INTO d FROM information_schema.columns WHERE table_name = 't' AND "
        f"column_name = 'id'; IF d IS DISTINCT FROM '4' THEN {ADD} END IF; END",
        WORK,
    ),
    "true or null": (
        "DECLARE b bool; BEGIN SELECT true INTO b FROM pg_class WHERE relname = 'z'; "
        f"IF NOT b THEN {ADD} END IF; END",
        DOUBT,
    ),
    "a function in a condition": (f"BEGIN IF make_it() THEN NULL; END IF; IF NOT {HAS_T} THEN {ADD} END IF; END", DOUBT),
    "an error of its own": (f"BEGIN IF {HAS_T} THEN RAISE EXCEPTION 'no'; END IF; {ADD} END", DOUBT),
}  # fmt: skip


@pytest.mark.parametrize(("block", "told"), BLOCKS.values(), ids=[b.replace(" ", "-") for b in BLOCKS])
def test_a_block_is_read_to_its_end_or_left_to_the_server(block: str, told: str) -> None:
    """A step is skipped only where every way through it was read, and changes nothing."""
    (step,) = analyse(Registry.of([f"DO $$ {block} $$"]))
    assert step.problem is None
    found = evaluate(step.program, World(CATALOG))
    if told == DOUBT:
        assert not found.is_nothing
        assert not found.is_certain
    else:
        assert found.is_nothing is (told == NOTHING)
        assert found.is_certain or told == NOTHING


QUERIES = [
    "EXISTS (SELECT count(*) FROM information_schema.columns WHERE table_name = 't')",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname = 't' OFFSET 1)",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname = 't' HAVING true)",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname = 't' UNION SELECT 1)",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname = 't' LIMIT 0)",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname::varchar(1) = 't')",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname OPERATOR(public.=) 't')",
    "EXISTS (SELECT 1 FROM pg_class WHERE relname COLLATE \"C\" = 't')",
    "EXISTS (SELECT 1 FROM pg_class TABLESAMPLE system (1) WHERE relname = 't')",
    "EXISTS (SELECT 1 FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relname = 't')",
    "EXISTS (SELECT 1 FROM pg_constraint c, pg_class r WHERE c.conname = 'x' AND r.relname = 't')",
    "EXISTS (SELECT 1 FROM columns WHERE table_name = 't')",
    "EXISTS (SELECT 1 FROM information_schema.columns WHERE column_name = 'n' AND table_name = v)",
    "(SELECT count(*) FILTER (WHERE column_name = 'n') FROM information_schema.columns WHERE table_name = 't') = 0",
    "(SELECT count(DISTINCT 1) FROM information_schema.columns WHERE table_name = 't') = 0",
    "(SELECT count(column_default) FROM information_schema.columns WHERE table_name = 't') = 0",
    "to_regclass('a, b') IS NULL",
    "to_regclass('db.s.t') IS NULL",
    "to_regclass('t' || '') IS NULL",
]


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_with_a_clause_that_is_not_read_is_left_to_the_server(text: str) -> None:
    """Every clause of a look-up is one that is known, or the look-up is none."""
    (step,) = analyse(Registry.of([f"DO $$ DECLARE v text; BEGIN IF {text} THEN CREATE TABLE u (id int); END IF; END $$"]))
    assert step.problem is None
    assert not step.reading.is_certain
    assert not evaluate(step.program, World(CATALOG)).is_nothing


def test_a_query_that_writes_rows_is_a_data_step() -> None:
    """Rows of a ``WITH`` are written at every boot, as the list means it."""
    (step,) = analyse(Registry.of(["WITH x AS (INSERT INTO t VALUES (9) RETURNING id) SELECT * FROM x"]))
    assert step.kind == "data"
    assert evaluate(step.program, World(CATALOG)).touches_rows


AGAIN = [
    "CREATE TABLE t AS SELECT 1 AS id",
    "ALTER TABLE t ALTER id DROP IDENTITY",
]


@pytest.mark.parametrize("text", AGAIN)
def test_what_follows_a_statement_that_may_be_rejected_is_not_taken_for_done(text: str) -> None:
    """A statement that makes what is there ends the text: the statements behind it are not sent alone."""
    (step,) = analyse(Registry.of([f"{text}; CREATE TABLE u (id int)"]))
    found = evaluate(step.program, World(CATALOG))
    assert not found.is_nothing
    assert not found.is_certain


ROUTINES = [
    ("SET work_mem = '1MB' SET search_path = public", "SET work_mem = '2MB' SET search_path = public", False),
    ("SET search_path = public SET work_mem = '1MB'", "SET work_mem = '1MB' SET search_path = public", True),
    ("COST 100", "", True),
    ("COST 5", "", False),
]


@pytest.mark.parametrize(("one", "other", "same"), ROUTINES)
def test_a_function_is_the_same_where_every_option_is(one: str, other: str, same: bool) -> None:
    """A function of which one option is another is replaced."""
    text = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql {} AS 'SELECT 1'"
    assert same_routine(text.format(one), text.format(other)) is same


TRIGGERS = [
    ("f()", "f()", True),
    ("f()", "public.f()", True),
    ("f()", "other.f()", False),
    ("other.f()", "f()", False),
    ("other.f()", "public.f()", False),
]


@pytest.mark.parametrize(("printed", "written", "same"), TRIGGERS)
def test_a_trigger_is_the_same_where_its_function_is(printed: str, written: str, same: bool) -> None:
    """A trigger that calls another schema's function of the same name is replaced."""
    text = "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION "
    assert same_routine(text + printed, text + written, "public") is same


def test_a_constant_of_another_type_is_another_constant() -> None:
    """A condition that compares by another type means something else."""
    text = "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.a = 'x'{}) EXECUTE FUNCTION f()"
    assert same_routine(text.format("::text"), text.format(""))
    assert not same_routine(text.format("::text"), text.format("::name"))
    assert not same_routine(text.format("::varchar(1)::text"), text.format("::text"))


NAMES = [
    ("CREATE INDEX ON t (n) INCLUDE (a)", "t_n_a_idx"),
    ("CREATE INDEX ON t ((n + 1), (n + 2))", "t_expr_expr1_idx"),
    ("ALTER TABLE t ADD UNIQUE (n) INCLUDE (a)", "t_n_a_key"),
]


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_a_name_that_postgresql_makes_up_is_known(text: str, name: str) -> None:
    """What is made without a name is looked for under the one that it gets."""
    (step,) = analyse(Registry.of([text]))
    assert name in {e.key.name for e in step.effects}
