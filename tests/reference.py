"""The tables of options in docs/reference.md: arguments of ``boot``, keys of the configuration, options of the verbs.

``python -m tests.reference`` writes them; a test holds the page against them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from omega_bridge.cli import app
from omega_bridge.options import BOOT, FILE, STEP_FLAGS, Option, takes

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
COMMAND = "python -m tests.reference"


def arguments() -> Iterator[str]:
    """Of ``boot``, but for what is no plain value."""
    yield from _table(
        ("argument", "takes", "default", "meaning"),
        ((f"`{name}`", takes(o, in_python=True), f"`{o.default!r}`", _linked(o.help)) for name, o in BOOT.items()),
    )


def keys() -> Iterator[str]:
    """Of ``[tool.omega-bridge]``."""
    flags = [(f"step.<id>.{o.name}", o) for o in STEP_FLAGS]
    yield from _table(
        ("key", "takes", "default", "meaning"),
        ((f"`{name}`", takes(o), _default(o), _linked(o.help)) for name, o in (*FILE.items(), *flags)),
    )


def options() -> Iterator[str]:
    """Of the command line: each with the verbs that take it; those that many take come first."""
    found: dict[tuple[str, str], list[str]] = {}
    for verb, parameter, context in _parameters():
        told = parameter.get_help_record(context)
        if told is not None and not {"--help", "--install-completion", "--show-completion"} & set(parameter.opts):
            found.setdefault(told, []).append(verb)
    yield from _table(
        ("option", "of", "meaning"),
        (
            (f"`{option}`", _of(verbs), _linked(words))
            for (option, words), verbs in sorted(found.items(), key=lambda one: -min(len(one[1]), 2))
        ),
    )


def _parameters() -> Iterator[tuple[str, Any, Any]]:
    for verb in app.VERBS:
        command = app._load(verb)
        for name, one in getattr(command, "commands", {"": command}).items():
            context = typer.Context(one, info_name=verb)
            yield from (
                (f"{verb} {name}".strip(), parameter, context)
                for parameter in one.params
                if parameter.param_type_name == "option"
            )


def _of(verbs: list[str]) -> str:
    every = list(dict.fromkeys(verb for verb, _, _ in _parameters()))
    others = [verb for verb in every if verb not in verbs]
    told = f"every verb but {', '.join(others)}" if others else "every verb"
    return told if len(others) < len(verbs) / 2 else ", ".join(verbs)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from (_row(header), _row("---" for _ in header))
    yield from map(_row, rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(option: Option) -> str:
    return "" if option.default in (None, ()) else f"`{str(option.default).lower()}`"


def _linked(words: str) -> str:
    return re.sub(r"OB\d{3}", r"[\g<0>](errors/\g<0>.md)", " ".join(words.split()))


TABLES = {"arguments": arguments, "keys": keys, "options": options}


def written(text: str) -> str:
    """The page with the tables as they are now."""
    for name, lines in TABLES.items():
        begin, end = f"<!-- {name}: {COMMAND} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{chr(10).join(lines())}\n\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
