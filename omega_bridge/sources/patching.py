"""Steps written anew where they stand: in a Python file's literals, or in files of ``.sql``. Nothing is written here.

What comes out is read again, and counts only where it gives the list that was meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from omega_bridge.errors import OmegaBridgeError
from omega_bridge.sources.text import parse_list
from omega_bridge.steps import Step

_NEAR = 8
"""Lines within which a text begins, behind the line of its entry."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Files by their names as shown, before and after; and the places of the steps whose text does not stand in one as it is."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    left: tuple[int, ...]

    def __str__(self) -> str:
        """A unified diff."""
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for name in sorted(self.after)
            for line in unified_diff(
                self.before[name].splitlines(keepends=True),
                self.after[name].splitlines(keepends=True),
                f"a/{name}",
                f"b/{name}",
            )
        )


def patch(source: str, root: Path, steps: Sequence[Step], rewrites: Mapping[int, Step]) -> Patch:
    """The files of a list with some of its steps in another text. ``rewrites``: by the place of the step."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    left: list[int] = []
    done: dict[int, Step] = {}
    for index in sorted(rewrites, reverse=True):  # from the end, so that lines in front stay where they are
        step = steps[index]
        file, line = step.place.file, step.place.line
        content = None if file is None else after.get(file) or _content(root / file)
        if file is None or content is None or line is None:
            left.append(index)
            continue
        meant = [(done | {index: rewrites[index]}).get(n, s).sql for n, s in enumerate(steps)]
        for new in _replaced(content, line, step.sql, rewrites[index].sql):
            if not file.endswith(".py") or _reads_as(new, source.rpartition(":")[2], meant, file):
                before.setdefault(file, content)
                after[file] = new
                done[index] = rewrites[index]
                break
        else:
            left.append(index)
    return Patch(before, after, tuple(sorted(left)))


def _content(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None


def _replaced(content: str, line: int, before: str, after: str) -> Iterator[str]:
    """The file with the text that begins at that line, or a few behind it, replaced: as it is quoted there, then in triple quotes."""
    lines = content.splitlines(keepends=True)
    start = sum(map(len, lines[: line - 1]))
    at = content.find(before, start)
    near = start + sum(map(len, lines[line - 1 : line - 1 + _NEAR]))
    if 0 <= at <= near:
        end = at + len(before)
        yield f"{content[:at]}{after}{content[end:]}"
        if at > 0 and end < len(content) and content[at - 1] == content[end] == "'":
            yield f'{content[: at - 1]}"""{after}"""{content[end + 1 :]}'


def _reads_as(content: str, variable: str, meant: Sequence[str], file: str) -> bool:
    """Whether Python reads the texts that are meant from the file."""
    try:
        read = parse_list(content, variable, file)
    except OmegaBridgeError:
        return False
    return [s.sql for s in read] == list(meant)
