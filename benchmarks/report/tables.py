"""The page's tables, one function each; lines of Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from benchmarks.report.figures import (
    BASE,
    OURS,
    PROCESS,
    median,
    milliseconds,
    peers_of,
    ratio,
    samples,
    table,
    timed,
    times,
)

Results = Mapping[str, Any]


STATES = ("empty", "nearly current", "current")


def by_size(results: Results, section: str, base: str) -> list[str]:
    """One row a peer, one column a length: median in milliseconds, and in parentheses the multiple of ``base``."""
    columns = results[section]
    head = ["", *(f"{int(size):,} steps" for size in columns)]
    rows = ([peer, *(_cell(results, columns[size], peer, base, size) for size in columns)] for peer in peers_of(columns.values()))
    return table(head, rows)


def _cell(results: Results, values: Mapping[str, Any], peer: str, base: str, size: str) -> str:
    middle = median(values, peer)
    if middle is None:
        longest = results["longest"].get(peer)
        return "sits out" if longest and int(size) > longest[0] else "-"
    compared = ratio(values, peer, base)
    return milliseconds(middle) + (f" ({times(compared)})" if compared is not None else "")


def everyday(results: Results) -> list[str]:
    """One row a peer, one column a case: median and spread in milliseconds, and in parentheses the multiple of connecting."""
    cases = results["everyday"]["cases"]
    rows = ([peer, *(_of_a_day(values, peer) for values in cases.values())] for peer in peers_of(cases.values()))
    return table(["new steps", *cases], rows)


def _of_a_day(values: Mapping[str, Any], peer: str) -> str:
    taken, compared = samples(values, peer), ratio(values, peer, BASE)
    return f"{timed(taken)} ({times(compared)})" if taken and compared is not None else "-"


def noop_in_detail(results: Results, size: str) -> list[str]:
    """One length: time with its spread, CPU on both sides, what crosses the network, what is written."""
    head = [
        f"{int(size):,} steps",
        "ms [spread]",
        "runs",
        "CPU client, ms",
        "CPU server, ms",
        "round trips",
        "connections",
        "WAL, bytes",
    ]
    rows = (
        [
            peer,
            timed(v["seconds"]),
            len(v["seconds"]),
            milliseconds(v["client_cpu"]) if "client_cpu" in v else "-",
            _in_ticks(v["server_cpu"], v["cpu_runs"]) if "server_cpu" in v else "-",
            f"{v['round_trips']:,}",
            v["connections"],
            f"{v.get('wal', 0):,.0f}",
        ]
        for peer, v in results["noop"][size].items()
    )
    return table(head, rows)


def _in_ticks(cpu: float, runs: int) -> str:
    """CPU that was read in hundredths of a second over so many runs, in milliseconds; less than one such is told as that."""
    return milliseconds(cpu) if cpu else f"< {milliseconds(0.01 / runs)}"


def locks(results: Results) -> list[str]:
    """The strongest lock that a start with nothing to do asks for."""
    return table(["", "strongest lock on a table of the list"], ((p, mode or "none") for p, mode in results["locks"].items()))


def latency(results: Results) -> list[str]:
    """With a network in between, every length and delay."""
    columns = {(size, delay): values for size, delays in results["latency"].items() for delay, values in delays.items()}
    head = ["", *(f"{int(size):,} steps, {delay} ms" for size, delay in columns)]
    rows = (
        [peer, *(_cell(results, values, peer, BASE, "0") for values in columns.values())] for peer in peers_of(columns.values())
    )
    return table(head, rows)


def cold_spread(results: Results) -> list[str]:
    """The samples behind the medians of a cold start."""
    columns = results["cold"]
    head = ["ms [spread] of so many runs", *(f"{int(size):,} steps" for size in columns)]
    rows = (
        [peer, *(f"{timed(s)} of {len(s)}" if (s := samples(values, peer)) else "-" for values in columns.values())]
        for peer in peers_of(columns.values())
    )
    return table(head, rows)


def fleet(results: Results) -> list[str]:
    """Many at once: medians of times, the most of everything that went wrong in one run."""
    head = [
        "", "at once", "runs", "first applier ready, s", "last ready, s", "one alone, s", "failed starts",
        "starts with refused statements", "refused statements", "steps applied twice",
    ]  # fmt: skip
    return table(head, _fleet_rows(results["fleet"]))


def _fleet_rows(runs: list[dict[str, Any]]) -> Iterator[list[object]]:
    def key(run: dict[str, Any]) -> tuple[str, str]:
        return run["state"], run["peer"]

    order = list(dict.fromkeys(key(run) for run in sorted(runs, key=lambda run: STATES.index(run["state"]))))
    for (state, peer), found in groupby(sorted(runs, key=lambda run: order.index(key(run))), key=key):
        group = list(found)
        alone = [run["first"] for run in group if run["replicas"] == 1]
        for count in sorted({run["replicas"] for run in group} - {1}):
            several = [run for run in group if run["replicas"] == count]
            yield [
                f"{peer}, {state}",
                count,
                len(several),
                _seconds(run["first"] for run in several),
                _seconds(run["last"] for run in several),
                _seconds(alone),
                max(run["failures"] for run in several),
                max(run["with_refused"] for run in several),
                max(run["refused"] for run in several),
                "-" if several[0]["applied_twice"] is None else max(run["applied_twice"] for run in several),
            ]


def _seconds(values: Any) -> str:
    found = [value for value in values if value is not None]
    return f"{statistics.median(found):.3f}" if found else "-"


def fleet_errors(results: Results) -> list[str]:
    """What the failed starts of each peer said, once each."""
    said = dict.fromkeys((run["peer"], run["state"], error) for run in results["fleet"] for error in run.get("errors", ()))
    return [f"- {peer}, {state}: `{' '.join(error.split())[:160]}`" for peer, state, error in said]


def ahead(results: Results) -> list[str]:
    """Who was quicker than we were, and by how much: in process against in process, a program against a program."""
    lines = []
    for section, said in (("noop", "nothing to do"), ("cold", "an empty database")):
        for size, values in results[section].items():
            for peer in values:
                ours = PROCESS if peer in results["processes"] else OURS
                compared = ratio(values, ours, peer)
                if peer != BASE and not peer.startswith(OURS) and compared is not None and compared > 1:
                    lines.append(f"- {said}, {int(size):,} steps: {peer} takes {times(1 / compared)} of the time of {ours}")
    return lines or ["Nobody, in nothing of the above."]
