"""What the models need, held against a catalog by name alone."""

from __future__ import annotations

import pytest
from sqlalchemy import ARRAY, Column, Enum, Integer, MetaData, String, Table

from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.needs import type_names, unmet

T = Key(Kind.TABLE, "public", "", "t")
MOOD = Key(Kind.ENUM, "public", "", "mood")
SHARED = {T: {"kind": "r"}, Key(Kind.COLUMN, "public", "t", "id"): {"position": 1}}


def models(*columns: Column[object], schema: str | None = None, name: str = "t") -> MetaData:
    """A table."""
    metadata = MetaData()
    Table(name, metadata, Column("id", Integer, primary_key=True), *columns, schema=schema)
    return metadata


CASES = {
    "all-there": (models(), SHARED, []),
    "a-table": (models(), {}, ["missing table public.t"]),
    "a-column": (models(Column("a", Integer)), SHARED, ["missing column public.t.a"]),
    "a-system-column": (models(Column("xmin", String, system=True)), SHARED, []),
    "a-relation-of-unknown-columns": (models(), {Key(Kind.VIEW, "public", "", "t"): {}}, []),
    "a-view": (
        models(Column("a", Integer)),
        {Key(Kind.VIEW, "public", "", "t"): {}, Key(Kind.COLUMN, "public", "t", "id"): {}},
        ["missing column public.t.a"],
    ),
    "in-another-schema": (models(schema="app"), SHARED, ["missing table app.t"]),
    "a-name-that-is-cut": (models(name="t" * 64), SHARED, []),
    "a-label": (
        models(Column("mood", ARRAY(Enum("calm", "bright", name="mood")))),
        {**SHARED, Key(Kind.COLUMN, "public", "t", "mood"): {}, MOOD: {"labels": ["calm"]}},
        ["different enum public.mood: labels is ['calm'], not ['calm', 'bright']"],
    ),
    "labels-in-text": (
        models(Column("mood", Enum("calm", name="mood", native_enum=False))),
        {**SHARED, Key(Kind.COLUMN, "public", "t", "mood"): {}, MOOD: {"labels": []}},
        [],
    ),
    "a-domain-of-that-name": (
        models(Column("mood", Enum("calm", name="mood"))),
        {**SHARED, Key(Kind.COLUMN, "public", "t", "mood"): {}, Key(Kind.DOMAIN, "public", "", "mood"): {}},
        [],
    ),
}


@pytest.mark.parametrize(("metadata", "objects", "told"), CASES.values(), ids=CASES)
def test_what_the_models_need(metadata: MetaData, objects: dict[Key, dict[str, object]], told: list[str]) -> None:
    """A table, a column, a label that is certainly not there; nothing is said of what was not looked at."""
    assert [f"{one.what} {one}" for one in unmet(Catalog(objects), metadata)] == told


def test_what_the_server_has_and_the_catalog_leaves_out_is_not_missed() -> None:
    """The tables of an extension are there."""
    assert unmet(Catalog({}, hidden=frozenset({("pg_class", "t")})), models()) == ()


def test_the_enumerations_of_the_models_are_read_with_their_tables() -> None:
    """Those that are types of the database."""
    kinds = [Column("a", Enum("x", name="one")), Column("b", ARRAY(Enum("x", name="two"))), Column("c", Enum("x"))]
    assert type_names(models(*kinds, Column("d", Enum("x", name="text", native_enum=False)))) == {"one", "two"}
