"""Two branches that both appended to the history, brought in line: one side stays, the other's steps are appended anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omega_bridge import expectation_file
from omega_bridge.expectation import FILE
from omega_bridge.revisions.graph import refuse_if_followed
from omega_bridge.revisions.sums import NAME, Seal, SumLine, orphans, parse_line, paths, put_in_place, text_of, version_table
from omega_bridge.writing import write


@dataclass(frozen=True, slots=True)
class Rebased:
    """What stays of the sum file, and the revision files that were taken away."""

    kept: tuple[SumLine, ...]
    removed: tuple[Path, ...]


def rebase(folder: Path) -> Rebased:
    """Resolve ``omega.sum`` to one side and remove the other's files; an export then appends what the list has more.

    Of a merge conflict the first side stays (in a merge: the branch one is on). Without markers, the longest beginning
    whose hashes hold stays. Where only one side squashed, files go where the side that stays has them. Files that export
    did not write are never touched. Raises ``ConfigurationInvalid`` where one of those follows a file that would go.
    """
    path = folder / NAME
    lines = [parse_line(path, n, text) for n, text in _first_side(path.read_text(encoding="utf-8")) if text and text[0] != "#"]
    put_in_place(folder, lines)
    kept = tuple(_intact(folder, lines))
    put_in_place(folder, kept)
    removed = tuple(orphans(folder, kept))
    gone = {file.name.split("_")[1] for file in removed} - {line.revision for line in kept}
    refuse_if_followed(folder, kept, gone, "Let it follow a revision that stays (down_revision), and run it again.")
    write(path, text_of(kept, versions=version_table(folder)))
    for file in removed:
        file.unlink()
    _resolve(folder / FILE)
    return Rebased(kept, removed)


def _resolve(file: Path) -> None:
    """The schema that the list leads to, of the side that stays: what databases have, until an export writes that of the merged list."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if expectation_file.is_conflict(text):
        write(file, "\n".join(line for _, line in _first_side(text)))


def _first_side(text: str) -> list[tuple[int, str]]:
    """The lines of a file with the first side of each of its conflicts, with the number that each has in it."""
    found, side = [], 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if line.startswith("<<<<<<<"):
            side = 1
        elif (line.startswith("|||||||") and side == 1) or (line.startswith("=======") and side):
            side = 2
        elif line.startswith(">>>>>>>"):
            side = 0
        elif side < 2:
            found.append((number, line))
    return found


def _intact(folder: Path, lines: Sequence[SumLine]) -> list[SumLine]:
    seal, kept = Seal(), list[SumLine]()
    for line, file in paths(folder, lines):
        if not file.exists() or seal.of(line, file.read_bytes()) != line.hash:
            break
        kept.append(seal.take(line))
    return kept
