"""What two releases of PostgreSQL make of the same list is no difference of the list's."""

from __future__ import annotations

import pytest

from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.expectation import Expectation, compare


def holding(of: Kind, type_: str, version: int) -> Catalog:
    """A catalog with one column, of a relation of that kind."""
    objects = {
        Key(of, "public", "", "r"): {"owner": "me"},
        Key(Kind.COLUMN, "public", "r", "c"): {"type": type_, "nullable": True},
    }
    return Catalog(objects, search_path=("public",), server_version=version)


@pytest.mark.parametrize(
    ("of", "version", "told"),
    [(Kind.VIEW, 130000, []), (Kind.VIEW, 180000, ["type"]), (Kind.TABLE, 130000, ["type"])],
    ids=["of a view on another release", "of a view on the same", "of a table"],
)
def test_the_type_of_a_views_column_follows_from_its_query(of: Kind, version: int, told: list[str]) -> None:
    """``EXTRACT`` gives another type from 14 on: named as not looked at, where the releases differ; a table's is what the list says."""
    expected = Expectation(holding(of, "numeric", 180000), "me", "")
    compared = compare(expected, holding(of, "double precision", version), "me")
    assert [d.attribute for d in compared.departures] == told
    assert bool(compared.unseen) != bool(told)
