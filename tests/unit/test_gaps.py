"""What the list and the models promise, held against a catalog in thought."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.postgresql import ENUM

from omega_bridge.analysis import analyse
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.evaluate import evaluate
from omega_bridge.planning.gaps import together, unclaimed, unkept_by_models, unkept_by_steps
from omega_bridge.planning.settling import empty_catalog, settle_in
from omega_bridge.planning.world import World
from omega_bridge.revisions.models import every_table
from omega_bridge.steps import Registry

COLUMN = {"type": "integer", "nullable": True, "default": None, "identity": "", "generated": ""}


def database(**tables: dict[str, dict[str, Any]]) -> Catalog:
    """A catalog of tables with columns."""
    objects: dict[Key, dict[str, Any]] = dict(empty_catalog().objects)
    for table, columns in tables.items():
        objects[Key(Kind.TABLE, "public", "", table)] = {"kind": "r"}
        objects |= {Key(Kind.COLUMN, "public", table, name): {**COLUMN, **said} for name, said in columns.items()}
    return Catalog(objects)


def by_steps(catalog: Catalog, *steps: str) -> list[str]:
    """What the list's promises lack, as text."""
    return [f"{u.what} {u}" for u in unkept_by_steps(catalog, analyse(Registry.of(list(steps))))]


def by_models(world: World, metadata: MetaData) -> list[str]:
    """What the models' promises lack, as text."""
    return [f"{u.what} {u}" for u in unkept_by_models(world, analyse(every_table(metadata)))]


T = "CREATE TABLE IF NOT EXISTS t (a int, b text NOT NULL)"
CASES = {
    "all there": (database(t={"a": {}}), [T], []),
    "a table, without what hangs on it": (
        database(),
        [T, "CREATE INDEX IF NOT EXISTS i ON t (a)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int"],
        ["missing table public.t"],
    ),
    "a column": (
        database(t={"a": {}}),
        [T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int"],
        ["missing column public.t.c"],
    ),
    "a default": (
        database(t={"a": {}}),
        [T, "ALTER TABLE t ALTER a SET DEFAULT 1"],
        ["different column public.t.a: default is None, not 1"],
    ),
    "the last of two types": (
        database(t={"a": {"type": "text"}}),
        [T, "ALTER TABLE t ALTER a TYPE bigint", "ALTER TABLE t ALTER a TYPE text"],
        [],
    ),
    "a column that a later step takes away": (
        database(t={"a": {}}),
        [T, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int", "ALTER TABLE t DROP COLUMN IF EXISTS c"],
        [],
    ),
    "a column that is to go": (
        database(t={"a": {}, "c": {}}),
        [T, "ALTER TABLE t DROP COLUMN IF EXISTS c"],
        ["unwanted column public.t.c"],
    ),
    "a need of somebody else": (database(), ["ALTER TABLE u ADD COLUMN c int"], ["missing table u"]),
    "a need that a later step meets": (
        database(t={"a": {}, "c": {}}),
        ["ALTER TABLE t ADD COLUMN IF NOT EXISTS c int", T],
        [],
    ),
    "a guard that another table answers": (
        database(t={"a": {}}, u={"c": {}}),
        [
            T,
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE column_name = 'c' AND table_name = 't') "
            "THEN ALTER TABLE t ADD COLUMN c int; END IF; END $$",
        ],
        ["missing column public.t.c"],
    ),
    "rebuilt": (
        database(t={"a": {"default": "1"}}),
        [T, "ALTER TABLE t ALTER a DROP DEFAULT; ALTER TABLE t ALTER a SET DEFAULT 1"],
        [],
    ),
    "rows": (database(t={"a": {}}), [T, "UPDATE t SET a = 1"], []),
    "a temporary table": (
        database(t={"a": {}}),
        [T, "CREATE TEMP TABLE s AS SELECT a FROM t; INSERT INTO t SELECT a FROM s; DROP TABLE s"],
        [],
    ),
    "what dynamic SQL may have made": (
        database(),
        ["DO $$ BEGIN EXECUTE 'CREATE TABLE ' || 'x' || ' (a int)'; ALTER TABLE x ADD COLUMN b int; END $$"],
        [],
    ),
    "what only the server knows": (database(), ["DO $$ BEGIN EXECUTE 'CREATE TABLE ' || 'x' || ' (a int)'; END $$"], []),
}


@pytest.mark.parametrize(("catalog", "steps", "told"), CASES.values(), ids=[c.replace(" ", "-") for c in CASES])
def test_what_the_steps_promise(catalog: Catalog, steps: list[str], told: list[str]) -> None:
    """The list as a whole is what counts: what a later step takes back is no promise, and what cannot be known no drift."""
    assert by_steps(catalog, *steps) == told


def test_a_missing_object_is_told_with_the_step_that_makes_it() -> None:
    """Not with the one that comments on it later."""
    steps = [T, ("adds", "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int"), ("later", "ALTER TABLE t ALTER c SET DEFAULT 1")]
    (found,) = unkept_by_steps(database(t={"a": {}}), analyse(Registry.of(steps)))
    assert (found.by, found.as_dict()["by"], found.what) == ("adds", "adds", "missing")


def models() -> MetaData:
    """A table with what models say of columns."""
    metadata = MetaData()
    Table(
        "t",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(20), nullable=False, server_default="x"),
        Column("note", Text, default="python's own"),
        Column("mood", ENUM("good", "bad", name="mood")),
    )
    return metadata


MODEL = {
    "id": {"nullable": False, "default": "nextval('t_id_seq'::regclass)"},
    "name": {"type": "character varying(20)", "nullable": False, "default": "'x'::character varying"},
    "note": {"type": "text", "default": "'the server''s own'::text"},
    "mood": {"type": "mood"},
}
LIVE = {
    "as the models say": (MODEL, []),
    "a column short": ({k: v for k, v in MODEL.items() if k != "note"}, ["missing column public.t.note"]),
    "another type": (
        {**MODEL, "name": {**MODEL["name"], "type": "text"}},
        ["different column public.t.name: type is text, not varchar(20)"],
    ),
    "nullable": (
        {**MODEL, "name": {**MODEL["name"], "nullable": True}},
        ["different column public.t.name: nullable is True, not False"],
    ),
    "another default": (
        {**MODEL, "name": {**MODEL["name"], "default": "'y'::character varying"}},
        ["different column public.t.name: default is 'y'::character varying, not 'x'"],
    ),
}


@pytest.mark.parametrize(("columns", "told"), LIVE.values(), ids=[k.replace(" ", "-") for k in LIVE])
def test_what_the_models_promise(columns: dict[str, dict[str, Any]], told: list[str]) -> None:
    """Columns with type, nullability, and the default where the model gives the server one."""
    assert by_models(World(database(t=columns)), models()) == told


def test_a_table_and_an_enums_labels() -> None:
    """A missing table is one line; a label that the type lacks is one, too."""
    assert by_models(World(database()), models()) == ["missing table public.t"]
    there = database(t=MODEL)
    catalog = Catalog({**there.objects, Key(Kind.ENUM, "public", "", "mood"): {"labels": ["good"]}})
    assert by_models(World(catalog), models()) == ["different enum public.mood: labels is ['good'], not ['good', 'bad']"]


def test_the_steps_held_against_the_models() -> None:
    """Without a server: a column that no step makes, and one that a step makes otherwise; a renamed one is not guessed at."""
    listed = analyse(
        Registry.of(
            [
                "CREATE TABLE IF NOT EXISTS t (id serial PRIMARY KEY, name varchar(10) NOT NULL DEFAULT 'x', remark text)",
                "ALTER TABLE t RENAME COLUMN remark TO note",
            ]
        )
    )
    world = World(empty_catalog())
    settle_in(world, listed)
    assert by_models(world, models()) == [
        "different column public.t.name: type is varchar(10), not varchar(20)",
        "missing column public.t.mood",
    ]


def test_each_object_once() -> None:
    """What both sides miss is one difference, by the name of the table."""
    listed, promised = analyse(Registry.of([T])), analyse(every_table(models()))
    catalog = database()
    found = together(unkept_by_steps(catalog, listed), unkept_by_models(World(catalog), promised))
    assert [(str(u), u.by) for u in found] == [("table public.t", "create-t")]


def test_what_only_the_database_has() -> None:
    """Tables that nothing names, and columns that nothing names of a table that the list makes; not those of others' tables."""
    catalog = database(t={"a": {}, "b": {}, "x": {}}, u={"a": {}, "x": {}}, stray={"a": {}})
    listed = analyse(Registry.of([T, "ALTER TABLE u ADD COLUMN IF NOT EXISTS a int"]))
    assert [str(k) for k in unclaimed(catalog, [listed])] == ["column public.t.x", "table public.stray"]


@pytest.mark.parametrize(
    "made",
    [
        ("DROP POLICY IF EXISTS p ON t; CREATE POLICY p ON t USING (id > 1)", "DROP POLICY IF EXISTS p ON t; CREATE POLICY p ON t USING (true)"),
        ("DROP INDEX IF EXISTS i; CREATE INDEX i ON t (id)", "DROP INDEX IF EXISTS i; CREATE INDEX i ON t (a)"),
        (
            "DROP MATERIALIZED VIEW IF EXISTS m; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a",
            "DROP MATERIALIZED VIEW IF EXISTS m; CREATE MATERIALIZED VIEW m AS SELECT 2 AS a",
        ),
    ],
    ids=["policy", "index", "materialized view"],
)  # fmt: skip
def test_what_only_a_server_knows_of_is_not_taken_for_the_same(made: tuple[str, str]) -> None:
    """An object that was made in thought alone, and is made anew otherwise, is no rebuild of what is there."""
    world = World(empty_catalog())
    for step in analyse(Registry.of(["CREATE TABLE t (id int, a int)", *made])):
        found = evaluate(step.program, world)
        assert not found.is_nothing
