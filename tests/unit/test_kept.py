"""What a verification found is taken again for the very same alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from omega_bridge.audit.grounds import Ground
from omega_bridge.audit.kept import Results
from omega_bridge.audit.pairs import Begun
from omega_bridge.audit.prefixes import Point
from omega_bridge.audit.verdict import PAST, Mistaken, Predictions, Rejected, Start, Unlike
from omega_bridge.planning.foundation import understood
from omega_bridge.steps import Step

GROUND = Ground()
RIGHT = Begun(Start("empty", 1), predictions=Predictions(7))
T = Step("CREATE TABLE IF NOT EXISTS t (id int)", id="t")
U = Step("CREATE TABLE IF NOT EXISTS u (id int)", id="u")
POINTS = (Point("1", (T,), "t", True, "one"), Point("2", (T, U), "u", True, "two"))


def results(place: Path | None, beneath: bytes = b"server", content: bytes = b"list", *, takes: bool = True) -> Results:
    """Those of a list and a server that stand for others."""
    return Results(place, beneath, content, takes=takes)


def test_a_start_is_taken_for_the_very_same_alone(tmp_path: Path) -> None:
    """Another list, history, server or ground has no result; and none is taken where that is not wanted."""
    results(tmp_path).keep_start(GROUND, RIGHT)
    found = results(tmp_path).start(GROUND)
    assert found == Begun(Start("empty", 1, kept=1), predictions=Predictions(7))
    others = [
        results(tmp_path, content=b"another").start(GROUND),
        results(tmp_path, beneath=b"another").start(GROUND),
        results(tmp_path, takes=False).start(GROUND),
        results(None).start(GROUND),
        results(tmp_path).start(Ground(schema="CREATE TABLE x ()")),
        results(tmp_path).start(Ground(versions=("0123456789ab",))),
        results(tmp_path).start(Ground(foundation=understood("CREATE TABLE a (id int)", "a.sql"))),
        results(tmp_path).past(GROUND),
    ]
    assert others == [None] * len(others)


@pytest.mark.parametrize(
    "found",
    [
        replace(RIGHT, differences=(Unlike("empty", "1", "t", "table t", "", None, {}),)),
        replace(RIGHT, order_only=(Unlike("empty", "1", "t", "column t.a", "position", 1, 2),)),
        replace(RIGHT, rejected=(Rejected("empty", "t", "failed", "no"),)),
        replace(RIGHT, predictions=Predictions(7, (Mistaken("empty", "t", "run", "nothing"),))),
    ],
    ids=["differs", "column order", "rejected", "foreseen otherwise"],
)
def test_what_is_not_right_is_tried_each_time(found: Begun, tmp_path: Path) -> None:
    """A difference, a rejected step or a mistake of the planner is never taken from a file."""
    results(tmp_path).keep_start(GROUND, found)
    results(tmp_path).keep_past(GROUND, replace(found, start=Start(PAST, 2)), "digest")
    assert not list(tmp_path.iterdir())


def test_the_past_is_kept_whole(tmp_path: Path) -> None:
    """One that was walked from its beginning, with the catalog to which it led."""
    results(tmp_path).keep_past(GROUND, Begun(Start(PAST, 2, since="1")), "digest")
    assert results(tmp_path).past(GROUND) is None
    results(tmp_path).keep_past(GROUND, Begun(Start(PAST, 2)), "digest")
    assert results(tmp_path).past(GROUND) == (Begun(Start(PAST, 2, kept=2)), "digest")


def test_a_longer_history_goes_on_behind_the_prefix_that_was_alike(tmp_path: Path) -> None:
    """Whatever comes behind it: the same steps in the same order, sealed the same, are found again, and no other."""
    results(tmp_path, content=b"a shorter list").keep_prefix(GROUND, POINTS, "2")
    more = (*POINTS, Point("3", (T, U, Step("CREATE INDEX IF NOT EXISTS i ON t (id)", id="i")), "i", True, "three"))
    assert results(tmp_path).since(GROUND, more) == "2"
    assert results(tmp_path, beneath=b"another").since(GROUND, more) is None
    assert results(tmp_path, takes=False).since(GROUND, more) is None
    for other in (
        replace(POINTS[1], sealed="otherwise"),
        replace(POINTS[1], steps=(U, T)),
        replace(POINTS[1], steps=(T, replace(U, sql=U.sql.replace("int", "text")))),
        replace(POINTS[1], is_loaded=False),
    ):
        assert results(tmp_path).since(GROUND, (POINTS[0], other, more[2])) is None


@pytest.mark.parametrize(
    "text",
    ["INSERT INTO t VALUES (1)", "DO $$ BEGIN EXECUTE 'CREATE TABLE ' || 'x ()'; END $$", "SET search_path = app", "SELECT f()"],
)
def test_where_a_schema_does_not_show_all_no_prefix_counts(text: str, tmp_path: Path) -> None:
    """Rows, settings and what is not read may hang on the whole way: such a history is walked from its beginning."""
    points = (POINTS[0], Point("2", (T, Step(text, id="u")), "u", True, "two"))
    results(tmp_path).keep_prefix(GROUND, points, "2")
    assert results(tmp_path).since(GROUND, points) is None


@pytest.mark.parametrize("form", ["cut", "changed", "of another key", "of others", "no JSON", "a list"])
def test_a_file_that_is_not_ours_alone_and_whole_is_none(form: str, tmp_path: Path) -> None:
    """What anything else may have written is no result."""
    kept = results(tmp_path)
    kept.keep_start(GROUND, RIGHT)
    (path,) = tmp_path.iterdir()
    head, body = path.read_bytes().split(b"\n")
    match form:
        case "cut":
            path.write_bytes(head)
        case "changed":
            path.write_bytes(head + b"\n" + body.replace(b"7", b"8"))
        case "of another key":
            kept.keep_start(Ground("another"), RIGHT)
            (other,) = set(tmp_path.iterdir()) - {path}
            path.write_bytes(other.read_bytes())
        case "of others":
            path.chmod(0o666)
        case _:
            path.write_bytes(head + b"\n" + (b"[7]" if form == "a list" else b"7"))
    assert kept.start(GROUND) is None
