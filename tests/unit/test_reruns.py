"""What the naive loop's next start would still change, and the order in which steps settle, found in thought."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import analyse, statements
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning import World, evaluate, lacking
from omega_bridge.planning.reruns import unsettled
from omega_bridge.planning.settling import empty_catalog, settle
from omega_bridge.steps import Registry

TABLE = "CREATE TABLE IF NOT EXISTS t (id int)"
LOOP = "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP EXECUTE 'SELECT 1'; END LOOP; END $$"


def found(steps: list[str], *, there: tuple[str, ...] = ("t",), among: tuple[int, ...] | None = None) -> list[int]:
    """Indexes of the steps that would change something where these tables exist."""
    analysis = analyse(Registry.of(steps))
    ids = [s.id for s in analysis]
    objects = {Key(Kind.TABLE, "public", "", name): {"columns known": True} for name in there}
    world = World(Catalog({**empty_catalog().objects, **objects}))
    again = unsettled(world, analysis, [ids[i] for i in among] if among is not None else ids)
    assert world.changes == {}
    return [ids.index(s.id) for s in again]


@pytest.mark.parametrize(
    ("steps", "among", "wanted"),
    [
        ([TABLE], None, []),
        (["CREATE TABLE IF NOT EXISTS u (id int)"], None, [0]),
        (["CREATE TABLE IF NOT EXISTS u (id int)"], (), []),
        (["CREATE TABLE u (id int)", "DROP TABLE IF EXISTS u"], None, []),
        (["DROP TABLE IF EXISTS u", "CREATE TABLE u (id int)", "DROP TABLE u"], None, []),
        ([LOOP, TABLE], None, [0, 1]),
        ([TABLE, LOOP], (0,), []),
        (["VACUUM t", "CREATE OR REPLACE VIEW v AS SELECT * FROM t"], None, [1]),
        (["INSERT INTO t VALUES (1)", "ALTER TABLE nothing ADD COLUMN c int"], None, []),
    ],
    ids=["there", "missing", "not-asked", "taken-away", "in-turn", "loop", "loop-last", "view", "rows-and-failing"],
)
def test_what_would_change_is_asked_again(steps: list[str], among: tuple[int, ...] | None, wanted: list[int]) -> None:
    """What is sure or in doubt is run again; what is there, left to a later step, failing, maintenance or data is not."""
    assert found(steps, among=among) == wanted


WAITS = "INSERT INTO u SELECT note FROM t"
OPAQUE_READER = (
    "DO $$ BEGIN EXECUTE 'UPDATE u SET n = 1; ALTER TABLE u ALTER n SET NOT NULL'; EXCEPTION WHEN OTHERS THEN NULL; END $$"
)
OPAQUE_MAKER = (
    "DO $$ DECLARE k int; BEGIN SELECT count(*) INTO k FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'public' AND c.relname = 'u'; IF k = 0 THEN CREATE TABLE u (n int) WITH (fillfactor = 80); END IF; END $$"
)
DYNAMIC = "DO $$ BEGIN EXECUTE format('CREATE TABLE IF NOT EXISTS %I (id int)', 'u'); ALTER TABLE u ADD COLUMN IF NOT EXISTS n int; END $$"


@pytest.mark.parametrize(
    ("steps", "order", "waited", "impossible"),
    [
        (["ALTER TABLE t ADD COLUMN a int", TABLE, "ALTER TABLE t ADD COLUMN b int"], (1, 2, 0), [0], []),
        ([f"ALTER TABLE {t} ADD COLUMN a int" for t in "xyz"], (0, 1, 2), [], [0, 1, 2]),
        ([TABLE, "ALTER TABLE x ADD COLUMN a int", "CREATE INDEX i ON x (a)"], (0, 1, 2), [], [1, 2]),
        ([TABLE, WAITS, "ALTER TABLE t DROP COLUMN note", "CREATE TABLE u (n text)"], (0, 3, 1, 2), [1], []),
        ([TABLE, WAITS, "ALTER TABLE t DROP COLUMN other", "CREATE TABLE u (n text)"], (0, 2, 3, 1), [1], []),
        (["ALTER TABLE x ADD COLUMN a int", "ALTER TABLE t ADD COLUMN a int", TABLE], (0, 2, 1), [1], [0]),
        (
            ["CREATE TABLE t (id int REFERENCES u)", "COMMENT ON TABLE t IS 'x'", "CREATE TABLE u (id int PRIMARY KEY)"],
            (2, 0, 1),
            [0, 1],
            [],
        ),
        ([OPAQUE_READER, OPAQUE_MAKER, "CREATE TABLE u (n text)"], (1, 2, 0), [0], []),
        ([DYNAMIC, "CREATE TABLE IF NOT EXISTS u (id int)"], (0, 1), [], []),
    ],
    ids=[
        "next-pass",
        "foundation",
        "what-hangs-on-it",
        "held-back",
        "not-held-back",
        "mixed",
        "behind-who-waits",
        "maker-not-held-back",
        "made-without-our-knowing",
    ],
)
def test_the_order_is_the_lists(steps: list[str], order: tuple[int, ...], waited: list[int], impossible: list[int]) -> None:
    """A step waits for what a later one makes, with who would destroy what it reads; what nobody makes moves nothing."""
    found = settle(analyse(Registry.of(steps)))
    assert (found.order, sorted(found.waited), sorted(found.unsettled)) == (order, waited, impossible)


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("WITH d AS (SELECT 1 AS id) DELETE FROM t USING d WHERE t.id = d.id", ["table t"]),
        ("GRANT SELECT ON t, u TO PUBLIC", ["table t", "table u"]),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT id FROM t'", ["table t"]),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT id FROM t); END'", []),
    ],
    ids=["with-query", "grant", "sql-body", "plpgsql-body"],
)
def test_what_a_statement_needs(text: str, needs: list[str]) -> None:
    """Only what PostgreSQL itself would look up is waited for."""
    (s,) = statements(analyse(Registry.of([text])).steps[0].program)
    assert [str(k) for k in s.needs if k.kind is Kind.TABLE] == needs


def test_dropped_and_added_promises_the_object() -> None:
    """A step that drops a constraint and adds another of that name lacks nothing once the constraint is there."""
    text = "ALTER TABLE t DROP CONSTRAINT IF EXISTS c; ALTER TABLE t ADD CONSTRAINT c CHECK (id IN (1, 2))"
    step = analyse(Registry.of([text])).steps[0]
    table, constraint = Key(Kind.TABLE, "public", "", "t"), Key(Kind.CONSTRAINT, "public", "t", "c")
    column = Key(Kind.COLUMN, "public", "t", "id")
    catalog = Catalog(
        {
            table: {},
            column: {"type": "integer"},
            constraint: {"type": "c", "definition": "CHECK ((id = ANY (ARRAY[1, 2])))", "validated": True},
        }
    )
    end = World(catalog)
    assert lacking(evaluate(step.program, end), World(catalog), end) == []


def test_a_temporary_table_is_found_by_the_rest_of_its_step() -> None:
    """What a step does by way of a temporary table is not taken for a failure."""
    step = analyse(Registry.of(["CREATE TEMP TABLE x (a int); INSERT INTO x VALUES (1); DROP TABLE x"])).steps[0]
    end = World(empty_catalog())
    after = evaluate(step.program, end)
    assert after.fails is None
    assert lacking(after, World(empty_catalog()), end) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DROP FUNCTION IF EXISTS put(int, VARIADIC text[])", "put(integer, text[])"),
        ("DROP FUNCTION put()", "put()"),
        ("DROP FUNCTION put", "put"),
    ],
)
def test_a_dropped_function_is_told_by_its_arguments(text: str, name: str) -> None:
    """One overload is not another; a bare name means any."""
    (s,) = statements(analyse(Registry.of([text])).steps[0].program)
    assert ([e.key.name for e in s.effects], s.opaque) == ([name], False)


COLUMNS = {
    "CREATE INDEX i ON t (lower(a::text), b) INCLUDE (c) WHERE d > 1 AND t.e AND ctid IS NOT NULL AND t IS NOT NULL": "abcde",
    "ALTER TABLE t ADD CHECK (a < b)": "ab",
    "ALTER TABLE t ADD COLUMN a int CHECK (a > b), ADD COLUMN b int": "",
    "ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS (b * 2) STORED": "b",
    "ALTER TABLE t ALTER COLUMN a TYPE int USING (b::int)": "ab",
    "ALTER TABLE t ADD EXCLUDE USING gist (a WITH =, (b + 1) WITH =) WHERE (c > 0)": "abc",
    "CREATE TABLE t (a int, b int CHECK (b > a), CHECK (a > 0))": "",
}


@pytest.mark.parametrize(("text", "columns"), COLUMNS.items())
def test_which_columns_a_statement_needs(text: str, columns: str) -> None:
    """Those in expressions, too; none that the statement makes itself, no system column and no whole row."""
    (step,) = analyse(Registry.of([text])).steps
    (s,) = step.reading.statements
    assert "".join(sorted(k.name for k in s.needs if k.kind is Kind.COLUMN)) == columns
