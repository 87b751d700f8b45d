"""``omega.sum``: one line a revision, with a hash over its file and all before it. Text in, values out; and the reverse.

A line reads ``s2 <revision> <kind> <step>@<checksum>[,...] <proof> <file> <hash>``: a step's label is followed by ``!``
where an empty database did not settle it, and led by ``=`` where its id is explicit; the proof is ``proven``,
``unproven`` or ``verbatim``. Lines of the older format ``s1``, which has no proof, stay as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from omega_bridge.errors import HistoryTampered

FORMAT = "s2"
FIELDS = {"s1": 6, "s2": 7}
"""How many fields a line of each format has."""
NAME = "omega.sum"
LISTED = "# of the list and the models "
HEADER = "# made from the step registry by: omega-bridge export -- do not edit; check with: omega-bridge export --check"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A step as an export recorded it."""

    label: str
    checksum: str
    explicit: bool
    settled: bool
    revision: str


@dataclass(frozen=True, slots=True)
class SumLine:
    """One line."""

    revision: str
    kind: str
    steps: tuple[Recorded, ...]
    file: str
    hash: str
    proof: str = "unproven"
    format: str = FORMAT

    def __str__(self) -> str:
        told = ",".join(f"{'=' if s.explicit else ''}{s.label}{'' if s.settled else '!'}@{s.checksum}" for s in self.steps)
        proof = () if self.format == "s1" else (self.proof,)
        return " ".join((self.format, self.revision, self.kind, told, *proof, self.file, self.hash))


def read_sum(folder: Path) -> tuple[SumLine, ...]:
    """The lines of the folder's sum file; none where there is no file. Raises ``HistoryTampered`` for a line that is none."""
    path = folder / NAME
    if not path.exists():
        return ()
    return tuple(
        parse_line(path, n, text)
        for n, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if text and text[0] != "#"
    )


def head(folder: Path) -> str | None:
    """The last revision. Imports nothing heavy: a boot calls it."""
    lines = read_sum(folder)
    return lines[-1].revision if lines else None


def text_of(lines: Iterable[SumLine], listed: str = "") -> str:
    """The sum file's text. ``listed``: digest of the list and the models that it was made from, for the next export."""
    told = [f"{LISTED}{listed}"] if listed else []
    return "\n".join([HEADER, *told, *(str(line) for line in lines)]) + "\n"


def listed(folder: Path) -> str:
    """The digest of what the last export was made from; empty where there is none."""
    path = folder / NAME
    if not path.exists():
        return ""
    with path.open(encoding="utf-8") as file:
        return next(
            (line.removeprefix(LISTED).strip() for line in (file.readline(), file.readline()) if line.startswith(LISTED)), ""
        )


def cumulative(previous: str, revision: str, content: bytes, tag: str = FORMAT) -> str:
    """The hash of a line: over the one before, the revision and the file's bytes (line ends as ``\\n``)."""
    plain = content.replace(b"\r\n", b"\n")
    return hashlib.sha256(f"{tag}\n{previous}\n{revision}\n".encode() + plain).hexdigest()


def check(folder: Path, lines: Sequence[SumLine] | None = None) -> None:
    """Compare every revision file with the sum file. Raises ``HistoryTampered``, naming the first bad file."""
    versions = folder / "versions"
    previous = ""
    lines = read_sum(folder) if lines is None else lines
    for line in lines:
        path = versions / line.file
        if not path.exists():
            raise _tampered(f"{path} is gone, and {NAME} names it")
        if cumulative(previous, line.revision, path.read_bytes(), line.format) != line.hash:
            raise _tampered(f"{path} is not what export wrote (or the lines of {NAME} before it were changed)")
        previous = line.hash
    for path in orphans(folder, lines):
        raise HistoryTampered(
            f"{path} was written by an export, and {NAME} does not name it: another branch appended to the history, too",
            hint="Bring the two in line: omega-bridge export --rebase",
        )


def orphans(folder: Path, lines: Sequence[SumLine]) -> Iterator[Path]:
    """Revision files that an export wrote and the lines do not name. Files of other hands are not ours to judge."""
    named = {line.file for line in lines}
    for path in sorted((folder / "versions").glob("*.py")):
        if path.name not in named and _is_ours(path):
            yield path


def _is_ours(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().rstrip("\n") == HEADER


def _tampered(what: str) -> HistoryTampered:
    return HistoryTampered(
        what, hint="Restore the file from version control (git checkout); history only grows, by: omega-bridge export"
    )


def parse_line(path: Path, number: int, text: str) -> SumLine:
    """One line of the file; ``number`` is for the message. Raises ``HistoryTampered``."""
    if text.startswith(("<<<<<<<", "=======", ">>>>>>>")):
        raise HistoryTampered(
            f"{path}:{number} holds a merge conflict: two branches appended to the history",
            hint="One side stays, and the other's steps are appended anew, by: omega-bridge export --rebase",
        )
    parts = text.split(" ")
    if len(parts) != FIELDS.get(parts[0], 0):
        raise HistoryTampered(
            f"{path}:{number} is no line of format {' or '.join(FIELDS)}", hint="Restore the file from version control."
        )
    form, revision, kind, told, *proof, file, digest = parts
    steps = []
    for part in told.split(",") if told else ():
        label, _, checksum = part.partition("@")
        steps.append(Recorded(label.lstrip("=").rstrip("!"), checksum, label.startswith("="), not label.endswith("!"), revision))
    return SumLine(revision, kind, tuple(steps), file, digest, proof[0] if proof else "unproven", form)
