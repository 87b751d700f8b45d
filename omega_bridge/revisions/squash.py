"""Many revisions made one: the deliberate exception to "history only grows", and even here only lines are added.

The revisions' files move to ``archive/<revision>/``, which Alembic does not load and ``omega.sum`` goes on checking. One
file stands for them, with the id of the last: a database that is there or later has nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.revisions import sums
from omega_bridge.revisions.graph import followed_by_squash, refuse_if_followed
from omega_bridge.revisions.squash_rendering import read_part, render_squash
from omega_bridge.revisions.sums import NAME, PENDING, SQUASH, VERSIONS, SumLine, behind, head_of, paths, read_sum, text_of
from omega_bridge.writing import remove, write

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


@dataclass(frozen=True, slots=True)
class Squashed:
    """``file`` stands for ``revisions`` from now on."""

    file: Path
    revisions: tuple[SumLine, ...]

    @property
    def revision(self) -> str:
        """The last of them, whose id the squash has."""
        return self.revisions[-1].revision

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {"revision": self.revision, "file": str(self.file), "revisions": [line.revision for line in self.revisions]}


def squash(folder: Path, until: str, told: str = "") -> Squashed:
    """Squash the history up to a revision. ``told``: what the user called it, for the record.

    Raises ``HistoryTampered``, and ``ConfigurationInvalid`` where there is nothing to squash.
    """
    sums.clear_interrupted(folder)
    lines = read_sum(folder)
    contents = {(line.file, line.kind): content for line, content in sums.verified(folder, lines)}
    every = sums.revisions(lines)
    taken = every[: next((n for n, line in enumerate(every, start=1) if line.revision == until), 0)]
    away = sums.squashed_away(lines)
    loaded = [line for line in taken if line.revision not in away]
    if len(loaded) < 2:
        raise ConfigurationInvalid(
            f"there is nothing to squash up to {until}: it is the first revision that Alembic loads",
            hint=f"Name a later one: alembic history shows them, and {head_of(lines)} is the last.",
        )
    hint = "Let it follow a later revision, or squash up to an earlier one."
    refuse_if_followed(folder, lines, {line.revision for line in taken[:-1]}, hint)
    parts = [read_part(line, _text(contents[line.file, line.kind])) for line in taken]
    text = render_squash(parts, told, followed_by_squash(folder, lines, taken[0].revision))
    name = f"{len(taken):04d}_{until}_squash.py"
    line = behind(lines).sealed(SumLine(until, SQUASH, (), name, "", "-"), text.encode())
    _write(folder, lines, line, text)
    return Squashed(folder / VERSIONS / name, taken)


def _text(content: bytes) -> str:
    return content.decode().replace("\r\n", "\n")


def _write(folder: Path, lines: Sequence[SumLine], line: SumLine, text: str) -> None:
    """The sum file last: killed before it, the next export or squash puts every file back, and begins anew."""
    now = (*lines, line)
    write(folder / PENDING, f"{line.file}\n")
    write(folder / VERSIONS / line.file, text)
    for (_, old), (_, new) in zip(paths(folder, lines), paths(folder, now), strict=False):
        if old != new:
            new.parent.mkdir(parents=True, exist_ok=True)
            old.replace(new)
    write(folder / NAME, text_of(now, sums.listed(folder), sums.catalog_noted(folder), sums.version_table(folder)))
    remove(folder / PENDING)
