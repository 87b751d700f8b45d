"""What a rule has to say about a step, and what a rule is. Values only: the rules themselves are in ``rules/``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from omega_bridge.analysis.analysis import Analysis, StepAnalysis
from omega_bridge.analysis.program import Effect, statements
from omega_bridge.analysis.sizes import Size
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.steps import Place
from omega_bridge.tags import Tag

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


class Severity(StrEnum):
    """``error``: on some database the step cannot do what it is for. ``warning``: it hurts, or will. ``note``: it could be better."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule found in one step: what is so, what to do about it, and the steps to write in the place of this one.

    ``instead`` is SQL that runs, one entry a step; empty where there is nothing to write. ``line`` is 1-based within the
    step's text; ``at`` the words there that it is about. ``severity`` where this case is not as bad as the rule's others.
    ``edit``: words of the text, and what to put in their place: a rewrite that asks nobody.
    """

    step: StepAnalysis
    message: str
    hint: str
    instead: tuple[str, ...] = ()
    line: int | None = None
    severity: Severity | None = None
    at: str = ""
    edit: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a step's text the words of a finding stand: ``line`` and ``column`` are 1-based, ``length`` counts on that line."""

    line: int
    column: int
    length: int

    @classmethod
    def of(cls, text: str, at: str) -> Span | None:
        """The first place of these words; ``None`` where the text does not hold them as they are."""
        start = text.find(at) if at.strip() else -1
        if start < 0:
            return None
        first = text.rfind("\n", 0, start) + 1
        return cls(text.count("\n", 0, start) + 1, start - first + 1, len(at.partition("\n")[0].rstrip()))

    @classmethod
    def line_of(cls, text: str, line: int) -> Span | None:
        """A whole line; ``None`` for one that the text does not have."""
        lines = text.split("\n")
        words = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        return cls(line, lines[line - 1].index(words) + 1, len(words)) if words else None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule about one step. ``why`` is the rule's reason, ``hint`` ends in something to do; ``text`` is the step's.

    ``weight``: how large the table is, where that is known.
    """

    rule: str
    severity: Severity
    step: str
    message: str
    why: str
    hint: str
    instead: tuple[str, ...]
    place: Place
    text: str = field(default="", repr=False)
    span: Span | None = None
    weight: Size | None = None
    edit: tuple[str, str] | None = field(default=None, repr=False)

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "step": self.step,
            "message": self.message,
            "why": self.why,
            "hint": self.hint,
            "instead": list(self.instead),
            "place": str(self.place) if self.place.file else None,
            "file": self.place.file,
            "line": self.place.line,
            "at": None if self.span is None else {"line": self.span.line, "column": self.span.column, "length": self.span.length},
            "weight": None if self.weight is None else self.weight.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Again:
    """What a start does once more on a database that holds everything: makes ``key`` anew, or undoes what a step said of it.

    ``other`` is the index of the step that says the opposite; the step's own where it takes away and puts back itself.
    """

    key: Key
    effect: Effect
    other: int


@dataclass(frozen=True, slots=True)
class Listed:
    """The list as a rule reads it.

    The first ``models`` steps stand for tables that only the models know: they are there, and but for keys nobody judges them.
    ``waited``: by index, what a step lacks at its place when an empty database is repaired. ``again``: by index, what a
    start does once more where nothing is missing. ``catalog``: a database's, where one was read, and
    ``sizes`` how large its tables are, by their names. ``deploys``: by id, with which of the deploys so far a step came.
    """

    analysis: Analysis
    models: int = 0
    waited: Mapping[int, Key] = field(default_factory=dict)
    again: Mapping[int, Again] = field(default_factory=dict)
    catalog: Catalog | None = None
    sizes: Mapping[str, Size] = field(default_factory=dict)
    deploys: Mapping[str, int] = field(default_factory=dict)

    def steps(self) -> Iterator[tuple[int, StepAnalysis]]:
        """The list's own steps, with their index in the analysis."""
        return ((n, s) for n, s in enumerate(self.analysis) if n >= self.models)

    def meets_empty(self) -> Callable[[StepAnalysis, str], bool]:
        """Whether a step finds a table empty, most of the time: it makes the table itself, or comes with the step of the list that does.

        Not one that is known to be large by now. Of the models' own tables those count that come with it, as far as a history says so.
        """
        large = {name for name, size in self.sizes.items() if not size.is_small}
        makers: dict[str, set[str]] = {}
        for number, step in enumerate(self.analysis):
            if number >= self.models or (self.deploys and step.id not in self.deploys):
                for name in _tables(step):
                    makers.setdefault(name, set()).add(step.id)
        next_one = max(self.deploys.values(), default=-1) + 1

        def is_empty(step: StepAnalysis, table: str) -> bool:
            came = self.deploys.get(step.id, next_one)
            return table not in large and any(
                maker == step.id or self.deploys.get(maker, next_one) >= came for maker in makers.get(table, ())
            )

        return is_empty


def _tables(step: StepAnalysis) -> Iterator[str]:
    """The names of the tables that a step makes."""
    for s in statements(step.program, handlers=True):
        if s.tag in _MAKES_A_TABLE:
            yield from (e.key.name for e in s.effects if e.present and e.key.kind in (Kind.TABLE, Kind.MATERIALIZED_VIEW))


_MAKES_A_TABLE = (Tag.CREATE, Tag.CREATE_TABLE_AS, Tag.RENAME)

Check = Callable[[Listed], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name (kebab-case, that of its module), how bad it is, why, and the function that finds it."""

    name: str
    severity: Severity
    why: str
    check: Check

    def findings(self, listed: Listed) -> Iterator[Finding]:
        """What the rule has to say about the list."""
        for hit in self.check(listed):
            text = hit.step.step.sql
            span = Span.of(text, hit.at) or (Span.line_of(text, hit.line) if hit.line else None)
            yield Finding(
                self.name,
                hit.severity or self.severity,
                hit.step.id,
                hit.message,
                self.why,
                hit.hint,
                hit.instead,
                _place(hit.step.step.place, span.line if span else hit.line),
                text,
                span,
                edit=hit.edit,
            )


def _place(place: Place, line: int | None) -> Place:
    """In a ``.sql`` file the step's text is the file's: the line within is the line there."""
    if line is None or place.file is None or place.line is None or not place.file.endswith(".sql"):
        return place
    return Place(place.file, place.line + line - 1)
