"""Medians, spreads and ratios of samples, and how they are written. All pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BASE = "connect, select 1"
OURS = "omega-bridge"
SENTINEL = "omega-bridge, sentinel"
PROCESS = "omega-bridge (process)"
KEPT = "omega-bridge, a process that has just begun"
ANEW = "omega-bridge, the same with nothing kept"
PSQL = "psql -1 -f (process)"
LOOP = "naive loop, psycopg"
ALEMBIC = "Alembic"

Samples = Mapping[str, Any]
"""By peer: a list of seconds, or a mapping with ``seconds`` in it."""


def samples(values: Samples, peer: str) -> list[float]:
    """The seconds of a peer's starts; none where it was not measured."""
    found = values.get(peer, [])
    return list(found["seconds"] if isinstance(found, Mapping) else found)


def median(values: Samples, peer: str) -> float | None:
    """The median of a peer's starts; ``None`` where it was not measured."""
    found = samples(values, peer)
    return statistics.median(found) if found else None


def ratio(values: Samples, peer: str, base: str) -> float | None:
    """A peer's median as a multiple of another's; ``None`` where one of them was not measured."""
    above, below = median(values, peer), median(values, base)
    return above / below if above is not None and below else None


def spread(taken: Sequence[float]) -> tuple[float, float]:
    """The quartiles; of fewer than four samples the least and the greatest."""
    if len(taken) < 4:
        return min(taken), max(taken)
    low, _, high = statistics.quantiles(taken, n=4, method="inclusive")
    return low, high


def milliseconds(seconds: float) -> str:
    """With as many digits as matter: 4.93, 52.1, 1,260."""
    value = seconds * 1e3
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def times(value: float) -> str:
    """A ratio: 1.04, 12.3, 254."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def timed(taken: Sequence[float]) -> str:
    """Median and spread, in milliseconds: ``4.93 [4.80-5.21]``."""
    low, high = spread(taken)
    return f"{milliseconds(statistics.median(taken))} [{milliseconds(low)}-{milliseconds(high)}]"


def peers_of(columns: Iterable[Samples]) -> list[str]:
    """The peers of several columns, each once, in their order."""
    return list(dict.fromkeys(peer for values in columns for peer in values))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table; our own rows stand out."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for first, *rest in rows:
        name = f"**{first}**" if str(first).startswith(OURS) else str(first)
        lines.append("| " + " | ".join([name, *map(str, rest)]) + " |")
    return lines
