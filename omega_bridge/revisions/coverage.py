"""How much of the list the history holds as Alembic operations: counted in the revision files themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omega_bridge.revisions.lifting import Lifted
    from omega_bridge.typed import JsonObject

_LINE = re.compile(r"^Translation: (?P<lifted>\d+) of (?P<all>\d+) statements? as Alembic operations$", re.M)
_REASON = re.compile(r"^  verbatim \((?P<count>\d+)\): (?P<reason>.*)$", re.M)


@dataclass(frozen=True, slots=True)
class Coverage:
    """``proven``, ``unproven``: revisions; ``implied``: proven where tables are as the step's text implies.

    ``verbatim``: (revision's label, how many statements, reason).
    """

    steps: int = 0
    steps_lifted: int = 0
    statements: int = 0
    statements_lifted: int = 0
    proven: int = 0
    unproven: int = 0
    verbatim: tuple[tuple[str, int, str], ...] = ()
    implied: int = 0

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "steps": self.steps,
            "steps_lifted": self.steps_lifted,
            "statements": self.statements,
            "statements_lifted": self.statements_lifted,
            "proven": self.proven,
            "unproven": self.unproven,
            "implied": self.implied,
            "verbatim": [{"step": s, "statements": n, "reason": r} for s, n, r in self.verbatim],
        }


def told(lifted: Lifted) -> list[str]:
    """The lines of a docstring that say how a step was translated; ``coverage_of`` reads them again."""
    total = sum(p.inside for p in lifted.parts)
    done = sum(p.inside for p in lifted.parts if p.operations is not None)
    lines = [f"Translation: {done} of {total} statement{'s' if total != 1 else ''} as Alembic operations"]
    lines += [f"  verbatim ({p.inside}): {' '.join(p.reason.split())}" for p in lifted.parts if p.operations is None]
    return lines


def coverage_of(files: Iterable[tuple[str, str, str]]) -> Coverage:
    """Add up what the docstrings of the files say. ``files``: (the revision's label, the file's text, its proof)."""
    steps = whole = total = done = 0
    proofs: Counter[str] = Counter()
    verbatim: list[tuple[str, int, str]] = []
    for label, text, proof in files:
        head = text[: _end_of_header(text)]
        for found in _LINE.finditer(head):
            lifted, everything = int(found["lifted"]), int(found["all"])
            steps, whole = steps + 1, whole + (lifted == everything)
            total, done = total + everything, done + lifted
        proofs[proof] += bool(_LINE.search(head))
        verbatim += [(label, int(found["count"]), found["reason"]) for found in _REASON.finditer(head)]
    return Coverage(steps, whole, total, done, proofs["proven"], proofs["unproven"], tuple(verbatim), proofs["implied"])


def _end_of_header(text: str) -> int:
    """Where the step's own SQL begins: what it says is not ours."""
    place = text.find("\nSQL of the step")
    return place if place >= 0 else len(text)
