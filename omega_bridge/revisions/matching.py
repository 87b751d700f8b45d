"""Which step of the list is which step of the exported history? By explicit id, by content, then by likeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Protocol

from omega_bridge.analysis import Analysis, StepAnalysis, analyse, statements
from omega_bridge.errors import AmbiguousMatch
from omega_bridge.revisions.sums import Recorded, SumLine
from omega_bridge.sql import canonical
from omega_bridge.steps import Registry

LIKE = 0.6
"""Two texts of which less than this is common are two steps."""

CLEAR = 0.1
"""A best candidate that is not this much ahead of the second best is not clear."""


class Texts(Protocol):
    """The SQL of exported revisions, by revision."""

    def get(self, revision: str, /) -> str | None:
        """The text, or ``None`` where there is none."""


@dataclass(slots=True)
class Matching:
    """By index of the list: ``known`` (recorded, edited or not) and ``edited``; ``removed`` is in nobody's list any more.

    ``how`` says for each index by what it was matched.
    """

    known: dict[int, Recorded] = field(default_factory=dict)
    edited: dict[int, Recorded] = field(default_factory=dict)
    removed: list[Recorded] = field(default_factory=list)
    how: dict[int, str] = field(default_factory=dict)

    def take(self, index: int, past: Recorded, how: str, *, edited: bool) -> None:
        """Record one pair."""
        self.known[index] = past
        self.how[index] = how
        if edited:
            self.edited[index] = past


def current_steps(lines: Sequence[SumLine]) -> list[Recorded]:
    """The steps that the history holds, in its order, each in its latest form."""
    found: dict[str, Recorded] = {}
    for line in lines:
        for step in line.steps if line.kind != "foundation" else ():
            if line.kind == "retire":
                found.pop(step.label, None)
            else:
                found[step.label] = step
    return list(found.values())


def match(analysis: Analysis, lines: Sequence[SumLine], texts: Texts) -> Matching:
    """Pair the list with the history. Raises ``AmbiguousMatch``."""
    left = {past.label: past for past in current_steps(lines)}
    alike: dict[str, list[Recorded]] = {}
    for past in left.values():
        alike.setdefault(past.checksum, []).append(past)
    result = Matching()
    # A step that was emptied is none any more, whatever its id: what it was is retired.
    steps = {i: step for i, step in enumerate(analysis.steps) if not step.is_empty or step.checksum in alike}

    def pair(index: int, past: Recorded, how: str) -> None:
        result.take(index, past, how, edited=steps[index].checksum != past.checksum)
        del left[past.label], steps[index]

    for index, step in list(steps.items()):
        named = left.get(step.step.id) if step.step.id is not None else None
        if named is not None and named.explicit:
            pair(index, named, "id")
    for index, step in list(steps.items()):
        same = [p for p in alike.get(step.checksum, ()) if p.label in left]
        if same:
            pair(index, next((p for p in same if p.label == step.id), same[0]), "content")
    for index, step in list(steps.items()):
        named = left.get(step.id)
        if named is not None and not named.explicit:
            pair(index, named, "what it does" if step.step.id is None else "id")
    for index, step in list(steps.items()):
        if step.step.id is not None:
            continue
        candidates = [p for p in left.values() if not p.explicit]
        best = _best(step, candidates, texts) if candidates else None
        if best is not None:
            pair(index, best, "likeness")
    result.removed = list(left.values())
    return result


def _best(step: StepAnalysis, candidates: list[Recorded], texts: Texts) -> Recorded | None:
    text, made = canonical(step.step.sql), _made(step)
    scored = []
    for past in candidates:
        other = texts.get(past.revision)
        if other is None:
            continue
        matcher = SequenceMatcher(None, text, canonical(other), autojunk=False)
        if matcher.real_quick_ratio() >= LIKE and matcher.quick_ratio() >= LIKE and matcher.ratio() >= LIKE:
            before = _made(analyse(Registry.of([other])).steps[0])
            if made & before or not (made and before):
                scored.append((matcher.ratio(), past.label, past))
    scored.sort(reverse=True)
    if not scored:
        return None
    if len(scored) > 1 and scored[0][0] - scored[1][0] < CLEAR:
        raise AmbiguousMatch(
            f"an edited step is like two of the history: {scored[0][1]!r} and {scored[1][1]!r}",
            hint=f"Say which one it is: Step(sql, id={scored[0][1]!r}), or give it a new id.",
        )
    return scored[0][2]


def _made(step: StepAnalysis) -> set[tuple[str, str, str]]:
    """The objects that a step is about. Two that share none are no edit of each other, however alike their texts."""
    effects = (e for s in statements(step.program) for e in s.effects)
    return {(str(e.key.kind), e.key.table, e.key.name) for e in effects}
