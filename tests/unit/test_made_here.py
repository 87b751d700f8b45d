"""Which statements may do on one of two servers what they do not on the other: by their guards, their handlers, and what was rejected."""

from __future__ import annotations

import pytest

from omega_bridge.analysis import analyse
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.expectation import Compared, Departure, Expectation, What
from omega_bridge.planning.made_here import MadeHere
from omega_bridge.steps import Registry

T = Key(Kind.TABLE, "public", "", "t")
N = Key(Kind.COLUMN, "public", "t", "n")
THERE = Catalog({T: {"kind": "r"}}, ("public",), 180000)
HERE = Catalog({**THERE.objects, N: {"type": "integer"}, Key(Kind.TABLE, "public", "", "anothers"): {}}, ("public",), 180000)
ADD = "ALTER TABLE t ADD COLUMN IF NOT EXISTS n int"


def is_added(step: str) -> bool:
    """Whether the column is still told as one that only the database has."""
    analysis = analyse(Registry.of([step]))
    seen = Compared((Departure(What.ADDED, N),))
    return bool(MadeHere.of(Expectation(THERE, "", ""), HERE, analysis).set_apart(seen, HERE).departures)


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        ("EXISTS (SELECT FROM pg_roles WHERE rolname = 'r')", False),
        ("EXISTS (SELECT FROM pg_extension WHERE extname = 'e')", True),  # neither server has it
        ("current_setting('server_version_num')::int >= 150000", False),
        ("current_database() = 'prod'", False),
        ("EXISTS (SELECT FROM pg_tables WHERE tablename = 'anothers')", False),
        ("EXISTS (SELECT FROM pg_tables WHERE tablename = 'nobodys')", True),
        ("NOT EXISTS (SELECT FROM information_schema.columns WHERE table_name = 't' AND column_name = 'n')", True),
        ("EXISTS (SELECT FROM t WHERE id > 3)", False),  # rows
        ("(SELECT max(length(conname)) FROM pg_constraint) > 3", True),  # not read, and about the schema
    ],
)
def test_a_guard_on_the_server_sets_apart(guard: str, told: bool) -> None:
    """One that both servers answer alike, or that asks for the list's own, does not."""
    assert is_added(f"DO $$ BEGIN IF {guard} THEN {ADD}; END IF; END $$") is told


def test_a_handler_sets_apart_where_it_does_work() -> None:
    """A handler that hides an error leaves the block one way; one that makes something else gives it two."""
    assert is_added(f"DO $$ BEGIN {ADD}; EXCEPTION WHEN duplicate_column THEN NULL; END $$")
    assert not is_added(f"DO $$ BEGIN {ADD}; EXCEPTION WHEN OTHERS THEN ALTER TABLE t ADD COLUMN m int; END $$")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'r') THEN ALTER TABLE t ADD COLUMN n int; END IF; END $$", False),
        (
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'r') THEN ALTER TABLE t ADD COLUMN n int;"
            " ELSE ALTER TABLE t ADD COLUMN n bigint; END IF; END $$",
            True,
        ),
        ("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'e') THEN ALTER TABLE t ADD COLUMN n int; END IF; END $$", True),
    ],
)  # fmt: skip
def test_what_every_way_makes_is_missing_where_it_is_not(step: str, told: bool) -> None:
    """An object that one way alone makes may be missing here; one that each way makes may not."""
    analysis, expected = analyse(Registry.of([step])), Expectation(HERE, "", "")
    seen = MadeHere.of(expected, THERE, analysis).set_apart(Compared((Departure(What.MISSING, N),)), THERE)
    assert bool(seen.departures) is told
    assert bool(seen.unseen) is not told
