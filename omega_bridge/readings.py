"""What was read of a list's texts, kept in a file between starts: a text that has not changed is not read again.

A reading is taken from the file for the very text that it was made of (SHA-256), and where the reader is the same: its own source, the
parser and Python (``reader``). The file is data (``analysis/plain.py``), of this user or root, and nobody else may write it. A file of
which any of this is not so counts as none. Losing it costs time, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from omega_bridge import writing
from omega_bridge.analysis.plain import as_plain, as_reading, names_in
from omega_bridge.analysis.reading import Reading, give, known, reading_of
from omega_bridge.cache_folder import key_of, make_private, private_bytes

log = logging.getLogger("omega_bridge")

_FORMAT = "omega-bridge readings 2"
_BEHIND = b"\t"
"""Between what follows from a program and the program: no JSON holds it."""
_PACKAGE = Path(__file__).parent
_SOURCES = (".", "analysis", "analysis/effects", "kinds", "sql")
"""Folders of the package: all that a reading may depend on, and more."""


@cache
def reader() -> str | None:
    """Who reads: a digest of the release, the reader's source, the parser's files and Python's version; ``None`` where they cannot be had.

    A source file is known by its name, its size and the second of its last change: by just that Python knows whether the bytecode that it
    runs is of this source ("Cached bytecode invalidation", Python's reference), and none of a hundred files is opened.
    """
    found = hashlib.sha256(repr(sys.version_info[:2]).encode())
    try:
        found.update((_PACKAGE / "__init__.py").read_bytes())  # which says the release
        for name in _SOURCES:
            with os.scandir(_PACKAGE / name) as entries:
                sources = [(e.name, e.stat()) for e in entries if e.name.endswith(".py")]
            found.update(repr((name, sorted((of, s.st_size, int(s.st_mtime)) for of, s in sources))).encode())
        found.update(_parser())
    except OSError:
        return None
    return found.hexdigest()


def _parser() -> bytes:
    """The record of the parser's installation: each of its files with its digest. Raises ``FileNotFoundError``."""
    for place in sys.path:
        with suppress(OSError):
            for entry in os.listdir(place or "."):
                if entry.startswith("postgast-") and entry.endswith(".dist-info"):
                    return Path(place, entry, "RECORD").read_bytes()
    raise FileNotFoundError("postgast")


class Readings:
    """The readings that are kept for one list. ``texts``: its steps', in order."""

    def __init__(self, place: Path | None, texts: Iterable[str]) -> None:
        self._by_key = {key_of(text): text for text in texts}
        self._path = place / f"{next(iter(self._by_key))[:16]}.readings" if place is not None and self._by_key else None
        self._reader = reader() if self._path is not None else None
        self._lines: dict[str, bytes] = {}
        if self._path is not None and self._reader is not None:
            self._lines = _read(self._path, self._reader)
        self._plain: dict[str, object] = {}
        """By text: what is kept of it, as it is written, where this process has not read it."""
        lines = {text: self._lines.get(key) for key, text in self._by_key.items() if known(text) is None}
        self._held = {text: line.partition(_BEHIND) for text, line in lines.items() if line}
        try:
            told = json.loads(b"[%b]" % b",".join([head for head, _, _ in self._held.values()]))
            self._plain = dict(zip(self._held, told, strict=True))
        except (ValueError, RecursionError):
            self._lines.clear()

    def names(self) -> frozenset[str] | None:
        """The identifiers that the texts name: of those that are new, by reading them. ``None`` where none is known."""
        if not (self._plain or any(known(text) for text in self._by_key.values())):
            return None
        new = (reading_of(text).names for text in self._by_key.values() if text not in self._plain)
        try:
            return frozenset().union(*map(names_in, self._plain.values()), *new)
        except (ValueError, TypeError):
            return None

    def give(self) -> None:
        """Hand what is kept of the texts to ``reading_of``."""
        give(list(self._kept()))

    def _kept(self) -> Iterator[Reading]:
        try:
            yield from [as_reading(text, plain, self._held[text][2]) for text, plain in self._plain.items()]
        except ValueError:
            self._lines.clear()

    def keep(self, readings: Iterable[Reading]) -> None:
        """Keep what is new; of another list's texts as many as of this one's. What the file system refuses is not kept."""
        if self._path is None or self._reader is None:
            return
        keys = {text: key for key, text in self._by_key.items()}
        lines = {key: self._lines.get(key) or _line(reading) for reading in readings if (key := keys.get(reading.text))}
        if not any(line is not None and key not in self._lines for key, line in lines.items()):
            return
        others = [(key, line) for key, line in self._lines.items() if key not in lines]
        try:
            make_private(self._path.parent)
            writing.write_private(self._path, _whole(self._reader, [*lines.items(), *others[: len(lines)]]))
        except OSError as exc:
            log.debug("what was read is not kept: %s", exc)


def _line(reading: Reading) -> bytes | None:
    try:
        return _BEHIND.join(json.dumps(part, separators=(",", ":")).encode() for part in as_plain(reading))
    except (ValueError, RecursionError):
        return None


def _whole(by: str, lines: Iterable[tuple[str, bytes | None]]) -> bytes:
    body = b"\n".join(key.encode() + b" " + line for key, line in lines if line is not None)
    return f"{_FORMAT} {by} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def _read(path: Path, by: str) -> dict[str, bytes]:
    """Each key's line in the file; none where it is not there, not ours alone, not whole, or of another reader."""
    try:
        raw = private_bytes(path)
    except OSError:
        return {}
    head, _, body = raw.partition(b"\n")
    if head != f"{_FORMAT} {by} {hashlib.sha256(body).hexdigest()}".encode():
        return {}
    return {line[:64].decode("ascii", "replace"): line[65:] for line in body.split(b"\n")}
