"""A list that has grown: what an earlier start saw to have nothing to do is not judged anew, and nothing comes out otherwise by that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from omega_bridge.catalog import Catalog
from omega_bridge.embedded import Server
from omega_bridge.startup import repair, rest
from omega_bridge.startup.run import Run
from omega_bridge.steps import Registry
from tests.oracle.lists import ways
from tests.oracle.lists.generator import Width, generate
from tests.oracle.lists.kinds import EVERY
from tests.oracle.lists.place import Place

UNTOLD = """
UPDATE omega_bridge.omega_bridge_states SET steps = coalesce(
  (SELECT jsonb_agg(s - 'settled' ORDER BY place) FROM jsonb_array_elements(steps) WITH ORDINALITY a (s, place)), '[]')
"""
"""Takes from the record what it tells of single steps."""
TOLD = "SELECT count(*) FROM omega_bridge.omega_bridge_states, jsonb_array_elements(steps) s WHERE s ? 'settled'"


@pytest.fixture(scope="module")
def place(server: Server, psql: str) -> Iterator[Place]:
    """Databases for the lists of this module."""
    made = Place(server, Path(psql).parent)
    yield made
    made.clean()


ANY = Width(kinds=frozenset(EVERY))
READ = Width(
    kinds=frozenset(EVERY)
    - {"setting", "called", "event-trigger", "loop", "failing", "housekeeping", "routine", "mixed", "update", "delete", "insert"},
    forms=frozenset({"guarded", "shapes"}),
)
"""Most of such a list is read for certain."""


def grown(place: Place, seed: int, width: Width = ANY) -> tuple[int, str]:
    """How many steps the record of a seed's list tells of before it has grown whole, and what its start does otherwise by that."""
    listed, rng = generate(seed, width), Random(seed)
    whole = listed.registry()
    place.fresh("told")
    place.send("told", listed.start)
    for length in sorted(rng.sample(range(1, len(whole)), min(len(whole) - 1, rng.randrange(1, 4)))):
        ways.start(place.url("told"), Registry(whole.steps[:length]))
    place.fresh("untold", like="told")
    if rng.random() < 0.3:
        place.send("told", listed.damage)
        place.send("untold", listed.damage)
    with psycopg.connect(place.url("told")) as conn:
        ((count,),) = conn.execute(TOLD).fetchall()
    with psycopg.connect(place.url("untold")) as conn:
        conn.execute(UNTOLD)
    for number in range(2):
        one, other = (ways.start(place.url(label), whole) for label in ("told", "untold"))
        if _seen(one) != _seen(other):
            return count, f"start {number}: {_seen(one)} {_seen(other)}"
        if place.picture("told") != place.picture("untold"):
            return count, f"start {number}: {sorted(place.picture('told') ^ place.picture('untold'))}"
    return count, ""


def _seen(run: Run) -> list[object]:
    steps = [(s.id, s.action, s.outcome, s.is_held) for s in run.steps]
    return [run.outcome, run.catalog_digest, sorted(run.warnings), run.misplaced, run.unsettled, *steps]


@pytest.fixture(autouse=True)
def narrowed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether starts read only what new steps name, at their end; of lists as short as these, too."""
    found: list[bool] = []
    reads = repair.read_with

    def noted(*args: Any) -> Catalog | None:
        catalog = reads(*args)
        found.append(catalog is not None)
        return catalog

    monkeypatch.setattr(repair, "read_with", noted)
    monkeypatch.setattr(rest, "_MANY", 0)
    return found


@pytest.mark.parametrize("width", [ANY, READ])
@pytest.mark.parametrize("seed", range(1, 13))
def test_a_list_that_has_grown_ends_as_one_that_is_judged_anew(place: Place, seed: int, width: Width) -> None:
    """The same outcomes, warnings and schema, whether or not the record tells of single steps."""
    assert grown(place, seed, width)[1] == ""


def test_the_record_tells_of_most_lists(place: Place) -> None:
    """Without that the test above would compare a start with itself."""
    assert sum(grown(place, seed)[0] for seed in range(1, 6)) > 5


def test_some_read_only_what_is_new(place: Place, narrowed: list[bool]) -> None:
    """As above."""
    assert all(grown(place, seed, READ)[1] == "" for seed in range(20, 30))
    assert any(narrowed)
