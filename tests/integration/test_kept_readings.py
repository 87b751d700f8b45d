"""A start in a process that has just begun, on a database that holds the rest of the list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

import omega_bridge
from omega_bridge.postgres import catalog_reader
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.session import open_session
from omega_bridge.postgres.states import recall_prepared
from omega_bridge.postgres.warm_up import getting_ready
from omega_bridge.steps import Step

STEPS = [
    "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)",
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a') THEN "
    "ALTER TABLE t ADD COLUMN a text; END IF; END $$",
    "UPDATE t SET a = 'x' WHERE a IS NULL",
]
NEW = "ALTER TABLE t ADD COLUMN IF NOT EXISTS b int"
START = """
import json, sys
import omega_bridge
from omega_bridge.analysis import reading
from omega_bridge.steps import Step
url, *steps = json.loads(sys.argv[1])
run = omega_bridge.boot(url, steps)
reader = sys.modules.get("omega_bridge.analysis.programs")
print(json.dumps({
    "read": reader.read_program.cache_info().misses if reader else 0,
    "outcome": run.outcome, "digest": run.catalog_digest,
    "steps": [[s.id, s.outcome, s.action, s.reason, s.kind, s.checksum, [str(d) for d in s.differences]] for s in run.steps],
}))
"""


def start(url: str, steps: list[str], cache: object) -> dict[str, object]:
    """What a process of its own says of its start."""
    done = subprocess.run(
        [sys.executable, "-c", START, json.dumps([url, *steps])],
        env={**os.environ, "OMEGA_BRIDGE_CACHE": str(cache)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_a_new_step_is_all_that_is_read(make_database: object, tmp_path: Path) -> None:
    """A start with one new step reads that one, and does to the letter what it does where it reads them all."""
    with_it, without = make_database(), make_database()  # type: ignore[operator]
    assert start(with_it, STEPS, tmp_path)["read"] == len(STEPS)
    start(without, STEPS, "off")
    one, other = start(with_it, [*STEPS, NEW], tmp_path), start(without, [*STEPS, NEW], "off")
    assert (one.pop("read"), other.pop("read")) == (1, 4)
    assert one == other
    assert one["outcome"] == "repaired"


def test_a_loss_is_repaired_without_reading(database: str, tmp_path: Path) -> None:
    """What somebody dropped is put back by a process that reads nothing of a list that it knows."""
    start(database, STEPS, tmp_path)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE t DROP COLUMN a")
    told = start(database, STEPS, tmp_path)
    assert (told["read"], told["outcome"]) == (0, "repaired")


def test_a_catalog_that_was_asked_for_ahead_is_the_catalog(database: str) -> None:
    """What the server reads while the list is thought about is what it would have read afterwards; and it is used once."""
    names = frozenset({"t", "a", "t_pkey"})
    with open_session(database) as session:
        session.connection.execute("CREATE TABLE t (id int PRIMARY KEY, a text)")
        with getting_ready(session, 5.0) as ready:
            ready.reader.look_ahead(names)
        sent = session.cost.round_trips
        ahead = ready.reader.read_first(names, ())
        assert session.cost.round_trips == sent
        assert ahead == read_catalog(session.connection, names)
        session.connection.execute("ALTER TABLE t ADD COLUMN c int")
        assert ready.reader.read(names) == read_catalog(session.connection, names) != ahead


@pytest.mark.parametrize(("more", "less"), [((), ()), (("u", "z", "now"), ()), (("u",), ("t",)), ((), ("t", "a"))])
def test_a_catalog_that_was_read_by_the_names_of_the_last_start_is_the_catalog(
    database: str, more: tuple[str, ...], less: tuple[str, ...]
) -> None:
    """The server begins before anybody here knows the list; where the list names other things, too, those are added."""
    omega_bridge.boot(database, STEPS)
    with open_session(database) as session:
        session.connection.execute(
            "CREATE TABLE u (id int PRIMARY KEY); CREATE FUNCTION z() RETURNS int RETURN 1; CREATE TABLE other ()"
        )
        known = recall_prepared(session.connection)
        assert known is not None
        names = frozenset(known.names).union(more).difference(less)
        with getting_ready(session, 5.0) as ready:
            ready.reader.look_ahead(names)
        sent = session.cost.round_trips
        assert ready.reader.read_first(names, known.names) == read_catalog(session.connection, names)
        assert session.cost.round_trips - sent == 1 + bool(more or less)
        session.connection.execute("ALTER TABLE t ADD COLUMN c int")
        assert ready.reader.read(names) == read_catalog(session.connection, names)


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_what_is_dropped_while_it_is_read_is_read_once_more(database: str, monkeypatch: pytest.MonkeyPatch, fails: int) -> None:
    """PostgreSQL ends the reading with an internal error then, as this function does: of those of a start that is the first, one behind a step,
    and the last.
    """
    omega_bridge.boot(database, STEPS)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA aside; CREATE SEQUENCE aside.readings")
        conn.execute(
            "CREATE FUNCTION aside.dropped() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
            f"IF nextval('aside.readings') = {fails} THEN RAISE 'could not open relation with OID 1' USING ERRCODE = 'XX000'; END IF; "
            "RETURN false; END $$"
        )
    asked = catalog_reader.question
    monkeypatch.setattr(
        catalog_reader,
        "question",
        lambda *args: f"SELECT q.* FROM ({asked(*args)}) q LEFT JOIN (SELECT aside.dropped()) d ON true",
    )
    run = omega_bridge.boot(database, [*STEPS, NEW], on_error="continue")
    with psycopg.connect(database) as conn:
        ((readings,),) = conn.execute("SELECT last_value FROM aside.readings")
        assert readings > fails
        assert run.steps[-1].outcome in ("applied", "already-there")
        assert run.catalog_digest == read_catalog(conn, {"t", "a", "b", "x", "t_pkey"}).digest()


def test_places_and_flags_are_those_of_the_list(database: str) -> None:
    """Only the text's meaning is kept: an id, a title or a flag that the list gives a known text is the list's."""
    omega_bridge.boot(database, STEPS)
    run = omega_bridge.boot(database, [Step(STEPS[0], id="named", title="Titled"), *STEPS[1:], NEW])
    assert (run.steps[0].id, run.steps[0].title) == ("named", "Titled")
