"""``drift`` of what steps of unknown effect made, where the list cannot make it on scratch: what the last start recorded is held against."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge.analysis import analyse
from omega_bridge.audit.drift import Drift, drift
from omega_bridge.audit.expected import make
from omega_bridge.audit.scratch import GivenServer
from omega_bridge.cli.drift import _verdict
from omega_bridge.embedded import Server
from omega_bridge.postgres import catalog_store
from omega_bridge.steps import Registry

THEIRS = """CREATE SCHEMA theirs; CREATE TABLE theirs.old (id int); CREATE TABLE rows_of (name text); INSERT INTO rows_of VALUES ('one');
CREATE FUNCTION theirs.mk() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
  CREATE TABLE IF NOT EXISTS public.made_here (id int, n int); CREATE TABLE IF NOT EXISTS theirs.made_there (id int); END $$"""
CALLED = "SELECT theirs.mk()"
PUT_TOGETHER = "DO $$ BEGIN EXECUTE 'ALTER TABLE theirs.o' || 'ld ADD COLUMN IF NOT EXISTS n int'; END $$"
BY_ROWS = """DO $$ DECLARE n text; BEGIN IF to_regclass('rows_of') IS NOT NULL THEN FOR n IN EXECUTE 'SELECT name FROM rows_of' LOOP
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I (id int)', 'part_' || n); END LOOP; END IF; END $$"""
STEPS = ["CREATE TABLE IF NOT EXISTS tt (id int)", CALLED, PUT_TOGETHER, BY_ROWS]


def connected(database: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that commits at once."""
    return psycopg.connect(database, autocommit=True)


@pytest.fixture
def theirs(database: str) -> str:
    """A database with objects that the list knows nothing of."""
    with connected(database) as conn:
        conn.execute(THEIRS)
    return database


def compared(database: str, server: Server, steps: list[str]) -> Drift:
    """The drift of a database."""
    analysis = analyse(Registry.of(steps))
    return drift(database, analysis, analyse(Registry(())), make(analysis, "", GivenServer(server.url)))


DAMAGES = {
    "made in the schema of the list": ("DROP TABLE made_here", [("missing", "table public.made_here", CALLED)]),
    "a column of it": ("ALTER TABLE made_here DROP n", [("missing", "column public.made_here.n", CALLED)]),
    "its type": ("ALTER TABLE made_here ALTER n TYPE bigint", [("different", "column public.made_here.n", CALLED)]),
    "made in another schema": ("DROP TABLE theirs.made_there", [("missing", "table theirs.made_there", CALLED)]),
    "added to what is another's": ("ALTER TABLE theirs.old DROP n", [("missing", "column theirs.old.n", PUT_TOGETHER)]),
    "made of rows": ("DROP TABLE part_one", [("missing", "table public.part_one", BY_ROWS)]),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_it_made_is_drift_when_it_changes(theirs: str, server: Server, name: str) -> None:
    """Missing or different, by the step, and put back by the next start; what the record knows has been looked at."""
    damage, wanted = DAMAGES[name]
    omega_bridge.boot(theirs, STEPS)
    found = compared(theirs, server, STEPS)
    assert (found.is_clean, found.unseen, _verdict(found)) == (True, (), "no drift")
    assert not {"made_here", "made_there", "part_one"} & {key.name for key in found.unclaimed}
    with connected(theirs) as conn:
        conn.execute(damage.encode())
    found = compared(theirs, server, STEPS)
    ids = {step.id: step.step.sql for step in analyse(Registry.of(STEPS))}
    assert [(str(d.what), str(d.key), ids[d.by]) for d in found.differences] == wanted
    assert all(d.last_right and d.is_repaired is None for d in found.differences)


def test_a_later_start_keeps_it_and_one_that_repairs_tells_no_more(theirs: str, server: Server) -> None:
    """The record goes on with a longer list; after the repair nothing differs."""
    omega_bridge.boot(theirs, STEPS)
    longer = [*STEPS, "CREATE TABLE IF NOT EXISTS more (id int)"]
    omega_bridge.boot(theirs, longer)
    with connected(theirs) as conn:
        conn.execute("DROP TABLE made_here")
    assert [str(d.key) for d in compared(theirs, server, longer).differences] == ["table public.made_here"]
    assert omega_bridge.boot(theirs, longer).outcome == "repaired"
    assert compared(theirs, server, longer).is_clean


def test_where_nothing_knows_the_verdict_says_so(theirs: str, server: Server) -> None:
    """Without a start that recorded it, and where scratch rejects it, "no drift" would be more than is known."""
    with connected(theirs) as conn:
        for step in STEPS:
            conn.execute(step.encode())
    found = compared(theirs, server, STEPS)
    assert (found.is_clean, len(found.unseen)) == (True, 2)
    assert _verdict(found) == "not looked at: 2 of the above; nothing differs in the rest"


def test_what_an_older_release_left_is_read(theirs: str, tmp_path: Path) -> None:
    """Its text has no more than the catalog; and a digest is over that part alone."""
    omega_bridge.boot(theirs, STEPS)
    with connected(theirs) as conn:
        seen = catalog_store.recall(conn)
        assert seen is not None
        assert {pair for pairs in seen.made.values() for pair in pairs} >= {("public", "made_here"), ("theirs", "made_there")}
        omega_bridge.boot(theirs, STEPS[:1], accept_newer=True)
        plain = catalog_store.recall(conn)
    assert plain is not None
    assert (plain.made, "made_here" in plain.names) == ({}, False)
    assert json.dumps(sorted(plain.names))
