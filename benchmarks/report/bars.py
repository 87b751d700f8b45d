"""The bars: what is promised as a ratio within one run, and whether the run met it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.report.figures import ALEMBIC, BASE, KEPT, LOOP, OURS, PSQL, SENTINEL, ratio, times

Results = Mapping[str, Any]

NOOP = {"10": 1.5, "100": 1.5, "1000": 2.0, "5000": 4.0}
WITH_SENTINEL = 1.3
COLD = {"1000": 0.25, "5000": 0.45}
CHEAPER = {LOOP: 100.0, ALEMBIC: 10.0}
FLEET = 1.3
EVERYDAY = {"1 of 30": 25.0, "1 of 1,000": 40.0, "50 of 1,000": 120.0}


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise: what is compared, its limit, what was measured; ``at_least`` where more is better."""

    what: str
    limit: float
    measured: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the run kept the promise."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def row(self) -> tuple[str, str, str, str]:
        """As a row of the table."""
        limit = f"{'at least' if self.at_least else 'at most'} {self.limit:g}"
        return self.what, limit, times(self.measured) if self.measured else "0", "yes" if self.is_met else "**no**"


def bars(results: Results) -> list[Bar]:
    """Every bar for which the run has both sides."""
    return [*_noop(results), *_cheaper(results), *_harmless(results), *_cold(results), *_everyday(results), *_fleet(results)]


def _noop(results: Results) -> Iterator[Bar]:
    """Against connecting and ``SELECT 1``."""
    for peer, limits in ((OURS, NOOP), (SENTINEL, dict.fromkeys(NOOP, WITH_SENTINEL))):
        for size, limit in limits.items():
            near = ratio(results["noop"].get(size, {}), peer, BASE)
            far = [r for values in results["latency"].get(size, {}).values() if (r := ratio(values, peer, BASE)) is not None]
            what = f"nothing to do, {peer}, {int(size):,} steps, against connecting and `SELECT 1`"
            if near is not None:
                yield Bar(what, limit, near)
            if far:
                delays = " and ".join(results["latency"][size])
                yield Bar(f"{what}, {delays} ms away each way (the worse)", limit, max(far))


def _cheaper(results: Results) -> Iterator[Bar]:
    """How many times cheaper than what it takes the place of."""
    for peer, limit in CHEAPER.items():
        found = ratio(results["noop"].get("1000", {}), peer, OURS)
        if found is not None:
            yield Bar(
                f"nothing to do, 1,000 steps: {peer} in process, as a multiple of omega-bridge", limit, found, at_least=True
            )


def _harmless(results: Results) -> Iterator[Bar]:
    """What a start with nothing to do leaves alone, at every length of the list."""
    ours = [values[OURS] for values in results["noop"].values() if OURS in values]
    if ours:
        yield Bar("nothing to do: round trips after connecting, the most at any length", 1, max(v["round_trips"] for v in ours))
        yield Bar("nothing to do: bytes of WAL, the most at any length", 0, max(v["wal"] for v in ours))
    if OURS in results.get("locks", {}):
        yield Bar("nothing to do: locks on tables of the list", 0, int(results["locks"][OURS] is not None))


def _cold(results: Results) -> Iterator[Bar]:
    for size, limit in COLD.items():
        found = ratio(results["cold"].get(size, {}), OURS, PSQL)
        if found is not None:
            yield Bar(f"an empty database, {int(size):,} steps, against `psql -1 -f`", limit, found)


def _everyday(results: Results) -> Iterator[Bar]:
    """Against connecting and ``SELECT 1``, in a process of its own as well."""
    for case, limit in EVERYDAY.items():
        found = ratio(results.get("everyday", {}).get("cases", {}).get(case, {}), KEPT, BASE)
        if found is not None:
            yield Bar(f"{case} steps new, a process that has just begun, against connecting and `SELECT 1`", limit, found)


def _fleet(results: Results) -> Iterator[Bar]:
    """The most replicas that were started at once, on an empty database; the worst run of each count, the median of times."""
    ours = [run for run in results["fleet"] if run["peer"] == OURS and run["state"] == "empty"]
    many = max((run["replicas"] for run in ours), default=1)
    runs = [run for run in ours if run["replicas"] == many and run["last"]]
    if many == 1 or not runs:
        return
    at_once = f"{many} at once on an empty database"
    yield Bar(f"{at_once}: failures", 0, max(run["failures"] for run in runs))
    yield Bar(f"{at_once}: steps applied twice", 0, max(run["applied_twice"] for run in runs))
    late = [run["last"] - results["poll"] for run in runs]
    against_first = statistics.median(t / run["first"] for t, run in zip(late, runs, strict=True))
    yield Bar(f"{at_once}: the last one ready, less one poll, against the one that applied", FLEET, against_first)
