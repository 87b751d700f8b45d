"""What a step's own text says of the tables that nothing makes, and what it does not."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.planning import World, evaluate
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.revisions.supposed import Supposed, supposed
from omega_bridge.steps import Registry

HERE = "CREATE TABLE here (id bigint PRIMARY KEY, code text)"


def of(text: str) -> Supposed | None:
    """Of a step behind one that makes the table ``here``."""
    made, step = analyse(Registry.of([HERE, text]))
    world = World(empty_catalog())
    evaluate(made.program, world)
    return supposed(step, world)


SAID = {
    "column": ("ALTER TABLE a ADD COLUMN IF NOT EXISTS b text", ["a ()"], "CREATE TABLE public.a ()"),
    "guarded": (
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'a' AND column_name = 'b') THEN"
        " ALTER TABLE a ADD COLUMN b text; END IF; END $$",
        ["a ()"],
        "CREATE TABLE public.a ()",
    ),
    "of the server's type": ("ALTER TABLE public.a ADD b mood", ["a ()"], "CREATE TABLE public.a ()"),
    "index": ('CREATE INDEX ON a (x, "Y" DESC)', ['a (x, "Y")'], 'CREATE TABLE public.a (x integer, "Y" integer)'),
    "unique": ("ALTER TABLE a ADD UNIQUE (x)", ["a (x)"], "CREATE TABLE public.a (x integer)"),
    "to a column": (
        "ALTER TABLE here ADD COLUMN a_id uuid REFERENCES a (key)",
        ["a (key uuid)"],
        "CREATE TABLE public.a (key uuid, UNIQUE (key))",
    ),
    "to a primary key": (
        "CREATE TABLE b (id serial PRIMARY KEY, a_id varchar(8) REFERENCES a)",
        ["a (its primary key)"],
        "CREATE TABLE public.a (id varchar(8), PRIMARY KEY (id))",
    ),
    "of a table that is there": (
        "ALTER TABLE here ADD FOREIGN KEY (code) REFERENCES a (code)",
        ["a (code text)"],
        "CREATE TABLE public.a (code text, UNIQUE (code))",
    ),
    "to a table that is there": (
        "ALTER TABLE a ADD FOREIGN KEY (h) REFERENCES here (id)",
        ["a (h bigint)"],
        "CREATE TABLE public.a (h bigint)",
    ),
    "to itself": (
        "ALTER TABLE a ADD COLUMN up int REFERENCES a (id)",
        ["a (id int)"],
        "CREATE TABLE public.a (id int, UNIQUE (id))",
    ),
    "between two": (
        "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES b (y)",
        ["a (x)", "b (y)"],
        "CREATE TABLE public.a (x integer); CREATE TABLE public.b (y integer, UNIQUE (y))",
    ),
}


@pytest.mark.parametrize(("text", "tables", "way"), SAID.values(), ids=list(SAID))
def test_what_is_said_is_supposed(text: str, tables: list[str], way: str) -> None:
    """The tables, the columns that are named, and the types that the statement settles."""
    found = of(text)
    assert found is not None
    assert (list(found.tables), found.ways[0]) == (tables, way)


def test_what_is_not_said_is_supposed_in_two_ways() -> None:
    """A type that is not said is another one in each, and so is the name of a primary key."""
    found = of("CREATE UNIQUE INDEX i ON a (x)")
    assert found is not None
    assert found.ways == ("CREATE TABLE public.a (x integer)", "CREATE TABLE public.a (x text)")
    found = of("ALTER TABLE here ADD COLUMN a_id int REFERENCES a")
    assert found is not None
    assert found.ways[1] == "CREATE TABLE public.a (key int, PRIMARY KEY (key))"


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE here ADD COLUMN b text",
        "CREATE INDEX ON a (lower(x))",
        "CREATE INDEX ON a (x) WHERE y IS NULL",
        "CREATE INDEX ON a USING gin (x)",
        "CREATE INDEX ON a (x text_pattern_ops)",
        "CREATE INDEX CONCURRENTLY i ON a (x)",
        "CREATE INDEX ON here (missing)",
        "ALTER TABLE a ADD CHECK (x > 0)",
        "ALTER TABLE a ADD COLUMN b int CHECK (b > c)",
        "ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS (c + 1) STORED",
        "ALTER TABLE a ADD PRIMARY KEY USING INDEX i",
        "ALTER TABLE a ALTER COLUMN x SET DEFAULT 1",
        "ALTER TABLE a ALTER COLUMN x TYPE text",
        "ALTER TABLE a DROP COLUMN x",
        "ALTER TABLE a ADD COLUMN b int, ADD COLUMN c int",
        "ALTER TABLE a ADD COLUMN b int; ALTER TABLE a ADD COLUMN c int",
        "ALTER TABLE elsewhere.a ADD COLUMN b int",
        "ALTER TABLE ONLY a ADD COLUMN b int",
        "ALTER TABLE here ADD COLUMN a_id serial REFERENCES a (id)",
        "ALTER TABLE here ADD FOREIGN KEY (id, code) REFERENCES a (id)",
        "CREATE TABLE b () INHERITS (a)",
        "CREATE TABLE b (LIKE a)",
        "CREATE VIEW v AS SELECT x FROM a",
        "UPDATE a SET x = 1",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE a ADD COLUMN ' || quote_ident('b') || ' int'; END $$",
    ],
)
def test_what_needs_more_is_left_as_it_is(text: str) -> None:
    """Rows, types that are computed with, other schemas, and several statements: nobody supposes anything."""
    assert of(text) is None
