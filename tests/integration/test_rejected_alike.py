"""What PostgreSQL rejects though its work is done: an upgrade's record says of it what a start says."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge import environment
from omega_bridge.analysis import analyse
from omega_bridge.audit.proofs import prover
from omega_bridge.config import Config
from omega_bridge.embedded import Server
from omega_bridge.revisions.alembic_border import alembic_config
from omega_bridge.revisions.files import export
from omega_bridge.steps import Registry
from tests.fixtures.databases import MakeDatabase

T = "CREATE TABLE IF NOT EXISTS tt (id int, a int, b int)"
LISTS = {
    "a column that is there": ([T, "ALTER TABLE tt ADD COLUMN a int"], "already-there"),
    "two columns that are there": ([T, "ALTER TABLE tt ADD COLUMN a int, ADD COLUMN b int"], "already-there"),
    "two statements, of columns that are there": (
        [T, "ALTER TABLE tt ADD COLUMN a int; ALTER TABLE tt ADD COLUMN b int"],
        "already-there",
    ),
    "in a block": ([T, "DO $$ BEGIN ALTER TABLE tt ADD COLUMN a int; ALTER TABLE tt ADD COLUMN b int; END $$"], "already-there"),
    "one that is there, and one that is not": ([T, "ALTER TABLE tt ADD COLUMN a int, ADD COLUMN c int"], "no-effect"),
    "two statements, the second of a column that is not there": (
        [T, "ALTER TABLE tt ADD COLUMN a int; ALTER TABLE tt ADD COLUMN c int"],
        "failed",
    ),
    "a table that is gone": ([T, "DROP TABLE never"], "already-there"),
    "a column that is gone": ([T, "ALTER TABLE tt DROP COLUMN never"], "already-there"),
    "a table that is not there": ([T, "ALTER TABLE never ADD COLUMN a int"], "failed"),
    "a type that is there": (["CREATE TYPE e AS ENUM ('a')", "CREATE TYPE e AS ENUM ('a')"], "already-there"),
    "an index and a column": ([T, "CREATE INDEX IF NOT EXISTS ix ON tt (a); ALTER TABLE tt ADD COLUMN a int"], "failed"),
}


@pytest.mark.parametrize("name", LISTS)
def test_an_upgrade_says_what_a_start_says(server: Server, make_database: MakeDatabase, tmp_path: Path, name: str) -> None:
    """The ledger's word for the revision is the start's for the step; and what holds there, an upgrade does not leave as failed."""
    steps, wanted = LISTS[name]
    registry = Registry.of(steps)
    run = omega_bridge.boot(make_database(), steps, on_error="continue")
    assert str(run.steps[-1].outcome) == wanted
    export(analyse(registry), tmp_path, prover=lambda _n: prover(server))
    url = make_database()
    config = alembic_config(tmp_path, url)
    config.attributes.update(omega_bridge_config=Config(root=tmp_path), omega_bridge_registry=(registry, None))
    environment.upgrade(config, "head")
    with psycopg.connect(url, autocommit=True) as conn:
        rows = conn.execute(
            "SELECT outcome FROM omega_bridge.omega_bridge_ledger WHERE event = 'upgrade' ORDER BY seq"
        ).fetchall()
    assert rows[-1] == (wanted,)
