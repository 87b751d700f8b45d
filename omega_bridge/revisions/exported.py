"""What an export comes to, and the short way for a history that is fresh: neither parser nor Alembic is loaded for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.revisions import sums
from omega_bridge.revisions.coverage import Coverage, coverage_of
from omega_bridge.revisions.graph import to_follow
from omega_bridge.revisions.sums import SumLine, head_of, read_sum, verified

if TYPE_CHECKING:
    from omega_bridge.revisions.chain import Revision
    from omega_bridge.typed import JsonObject


@dataclass(frozen=True, slots=True)
class Export:
    """What an export wrote, or (``check``) would write. ``revisions`` are the new ones."""

    written: tuple[Path, ...]
    revisions: tuple[Revision, ...]
    head: str | None
    coverage: Coverage
    lines: tuple[SumLine, ...] = field(default=(), repr=False)

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "written": [str(p) for p in self.written],
            "revisions": [
                {"revision": r.id, "step": r.labels[0] if len(r.labels) == 1 else list(r.labels), "kind": str(r.kind)}
                for r in self.revisions
            ],
            "head": self.head,
            "coverage": self.coverage.as_dict(),
        }


def unchanged(folder: Path, listed: str) -> Export | None:
    """The history as it stands, where it was made from just this list and these models: nothing need be analysed.

    Raises ``HistoryTampered``, ``SeveralHeads``.
    """
    if sums.listed(folder) != listed or sums.pending(folder):
        return None
    lines = read_sum(folder)
    to_follow(folder, lines)
    coverage = covered((line, content.decode().replace("\r\n", "\n")) for line, content in verified(folder, lines))
    return Export((), (), head_of(lines), coverage, lines)


def covered(files: Iterable[tuple[SumLine, str]]) -> Coverage:
    """How much of the history is Alembic operations, by the text of each line's file."""
    return coverage_of((",".join(s.label for s in line.steps), text, line.proof) for line, text in files if not line.is_squash)
