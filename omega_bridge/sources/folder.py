"""A folder of ``.sql`` files: each is a step, in the order of the versions in their names; the first comment is its title."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from omega_bridge.errors import SourceNotFound
from omega_bridge.sources.scripts import read_sql
from omega_bridge.steps import Place, Registry, Step

Order = Literal["version", "name"]

_UNDO = re.compile(r"U\d[\d._]*__|.*\.(?:down|undo)\Z", re.I)
"""Names, without the suffix, of files that take a migration back: no steps."""
_FLYWAY = re.compile(r"[VB](\d+(?:[._]\d+)*)(?:__|\Z)", re.I)
_STAMP = re.compile(
    r"V?((?:19|20|21)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])"
    r"(?:[-_.T ]?(?:[01]\d|2[0-3])(?:[-_.:]?[0-5]\d){0,2}(?:[-_.]?\d{3}(?!\d))?)?)(?!\d)",
    re.I,
)
_NUMBER = re.compile(r"V?(\d+(?:\.\d+)*)", re.I)
_DIGITS = 20
"""As wide as a time stamp gets, so that a date stands before the hours of its day."""


def from_folder(folder: Path, shown: str | None = None, *, order: Order = "version") -> Registry:
    """Raises ``SourceNotFound`` where the folder holds no ``.sql``, ``SourceSyntaxError`` for a file that is no UTF-8."""
    found = [p for p in folder.iterdir() if p.suffix.lower() == ".sql" and p.is_file() and not _UNDO.match(p.stem)]
    files = sorted(found, key=lambda p: p.name) if order == "name" else sorted(found, key=lambda p: version_key(p.stem))
    if not files:
        raise SourceNotFound(
            f"{folder} holds no .sql files", hint="Put one statement or more into each file: 001_tenants.sql ..."
        )
    name = shown or str(folder)
    return Registry(tuple(_step(path, f"{name}/{path.name}") for path in files), name)


def version_key(name: str) -> tuple[bool, tuple[int, ...], list[str | int]]:
    """What a name is sorted by: its version, then the name with its numbers as numbers; names without a version come last.

    A version is ``V1``, ``V1.1``, ``V1_1__``, ``2``, ``010``, or a time stamp in any shape, by its digits.
    """
    natural = [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
    version = _version(name)
    return version is None, version or (), natural


def _version(name: str) -> tuple[int, ...] | None:
    if stamp := _STAMP.match(name):
        return (int(re.sub(r"\D", "", stamp[1]).ljust(_DIGITS, "0")),)
    number = _FLYWAY.match(name) or _NUMBER.match(name)
    if number is None:
        return None
    parts = [int(part) for part in re.split("[._]", number[1])]
    while len(parts) > 1 and parts[-1] == 0:
        del parts[-1]
    return tuple(parts)


def _step(path: Path, shown: str) -> Step:
    text = read_sql(path, shown)
    comment = re.match(r"\s*--+\s*(.*?)\s*(?:\r?\n|\Z)", text)
    return Step(text, id=path.stem, title=comment[1] if comment and comment[1] else None, place=Place(shown, 1))
