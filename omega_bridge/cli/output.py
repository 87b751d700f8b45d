"""How verbs print: JSON and plain tables on stdout, progress and logs on stderr, colour only on a terminal.

The environment has the last word on colour: ``NO_COLOR``, ``FORCE_COLOR``, ``TERM=dumb`` (no-color.org, force-color.org).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

import typer

_COLOURS = {
    "applied": typer.colors.GREEN,
    "repaired": typer.colors.GREEN,
    "current": typer.colors.GREEN,
    "equivalent": typer.colors.GREEN,
    "failed": typer.colors.RED,
    "degraded": typer.colors.YELLOW,
    "no-effect": typer.colors.YELLOW,
    "refused": typer.colors.YELLOW,
    "refuse": typer.colors.YELLOW,
    "run": typer.colors.CYAN,
    "error": typer.colors.RED,
    "warning": typer.colors.YELLOW,
    "note": typer.colors.CYAN,
    "ok": typer.colors.GREEN,
    "missing": typer.colors.RED,
    "different": typer.colors.YELLOW,
    "unwanted": typer.colors.YELLOW,
}


def as_json(value: object) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def as_toml(value: object) -> str:
    """A value as a configuration file has it."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def aside(text: str) -> None:
    """A line on stderr; nothing where there is nothing to tell."""
    if text:
        typer.echo(text, err=True)


def colour_asked() -> bool | None:
    """Whether the environment forbids colour or asks for it; ``None`` where it says nothing."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0", "false"):
        return True
    return False if os.environ.get("TERM") == "dumb" else None


def has_colour(stream: TextIO) -> bool:
    """Whether what goes to this stream is coloured."""
    asked = colour_asked()
    return stream.isatty() if asked is None else asked


def painted(word: str, stream: TextIO | None = None) -> str:
    """A word in its colour, where the stream is a terminal."""
    target = stream or sys.stdout
    colour = _COLOURS.get(word)
    return typer.style(word, fg=colour, bold=True) if colour and has_colour(target) else word


def table(cells: Iterable[Sequence[object]], header: Sequence[str]) -> None:
    """Aligned columns on stdout; the last one is as long as it likes."""
    for line in rows(cells, header):
        print(line)


def rows(cells: Iterable[Sequence[object]], header: Sequence[str]) -> Iterator[str]:
    """The lines of a table."""
    texts = [[str(cell) for cell in row] for row in cells]
    widths = [max((len(r[i]) for r in (list(header), *texts)), default=0) for i in range(len(header))]
    for number, row in enumerate((list(header), *texts)):
        padded = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        painted_row = [
            painted(cell.strip()) + " " * (len(cell) - len(cell.strip())) if cell.strip() in _COLOURS else cell for cell in padded
        ]
        line = "  ".join([*painted_row, row[-1]])
        yield typer.style(line, dim=True) if number == 0 and has_colour(sys.stdout) else line


def log_to_stderr(*, quiet: bool = False, silent: bool = False) -> None:
    """The boot's log on stderr, as a service would show it; ``quiet``: warnings only. ``silent``: nothing, since all of it is of
    scratch databases, and the verb says itself what it found there.
    """
    import logging

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("omega_bridge")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.CRITICAL if silent else logging.WARNING if quiet else logging.INFO)
    logger.propagate = False


def _unseen(_n: int) -> None:
    """Nobody watches."""


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], object]]:
    """A progress bar on stderr for what takes long; silent where stderr is not a terminal, or one that cannot go back. Yields ``advance(n)``."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield _unseen
        return
    with typer.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update
