"""Whether a start may move ``alembic_version``: only from a revision that the history knows to one that follows it. Pure, but for the files.

What was written by hand a start does not run: a database on which that is still to come is told so, and left where it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from omega_bridge.revisions.graph import Graph, graph_of
from omega_bridge.revisions.sums import SumLine, read_sum
from omega_bridge.version_table import VersionTable


@dataclass(frozen=True, slots=True)
class Move:
    """``revision``: what ``alembic_version`` is to say; ``None`` to leave it as it is. ``told``: why it stays, where that is no good news."""

    revision: str | None
    told: str = ""
    hint: str = ""

    @property
    def warning(self) -> str:
        """Both in one line; empty where there is nothing to say."""
        return f"{self.told}; {self.hint}" if self.told else ""


STAYS = Move(None)


@dataclass(frozen=True, slots=True)
class Standing:
    """The history by which is judged. ``known``: the revision that the last start left, of whichever release. ``table``: what says
    where a database stands.
    """

    graph: Graph
    known: str | None = None
    table: str = "alembic_version"

    def move(self, versions: Collection[str], target: str | None) -> Move:
        """From what ``alembic_version`` says to ``target``, up to which the list holds."""
        if target is None or target not in self.graph.nodes or tuple(versions) == (target,):
            return STAYS
        strange = [version for version in versions if version not in self.graph.nodes]
        if strange and set(strange) <= {self.known}:
            return STAYS  # a later release has left it, and its history holds ours
        if strange:
            return Move(
                None,
                f"{self.table} says {', '.join(sorted(strange))}, which this history does not know: it is left as it is",
                "bring the files of that revision here, or give each history a version table of its own (version-table in [tool.omega-bridge])",
            )
        there, wanted = self.graph.up_to(versions), self.graph.up_to([target])
        if wanted <= there:
            return STAYS
        if to_come := self.graph.by_hand(wanted - there):
            return self._to_come(to_come, versions)
        if not there <= wanted:
            return Move(None, f"{self.table} says {', '.join(sorted(versions))}, which {target} does not follow", _UPGRADE)
        return Move(target)

    def _to_come(self, revisions: Sequence[str], versions: Collection[str]) -> Move:
        at = ", ".join(sorted(versions)) or "none"
        several = "revisions" if len(revisions) > 1 else "revision"
        told = f"{self.table} (at {at}) stands before {several} {', '.join(revisions)}, written by hand, and is left there"
        return Move(None, told, _UPGRADE)


_UPGRADE = "run: alembic upgrade head"


def standing_of(
    folder: Path, lines: Sequence[SumLine] | None = None, known: str | None = None, table: VersionTable | None = None
) -> Standing:
    """Of an exported folder. ``table``: where its revision is kept. Raises ``ConfigurationInvalid`` where a file does not say what it follows."""
    graph = graph_of(folder, read_sum(folder) if lines is None else lines)
    return Standing(graph, known, str(table or VersionTable()))
