"""The benchmarks' pure parts: what is measured is a matter of the machine, what is told of it is not."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lists import many_steps
from benchmarks.measures.fleet import summary
from benchmarks.report import figures, render, tables
from benchmarks.report.bars import Bar, bars
from benchmarks.timing import in_turns

KINDS = {"CREATE TABLE": "table", "DO $$": "guarded", "ALTER TABLE": "column", "CREATE INDEX": "index"}


def results(**more: Any) -> dict[str, Any]:
    """A run of one size in which ours needs 2 ms, the yardstick 1 ms and the others what they are given."""
    base: dict[str, Any] = {
        "command": "test", "began": "2026-01-01", "seconds": 60, "server": "18.6", "settings": {}, "poll": 0.1,
        "machine": {"processor": "2 cores", "memory": "1 GiB", "system": "Linux", "load": "0.00", "python": "3.11.0"},
        "versions": {}, "missing": {"dbmate (process)": "no dbmate"}, "failed": {}, "longest": {"sqitch (process)": [1000, "slow"]},
        "processes": ["psql -1 -f (process)", "sqitch (process)"], "cold": {}, "noop": {}, "latency": {}, "fleet": [], "locks": {},
    }  # fmt: skip
    return base | more


def noop(**seconds: float) -> dict[str, Any]:
    """Detailed values by peer; underscores in the names stand for what no keyword may hold."""
    names = {"ours": figures.OURS, "base": figures.BASE, "loop": figures.LOOP, "alembic": figures.ALEMBIC}
    return {names[n]: {"seconds": [s], "round_trips": 1, "connections": 1, "wal": 0} for n, s in seconds.items()}


@pytest.mark.parametrize("size", [10, 100, 1000])
def test_a_list_has_the_promised_mixture(size: int) -> None:
    """Every length has a tenth of tables, six tenths of guarded blocks, two tenths of columns, a tenth of indexes."""
    steps = many_steps(size)
    found = Counter(next(kind for start, kind in KINDS.items() if step.startswith(start)) for step in steps)
    assert found == {"table": size // 10, "guarded": 6 * size // 10, "column": 2 * size // 10, "index": size // 10}
    assert len(set(steps)) == size


def test_ratios_are_of_medians() -> None:
    """One slow start does not make a peer slow, and who was not measured has no ratio."""
    values = {"a": [1.0, 2.0, 100.0], "b": {"seconds": [4.0]}}
    assert figures.ratio(values, "b", "a") == 2.0
    assert figures.ratio(values, "a", "absent") is None
    assert figures.spread([3.0, 1.0, 2.0]) == (1.0, 3.0)
    assert figures.spread([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 4.0)


@pytest.mark.parametrize(
    ("bar", "met"),
    [
        (Bar("", 1.5, 1.5), True),
        (Bar("", 1.5, 1.501), False),
        (Bar("", 100, 99.9, at_least=True), False),
        (Bar("", 100, 100.0, at_least=True), True),
        (Bar("", 0, 0), True),
        (Bar("", 0, 1), False),
    ],
)
def test_a_bar_is_met_or_not(bar: Bar, met: bool) -> None:
    """No rounding turns a missed bar into one that was met."""
    assert bar.is_met is met
    assert bar.row()[-1] == ("yes" if met else "**no**")


def test_bars_are_computed_from_what_was_measured() -> None:
    """Both sides of a bar come from one run; a bar without both sides is not spoken of."""
    found = bars(results(noop={"1000": noop(ours=0.002, base=0.001, loop=0.3, alembic=0.01)}, locks={figures.OURS: None}))
    assert [(bar.limit, round(bar.measured, 6), bar.is_met) for bar in found] == [
        (2.0, 2.0, True),
        (100.0, 150.0, True),
        (10.0, 5.0, False),
        (1, 1, True),
        (0, 0, True),
        (0, 0, True),
    ]


def test_the_fleet_s_bars_take_the_worst_of_the_runs() -> None:
    """A single failure among several runs is a failure."""
    run = {"peer": figures.OURS, "state": "empty", "failures": 0, "applied_twice": 0}
    runs = [
        run | {"replicas": 1, "first": 0.4, "last": 0.4},
        run | {"replicas": 50, "first": 1.0, "last": 1.2},
        run | {"replicas": 50, "first": 1.0, "last": 1.3, "failures": 1},
        run | {"replicas": 50, "first": 1.0, "last": 1.4},
    ]
    found = bars(results(fleet=runs))
    assert [round(bar.measured, 6) for bar in found] == [1, 0, 1.2]
    assert [bar.is_met for bar in found] == [False, True, True]


def test_an_ordinary_day_s_bars_are_those_of_a_process_that_has_just_begun(tmp_path: Path) -> None:
    """The cold start has the bar; who has read the list before stands beside it in the table, and is none."""
    cases = {
        "1 of 30": {figures.BASE: [0.01], figures.KEPT: [0.2, 0.3, 0.2], figures.ANEW: [0.5], figures.OURS: [0.1]},
        "1 of 1,000": {figures.BASE: [0.01], figures.KEPT: [0.41]},
    }
    day = {"command": "python -m benchmarks --only everyday", "began": "2026-01-02", "server": "18.6", "cases": cases}
    found = results(everyday=day | {"machine": results()["machine"]})
    assert [(bar.limit, round(bar.measured, 6), bar.is_met) for bar in bars(found)] == [(25, 20, True), (40, 41, False)]
    (tmp_path / "results.json").write_text(json.dumps(found))
    page = render(tmp_path / "results.json").read_text()
    assert "Made by `python -m benchmarks --only everyday` on 2026-01-02" in page
    assert f"| **{figures.ANEW}** | 500 [500-500] (50.0) | - |" in page


def test_who_was_quicker_is_told() -> None:
    """The page names each peer that needed less time, in process against in process."""
    quicker = tables.ahead(results(noop={"10": noop(ours=0.002, base=0.001, loop=0.001, alembic=0.01)}))
    assert len(quicker) == 1
    assert "naive loop, psycopg takes 0.50 of the time of omega-bridge" in quicker[0]


def test_a_fleet_s_times_begin_with_the_word() -> None:
    """The applier is the one that repaired, not the first to end; who failed is counted, and not timed."""
    told = [
        {"ended": 12.0, "error": None, "refused": 0, "outcome": "repaired"},
        {"ended": 11.0, "error": None, "refused": 2, "outcome": "current"},
        {"ended": 19.0, "error": "E: no", "refused": 0, "outcome": ""},
        {"error": "it died"},
    ]
    found = summary(told, word=10.0)
    assert (found["first"], found["last"], found["appliers"]) == (2.0, 2.0, 1)
    assert (found["failures"], found["refused"], found["with_refused"]) == (2, 2, 1)


def test_peers_take_turns() -> None:
    """Rounds go over all; who has used up its time or failed sits out, and the others go on."""
    asked: list[str] = []

    def asking(name: str, answer: float | None) -> Any:
        return lambda: (asked.append(name), answer)[1]

    measures = {"a": asking("a", 1.0), "b": asking("b", None), "c": asking("c", 3.0)}
    assert in_turns(measures, repeats=2, patience=1e9) == {"a": [1.0, 1.0], "c": [3.0, 3.0]}
    assert asked == ["a", "b", "c", "a", "c"]
    assert in_turns({"a": asking("a", 1.0)}, repeats=3, patience=0.0) == {}


def test_the_page_says_who_is_missing_and_why(tmp_path: Path) -> None:
    """Nobody is left out in silence, a part that was not run has no heading, and every table is well-formed."""
    values = noop(ours=0.002, base=0.001)
    found = results(noop={"10": values, "5000": {**values, "sqitch (process)": values[figures.OURS]}})
    path = tmp_path / "results.json"
    path.write_text(json.dumps(found))
    text = render(path).read_text()
    assert "- dbmate (process): no dbmate" in text
    assert "- sqitch (process), more than 1,000 steps: slow" in text
    assert "## An empty database" not in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
