"""``omega.sum``: one line a revision, with a hash over its file, itself and all before it. Text in, values out; and the reverse.

A line reads ``s3 <revision> <kind> <step>@<checksum>[,...] <proof> <file> <hash>``: a step's label is followed by ``!``
where an empty database did not settle it, and led by ``=`` where its id is explicit (what is special in it is written as in a
URL, ``%20``); the proof is ``proven``,
``unproven`` or ``verbatim``. Lines of the older formats stay as they are: ``s1`` has no proof, and of both the hash goes over the
revision and its file alone; the first line that follows seals what they say.

In the head stand notes: digests of the list and of the catalog file, and the version table; the last of them seals the head, and the last
line with it.

A line of the kind ``squash`` (steps and proof are ``-``) says that from there on one file stands for every revision up
to the one it names. The lines of those revisions stay, and so do their files: in ``archive/<revision>/``.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from omega_bridge import writing
from omega_bridge.errors import HistoryTampered

if TYPE_CHECKING:
    from omega_bridge.version_table import VersionTable

FORMAT = "s3"
FIELDS = {"s1": 6, "s2": 7, "s3": 7}
"""How many fields a line of each format has."""
NAME = "omega.sum"
PENDING = "omega.sum.pending"
"""Names the revision files that an export is about to write; gone when ``omega.sum`` names them."""
LISTED = "# of the list and the models "
CATALOG_FILE = "omega.catalog.json"
"""``expectation.FILE``, which this module does not import: with it the parser would be loaded."""
CATALOG = f"# of {CATALOG_FILE} "
VERSION_TABLE = "# its revision is kept in "
HEAD = "# of this head and the last line "
"""Seals what is noted, and where the lines end."""
SQUASH = "squash"
VERSIONS = "versions"
ARCHIVE = "archive"
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

    @property
    def is_squash(self) -> bool:
        """Whether it stands for revisions that have lines of their own."""
        return self.kind == SQUASH

    def __str__(self) -> str:
        told = (
            "-"
            if self.is_squash
            else ",".join(
                f"{'=' if s.explicit else ''}{_word(s.label)}{'' if s.settled else '!'}@{s.checksum}" for s in self.steps
            )
        )
        proof = () if self.format == "s1" else (self.proof,)
        return " ".join((self.format, self.revision, self.kind, told, *proof, self.file, self.hash))


def _word(label: str) -> str:
    """A label as a part of a line: what would end it, or mean something there, is written as in a URL."""
    return re.sub(r"[\s%,@!=\x00-\x1f\x7f\ud800-\udfff]", lambda match: quote(match[0], safe="", errors="surrogatepass"), label)


def read_sum(folder: Path) -> tuple[SumLine, ...]:
    """The lines of the folder's sum file; none where there is no file. Raises ``HistoryTampered`` for a line that is none."""
    path = folder / NAME
    return lines_of(_text(path), path) if path.exists() else ()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise HistoryTampered(f"{path} is not UTF-8", hint="Take the file from version control again.") from error


def lines_of(text: str, path: Path) -> tuple[SumLine, ...]:
    """The lines of a sum file's text; ``path`` is for messages. Raises ``HistoryTampered`` for a line that is none."""
    numbered = enumerate(text.splitlines(), start=1)
    return tuple(parse_line(path, n, line) for n, line in numbered if line and line[0] != "#")


def head(folder: Path) -> str | None:
    """The last revision. Imports nothing heavy, and reads one line: a boot calls it."""
    path = folder / NAME
    if not path.exists():
        return None
    texts = _text(path).splitlines()
    lines = (parse_line(path, n, texts[n - 1]) for n in range(len(texts), 0, -1) if texts[n - 1] and texts[n - 1][0] != "#")
    return next((line.revision for line in lines if not line.is_squash), None)


def revisions(lines: Iterable[SumLine]) -> tuple[SumLine, ...]:
    """The revisions, each once: every line but those of squashes."""
    return tuple(line for line in lines if not line.is_squash)


def head_of(lines: Sequence[SumLine]) -> str | None:
    """The last revision of the lines."""
    return next((line.revision for line in reversed(lines) if not line.is_squash), None)


def places(lines: Sequence[SumLine]) -> tuple[str, ...]:
    """The folder in which the file of each line stands, below the history's: ``versions``, or a squash's archive."""
    found = [VERSIONS] * len(lines)
    start = 0
    for at, squash in enumerate(lines):
        if not squash.is_squash:
            continue
        end = next((n for n in range(start, at) if lines[n].revision == squash.revision and not lines[n].is_squash), start - 1)
        taken = [*range(start, end + 1), *(n for n in range(at) if lines[n].is_squash)]
        for n in taken:
            if found[n] == VERSIONS:
                found[n] = f"{ARCHIVE}/{squash.revision}"
        start = end + 1
    return tuple(found)


def paths(folder: Path, lines: Sequence[SumLine]) -> Iterator[tuple[SumLine, Path]]:
    """Each line with the path of its file."""
    return ((line, folder / place / line.file) for line, place in zip(lines, places(lines), strict=True))


def squashed_away(lines: Sequence[SumLine]) -> dict[str, str]:
    """The revisions that Alembic loads no more, each with the one whose file stands for it now."""
    last = next((line.revision for line in reversed(lines) if line.is_squash), None)
    if last is None:
        return {}
    known = [line.revision for line in revisions(lines)]
    return dict.fromkeys(known[: known.index(last)] if last in known else known, last)


def text_of(lines: Iterable[SumLine], listed: str = "", catalog: str = "", versions: VersionTable | None = None) -> str:
    """The sum file's text. ``listed``: digest of the list and the models that it was made from, for the next export. ``catalog``: of the
    file beside it that says what the list leads to. ``versions``: where a database keeps the history's revision,
    if that is not Alembic's own table.
    """
    notes = ((LISTED, listed), (CATALOG, catalog), (VERSION_TABLE, _written(versions)))
    head = [HEADER, *(f"{name}{said}" for name, said in notes if said)]
    written = [str(line) for line in lines]
    return "\n".join([*head, f"{HEAD}{_of_head(head, written)}", *written]) + "\n"


def _of_head(head: Iterable[str], lines: Sequence[str]) -> str:
    """What seals the head of a sum file: over its notes, and the last line."""
    return hashlib.sha256("\n".join((*head, *lines[-1:])).encode("utf-8", "surrogatepass")).hexdigest()


def _is_sealed(folder: Path, lines: Sequence[SumLine]) -> bool:
    """Whether the head says what an export wrote there. One without notes, of an early export, says nothing, if no catalog file is there."""
    text = _text(folder / NAME) if (folder / NAME).exists() else ""
    head = list(itertools.takewhile(lambda line: line.startswith("#"), text.splitlines()))
    told = [line for line in head if not line.startswith(HEAD)]
    if head == told and not any(line.startswith((LISTED, CATALOG, VERSION_TABLE)) for line in head):
        return not (folder / CATALOG_FILE).exists()
    return [line for line in head if line not in told] == [f"{HEAD}{_of_head(told, [str(line) for line in lines[-1:]])}"]


def listed(folder: Path) -> str:
    """The digest of what the last export was made from; empty where there is none."""
    return _noted(folder, LISTED)


def catalog_noted(folder: Path) -> str:
    """The digest of the catalog file that the last export left; empty where none was noted."""
    return _noted(folder, CATALOG)


def version_table(folder: Path) -> VersionTable | None:
    """Where a database keeps the revision of this history, as the last export was told; ``None`` for Alembic's own table.

    Who is told nothing else goes by it: a start, for one, which loads nothing more for ``None``.
    """
    if not (noted := _noted(folder, VERSION_TABLE)):
        return None
    from omega_bridge.version_table import VersionTable

    *schema, name = map(unquote, noted.split("."))
    return VersionTable(name, *schema)


def note_version_table(folder: Path, table: VersionTable | None) -> None:
    """Note where it is kept."""
    writing.write(folder / NAME, text_of(read_sum(folder), listed(folder), catalog_noted(folder), table))


def is_noted(folder: Path, table: VersionTable | None) -> bool:
    """Whether the sum file, if there is one, says just that of where it is kept."""
    return not (folder / NAME).exists() or _noted(folder, VERSION_TABLE) == _written(table)


def _written(table: VersionTable | None) -> str:
    if table is None or table.is_alembics:
        return ""
    return ".".join(quote(part, safe="").replace(".", "%2E") for part in table.parts)


def _noted(folder: Path, what: str) -> str:
    path = folder / NAME
    if not path.exists():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:  # what is not UTF-8 is no digest; read_sum says so
        head = itertools.takewhile(lambda line: line.startswith("#"), file)
        return next((line.removeprefix(what).strip() for line in head if line.startswith(what)), "")


def note_catalog(folder: Path, path: Path | None) -> None:
    """Note what the catalog file says, or, before it is written anew, that nothing is known of it. Nothing where there is no sum file."""
    if (folder / NAME).exists():
        digest = digest_of_file(path) if path is not None else ""
        if digest != catalog_noted(folder):
            writing.write(folder / NAME, text_of(read_sum(folder), listed(folder), digest, version_table(folder)))


def digest_of_file(path: Path) -> str:
    """Of its bytes, with line ends as ``\\n``."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


@dataclass(slots=True)
class Seal:
    """The hashes of one line after the other. ``previous``: that of the line before; ``lines``: a digest of all that they say."""

    previous: str = ""
    lines: str = ""

    def of(self, line: SumLine, content: bytes) -> str:
        """The hash of the next line, whose file has this content (line ends as ``\\n``)."""
        plain = content.replace(b"\r\n", b"\n")
        told = self.previous if line.format in ("s1", "s2") else self.lines
        said = line.revision if line.format in ("s1", "s2") else str(line).removesuffix(line.hash)
        return hashlib.sha256(f"{line.format}\n{told}\n{said}\n".encode() + plain).hexdigest()

    def take(self, line: SumLine) -> SumLine:
        """Go on behind a line that has its hash."""
        self.previous, self.lines = line.hash, hashlib.sha256(f"{self.lines}\n{line}".encode()).hexdigest()
        return line

    def sealed(self, line: SumLine, content: bytes) -> SumLine:
        """The next line with its hash; go on behind it."""
        return self.take(replace(line, hash=self.of(line, content)))


def behind(lines: Iterable[SumLine]) -> Seal:
    """To go on behind lines that are there."""
    seal = Seal()
    for line in lines:
        seal.take(line)
    return seal


def squashed_away_in(folder: Path) -> dict[str, str]:
    """``squashed_away`` of a folder; where nothing was squashed no line is read."""
    path = folder / NAME
    text = _text(path) if path.exists() else ""
    return squashed_away(lines_of(text, path)) if f" {SQUASH} " in text else {}


def check(folder: Path, lines: Sequence[SumLine] | None = None) -> None:
    """Compare every revision file, and the catalog file, with the sum file. Raises ``HistoryTampered``, naming the first bad file."""
    deque(verified(folder, read_sum(folder) if lines is None else lines), maxlen=0)


def verified(folder: Path, lines: Sequence[SumLine]) -> Iterator[tuple[SumLine, bytes]]:
    """Each line with its file's content, as soon as that is known to be what export wrote. Raises ``HistoryTampered``."""
    seal = Seal()
    for line, place in zip(lines, places(lines), strict=True):
        path = f"{folder}/{place}/{line.file}"
        try:
            with open(path, "rb") as file:
                content = file.read()
        except FileNotFoundError:
            if begun := pending(folder):
                raise _interrupted(begun[0]) from None
            raise _tampered(f"{path} is gone, and {NAME} names it") from None
        if seal.of(line, content) != line.hash:
            raise _tampered(f"{path} is not what export wrote (or its line in {NAME}, or one before it, was changed)")
        seal.take(line)
        yield line, content
    noted, catalog = catalog_noted(folder), folder / CATALOG_FILE
    if noted and not (catalog.is_file() and digest_of_file(catalog) == noted):
        raise _tampered(f"{catalog} is not what export wrote")
    begun = pending(folder)
    for orphan in orphans(folder, lines):
        if orphan in begun:
            raise _interrupted(orphan)
        raise HistoryTampered(
            f"{orphan} was written by an export, and {NAME} does not name it: another branch appended to the history, too",
            hint="Bring the two in line: omega-bridge export --rebase",
        )
    if lines and not _is_sealed(folder, lines):
        raise HistoryTampered(
            f"the head of {folder / NAME} is not what export wrote, or lines at its end are gone",
            hint="Restore the file from version control (git checkout); or have its head written anew: omega-bridge export --rebase",
        )


def pending(folder: Path) -> tuple[Path, ...]:
    """The revision files that an interrupted export was writing; none where it came to its end."""
    path = folder / PENDING
    return tuple(folder / VERSIONS / name for name in path.read_text("utf-8").splitlines()) if path.exists() else ()


def put_in_place(folder: Path, lines: Sequence[SumLine]) -> None:
    """Move what was put into an archive, or taken out of one, to where these lines have it."""
    for line, wanted in paths(folder, lines):
        if wanted.exists():
            continue
        for found in (folder / VERSIONS / line.file, *sorted((folder / ARCHIVE).glob(f"*/{line.file}"))):
            if found.exists():
                wanted.parent.mkdir(parents=True, exist_ok=True)
                found.replace(wanted)
                break


def clear_interrupted(folder: Path) -> None:
    """Take back what an export or a squash left that did not come to its end; what the sum file names is where it says."""
    begun = pending(folder)
    if not begun:
        return
    lines = read_sum(folder)
    put_in_place(folder, lines)
    named = {path for _, path in paths(folder, lines)}
    for path in begun:
        writing.remove(writing.temporary(path))
        if path not in named:
            writing.remove(path)
    writing.remove(folder / PENDING)


def orphans(folder: Path, lines: Sequence[SumLine]) -> Iterator[Path]:
    """Revision files that an export wrote and the lines do not name. Files of other hands are not ours to judge."""
    named = {(place, line.file) for line, place in zip(lines, places(lines), strict=True)}
    archives = sorted(p.name for p in (folder / ARCHIVE).iterdir() if p.is_dir()) if (folder / ARCHIVE).is_dir() else ()
    for place in (VERSIONS, *(f"{ARCHIVE}/{name}" for name in archives)):
        for name in sorted(entry.name for entry in os.scandir(folder / place)) if (folder / place).is_dir() else ():
            if name.endswith(".py") and (place, name) not in named and is_exported(folder / place / name):
                yield folder / place / name


def is_exported(path: Path) -> bool:
    """Whether an export wrote a revision file: its first line says so."""
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
    for part in told.split(",") if told and kind != SQUASH else ():
        label, _, checksum = part.partition("@")
        steps.append(
            Recorded(
                unquote(label.lstrip("=").rstrip("!"), errors="surrogatepass"),
                checksum,
                label.startswith("="),
                not label.endswith("!"),
                revision,
            )
        )
    return SumLine(revision, kind, tuple(steps), file, digest, proof[0] if proof else "unproven", form)


def _interrupted(path: Path) -> HistoryTampered:
    return HistoryTampered(f"an export was interrupted before {NAME} named {path}", hint="Let it finish: omega-bridge export")
