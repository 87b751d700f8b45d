"""A generated list as values: entries that can be taken apart, where the database began, what a hand did to it afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from omega_bridge.steps import Registry, Step


class Rows(StrEnum):
    """What an entry does with rows: nothing, nothing else, or that among other things."""

    NONE = "schema"
    ONLY = "data"
    TOO = "mixed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list. ``parts`` are its statements, and can be left out one by one; ``head`` and ``tail`` stand around them.

    ``repeats`` says that its rows differ after each run (``n = n + 1``).
    """

    parts: tuple[str, ...]
    head: str = ""
    tail: str = ""
    rows: Rows = Rows.NONE
    destructive: bool = False
    repeats: bool = False
    family: str = ""

    @property
    def text(self) -> str:
        """The SQL as it stands in the list."""
        return self.head + "; ".join(self.parts) + self.tail


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, the SQL that made the database before it came, and the damage that came after its first start."""

    name: str
    entries: tuple[Entry, ...]
    start: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def texts(self) -> list[str]:
        """The entries as text."""
        return [e.text for e in self.entries]

    @property
    def repeats(self) -> bool:
        """Whether every start changes its rows once more."""
        return any(e.repeats for e in self.entries)

    def registry(self) -> Registry:
        """The list as a service would hand it over; what destroys is marked as allowed to."""
        return Registry(tuple(Step(e.text, id=f"s{n}", destructive=e.destructive) for n, e in enumerate(self.entries)))

    def as_toml(self, why: str, checks: tuple[str, ...]) -> str:
        """The list as a case file."""
        lines = ["[[case]]", f"id = {_quoted(self.name)}", f"why = {_quoted(why)}"]
        if self.start:
            lines.append(f"start = {_quoted('; '.join(self.start))}")
        lines.append("steps = [\n" + "".join(f"    {_quoted(t)},\n" for t in self.texts) + "]")
        if free := [n for n, e in enumerate(self.entries) if e.destructive]:
            lines.append(f"destructive = {free}")
        if self.damage:
            lines.append(f"damage = {_quoted('; '.join(self.damage))}")
        if checks:
            lines.append(f"checks = {json.dumps(checks)}")
        return "\n".join(lines) + "\n"

    def with_entries(self, entries: tuple[Entry, ...]) -> Listed:
        """The same with other entries."""
        return replace(self, entries=entries)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
