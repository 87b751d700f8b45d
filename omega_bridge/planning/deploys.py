"""Which steps reach databases together: a table that one of them makes is empty when the others of its deploy come to it. Pure.

Known is what the history says: steps whose lines of ``omega.sum`` one commit has brought were deployed together, and what no export has
written comes with the next deploy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from omega_bridge.analysis.analysis import Analysis


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the history. ``commit``: what brought it, ``None`` where none has yet. ``steps``: labels and checksums."""

    commit: str | None
    steps: Collection[tuple[str, str]]


def deploys(lines: Iterable[Line], analysis: Analysis) -> Mapping[str, int]:
    """By a step's id, the number of the deploy with which it came. One that comes with the next deploy has none."""
    first: dict[str, int] = {}
    for number, (commit, several) in enumerate(groupby(lines, key=lambda line: line.commit)):
        if commit is not None:
            for name in (name for line in several for step in line.steps for name in step):
                first.setdefault(name, number)
    known = ((step.id, [first[n] for n in (step.id, step.checksum) if n in first]) for step in analysis)
    return {step: min(numbers) for step, numbers in known if numbers}
