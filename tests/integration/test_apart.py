"""What refuses a transaction, in the history: it neither breaks the export nor stops an upgrade that a start passes."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge.catalog import Catalog, diff
from omega_bridge.embedded import Server
from omega_bridge.postgres.catalog_reader import read_catalog
from tests.fixtures.databases import MakeDatabase
from tests.integration.test_again import compiled, upgraded

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, a text)"
LAST = "ALTER TABLE t ADD COLUMN IF NOT EXISTS last int"
PARTED = "CREATE TABLE IF NOT EXISTS p (id bigint, at date NOT NULL) PARTITION BY RANGE (at)"
LISTS = {
    "two in a row": [
        T,
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS j ON t (id, a)",
        LAST,
    ],
    "rejected": [T, PARTED, "CREATE INDEX CONCURRENTLY IF NOT EXISTS p_id ON p (id)", LAST],
    "maintenance of what is not there": [T, "VACUUM nothing", LAST],
    "beside others, the second one rejected": [T, "CREATE INDEX CONCURRENTLY i ON t (a); VACUUM nothing; REINDEX TABLE t", LAST],
}


def catalog(url: str) -> Catalog:
    """Everything but the bridge's own."""
    with psycopg.connect(url, autocommit=True) as conn:
        return read_catalog(conn)


@pytest.mark.parametrize("name", LISTS)
def test_it_goes_as_far_as_in_a_start(tmp_path: Path, make_database: MakeDatabase, server: Server, name: str) -> None:
    """The history is exported and upgrades to the end, with the schema that a start leaves."""
    folder, booted = tmp_path / "alembic", make_database()
    compiled(folder, server, LISTS[name])
    omega_bridge.boot(booted, LISTS[name], on_error="continue")
    found = upgraded(make_database(), folder)
    assert diff(found, catalog(booted)) == ()
    assert "last" in {k.name for k in found.objects}
