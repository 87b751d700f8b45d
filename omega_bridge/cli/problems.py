"""What verbs have to tell of a list or a database, in one form: where it stands in a file, and how it is shown to a person.

The other forms are ``formats``. What a problem shows of a step is the text without its secrets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from omega_bridge.cli import output

if TYPE_CHECKING:
    from omega_bridge.analysis.findings import Finding
    from omega_bridge.audit.drift import Drift
    from omega_bridge.audit.gate import Check
    from omega_bridge.steps import Place

SEVERITIES = ("error", "warning", "note")
NOTES_SHOWN = 2
"""Of one rule in full; the steps of the others are named behind."""
WIDTH = 140
_NEAR = 8
"""Lines within which an entry's text begins, behind the line of the entry itself."""


class Format(StrEnum):
    """How problems are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a file: ``line`` and ``column`` are 1-based, ``end`` is the column behind the last character; 0 where unknown."""

    file: str
    line: int
    column: int = 0
    end: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to tell. ``subject`` is a step's id or an object; ``code`` the line that it is about, and the caret's place in it.

    ``where``: what it stands in, where that is no line of a file.
    """

    rule: str
    severity: str
    subject: str
    message: str
    hint: str = ""
    why: str = ""
    instead: tuple[str, ...] = ()
    spot: Spot | None = None
    code: tuple[str, int, int] | None = None
    weight: str = ""
    where: str = ""

    @property
    def told(self) -> str:
        """The message with its subject."""
        return f"{self.subject}: {self.message}" if self.subject else self.message


@dataclass
class Sources:
    """The lines of the files that steps stand in, read once; none of one that is not there."""

    root: Path
    listed: str = ""
    """Where the list is written, for steps of which no line is known."""
    _read: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def lines(self, file: str) -> tuple[str, ...]:
        """The file's lines, without their ends."""
        if file not in self._read:
            try:
                self._read[file] = tuple((self.root / file).read_text(encoding="utf-8").split("\n"))
            except (OSError, UnicodeDecodeError):
                self._read[file] = ()
        return self._read[file]


def of_findings(findings: Iterable[Finding], sources: Sources) -> list[Problem]:
    """Findings of lint, each with its place in the file."""
    return [_of(finding, sources) for finding in findings]


def _of(finding: Finding, sources: Sources) -> Problem:
    spot = _spot(finding.place)
    code = None
    if finding.span is not None:
        line, column, length = finding.span.line, finding.span.column, finding.span.length
        text = finding.text.split("\n")
        code = (text[line - 1], column - 1, length)
        if spot is not None and (found := _line_in_file(text, line, spot, sources.lines(spot.file))):
            begins = found[1] + column
            spot = Spot(spot.file, found[0], begins, begins + length)
    return Problem(
        finding.rule,
        str(finding.severity),
        finding.step,
        finding.message,
        finding.hint,
        finding.why,
        finding.instead,
        spot,
        code,
        str(finding.weight or ""),
        finding.place.file or sources.listed,
    )


def _line_in_file(text: Sequence[str], line: int, spot: Spot, file: Sequence[str]) -> tuple[int, int] | None:
    """The file's line with this line of the step, and what stands in front of it there.

    Only where the file holds the step's text from its first line to this one as it is: no escape, no pieces put together.
    """
    first = next((n for n, words in enumerate(text) if words.strip()), 0)
    begin = 0 if spot.file.endswith(".sql") else spot.line - 1
    for start in range(begin, min(begin + _NEAR, len(file) - line + 1)):
        if all(words.rstrip() in file[start + n] for n, words in enumerate(text[first:line], start=first)):
            at = file[start + line - 1].find(text[line - 1].rstrip())
            return start + line, at
    return None


def of_drift(found: Drift) -> list[Problem]:
    """Differences of a database, at the steps that make it otherwise, and steps that stand failed."""
    problems = [
        Problem(
            f"drift-{d.what}",
            "error",
            d.by,
            str(d),
            f"Append to the list: {d.instead}" if d.instead else _at_start(d.is_repaired),
            spot=_spot(d.place),
        )
        for d in found.differences
    ]
    return problems + [
        Problem(f"step-{s['outcome']}", "error", str(s["id"]), f"stands {s['outcome']}: {s['reason']}") for s in found.standing
    ]


def _at_start(is_repaired: bool | None) -> str:
    if is_repaired is None:
        return "The next start tries it again."
    return "The next start puts it back." if is_repaired else "No start puts it back: say in a step what is meant."


def of_checks(checks: Iterable[Check], sources: Sources) -> list[Problem]:
    """Findings, and the checks that say no."""
    problems: list[Problem] = []
    for check in checks:
        if check.findings:
            problems += of_findings(check.findings, sources)
        elif not check.ok:
            problems.append(Problem(f"check-{check.name}", "error", "", check.told))
    return problems


def _spot(place: Place) -> Spot | None:
    return None if place.file is None or place.line is None else Spot(place.file, place.line)


def print_for_programs(problems: Sequence[Problem], form: Format) -> None:
    """SARIF, or annotations for GitHub, on stdout."""
    from omega_bridge.cli import formats

    if form is Format.SARIF:
        output.as_json(formats.sarif(problems))
    else:
        for line in formats.github(problems):
            typer.echo(line)


# --- for a person ----------------------------------------------------------------------------------------------


def show(problems: Sequence[Problem], *, instead: bool = False, all_notes: bool = False) -> None:
    """Each problem with its line and a caret, the hint, and a closing count. Notes that repeat are named together at the end."""
    told, left = _apart(problems, all_notes=all_notes)
    for problem in told:
        typer.echo("\n".join(_lines(problem, output.painted, instead=instead)))
    for rule, others in left.items():
        steps = ", ".join(p.subject for p in others)
        typer.echo(f"{output.painted('note')} {rule}: {len(others)} more: {_cut(steps)} (all of them: --select {rule})")
    counts = Counter(p.severity for p in problems)
    typer.echo(", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word in SEVERITIES if (n := counts[word])) or "no findings")


def _apart(problems: Sequence[Problem], *, all_notes: bool) -> tuple[list[Problem], dict[str, list[Problem]]]:
    shown: Counter[str] = Counter()
    told: list[Problem] = []
    left: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.severity == "note" and not all_notes:
            shown[problem.rule] += 1
            if shown[problem.rule] > NOTES_SHOWN:
                left.setdefault(problem.rule, []).append(problem)
                continue
        told.append(problem)
    return told, left


def _lines(problem: Problem, painted: Callable[[str], str], *, instead: bool) -> Iterator[str]:
    place = f"{problem.spot or problem.where or '(no source)'}: "
    yield f"{place}{painted(problem.severity)} {problem.rule}: {problem.told}"
    if problem.code is not None:
        yield from _source(problem)
    if problem.weight:
        yield f"    weight: {problem.weight}"
    if instead and problem.why:
        yield f"    why: {problem.why}"
    if problem.hint:
        yield f"    hint: {problem.hint}"
    for text in problem.instead if instead else ():
        yield "    instead:"
        yield from (f"        {line}".rstrip() for line in text.splitlines())


def _source(problem: Problem) -> Iterator[str]:
    """The line and a caret under it; of a long line, what stands around the place."""
    assert problem.code is not None
    text, start, length = problem.code
    text = text.replace("\t", " ")
    indent = len(text) - len(text.lstrip())
    begin = max(min(indent, start), start - WIDTH // 2)
    shown = text[begin : begin + WIDTH].rstrip()
    number = str(problem.spot.line) if problem.spot is not None and problem.spot.column else ""
    yield f"    {number:>5} | {shown}"
    yield f"    {'':>5} | {' ' * (start - begin)}{'^' * max(1, min(length, len(shown) - start + begin))}"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 4]} ..."
