"""Samples taken in turns, so that whatever else the machine does falls on all alike."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Mapping


def seconds(call: Callable[[], object]) -> float:
    """Wall time of a call."""
    gc.collect()
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def in_turns(
    measures: Mapping[str, Callable[[], float | None]], *, repeats: int, patience: float | Mapping[str, float]
) -> dict[str, list[float]]:
    """Rounds over all, each measured once a round; who has used up ``patience`` seconds sits out the further ones.

    A measure that gives ``None`` has failed, and is not asked again.
    """
    samples: dict[str, list[float]] = {name: [] for name in measures}
    used = dict.fromkeys(measures, 0.0)
    for _ in range(repeats):
        for name, measure in measures.items():
            if used[name] >= (patience if isinstance(patience, float) else patience[name]):
                continue
            started = time.perf_counter()
            taken = measure()
            used[name] = float("inf") if taken is None else used[name] + time.perf_counter() - started
            if taken is not None:
                samples[name].append(taken)
    return {name: found for name, found in samples.items() if found}


def client_cpu() -> float:
    """Seconds of CPU of this process and of the programs that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
