"""A misspelled table is asked about; a name like no other is not."""

from __future__ import annotations

import pytest

from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.meant import asked, meant

CATALOG = Catalog({Key(Kind.TABLE, "public", "", name): {} for name in ("orders", "tenants", "chat_messages")})


@pytest.mark.parametrize(
    ("rejection", "near"),
    [
        ('42P01: relation "ordres" does not exist', "orders"),
        ('42P01: relation "public.tenant" does not exist', "tenants"),
        ('42P01: relation "chat_mesages" does not exist', "chat_messages"),
        ('42P01: relation "shops" does not exist', ""),
        ('42P01: relation "orders" does not exist', ""),
        ('42703: column "ordres" does not exist', ""),
    ],
)
def test_a_table_by_nearly_the_same_name_may_be_meant(rejection: str, near: str) -> None:
    """Only of a relation that is not there, and never the same name once more."""
    assert meant(rejection, CATALOG) == near
    assert asked(rejection, CATALOG) == (f"; is table {near} meant?" if near else "")
