"""The general rules of squawk (squawkhq.com), over each statement of a list on its own, out of ``DO`` blocks too.

squawk is a program of its own, which the extra ``squawk`` brings along. What it says is a note: it sees a statement without its guard, and
without the rest of the list. What the rules here know better, since they see both, is not asked of it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omega_bridge.analysis import Analysis
from omega_bridge.analysis.findings import Finding, Severity, Span
from omega_bridge.analysis.secrets import secrets
from omega_bridge.analysis.written import written
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.lint import FOREIGN, ignored_in

TIMEOUT = 120.0
"""Seconds for the whole list."""

_OURS = frozenset(
    {
        "adding-field-with-default",
        "adding-foreign-key-constraint",
        "adding-not-nullable-field",
        "adding-required-field",
        "adding-serial-primary-key-field",
        "ban-concurrent-index-creation-in-transaction",
        "ban-drop-column",
        "ban-drop-not-null",
        "ban-drop-function",
        "ban-drop-table",
        "ban-drop-type",
        "ban-drop-view",
        "ban-truncate-cascade",
        "ban-uncommitted-transaction",
        "changing-column-type",
        "constraint-missing-not-valid",
        "disallowed-unique-constraint",
        "identifier-too-long",
        "prefer-robust-stmts",
        "renaming-column",
        "renaming-object",
        "renaming-table",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
        "require-lock-timeout",
        "require-statement-timeout",
        "require-timeout-settings",
        "syntax-error",
        "transaction-nesting",
    }
)
"""Rules of squawk about guards, locks, releases and time limits: those here see the guard and the list, and a start sets the limits."""


@dataclass(frozen=True, slots=True)
class _Asked:
    step: str
    text: str
    statement: str


def squawk(
    analysis: Analysis, *, models: int = 0, select: Collection[str] = (), ignore: Collection[str] = ()
) -> tuple[Finding, ...]:
    """What squawk says of the list's statements, in the list's order; rules are named ``squawk-<its name>``.

    Steps with a secret in their text are not handed to it. Raises ``ConfigurationInvalid`` where it is not installed or cannot be run.
    """
    places = {step.id: step.step.place for step in analysis.steps[models:]}
    asked = [
        _Asked(step.id, step.step.sql, w.sql.text)
        for step in analysis.steps[models:]
        if not any(secrets(step.step.sql))
        for w in written(step)
    ]
    found = []
    for number, said in _run([a.statement for a in asked]):
        about = asked[number]
        rule = f"{FOREIGN}{said['rule_name']}"
        if said["rule_name"] in _OURS or rule in ignore or rule in ignored_in(about.text) or (select and rule not in select):
            continue
        found.append(
            Finding(
                rule,
                Severity.NOTE,
                about.step,
                str(said["message"]).rstrip("."),
                "A rule of squawk, over the statement on its own.",
                str(said.get("help") or f"See https://squawkhq.com/docs/{said['rule_name']}"),
                (),
                places[about.step],
                about.text,
                _span(about, said),
            )
        )
    return tuple(found)


def _span(about: _Asked, said: dict[str, Any]) -> Span | None:
    start = Span.of(about.text, about.statement)
    if start is None:
        return None
    line = int(said["line"])
    words = about.statement.split("\n")[line] if line <= about.statement.count("\n") else ""
    column = _characters(words, int(said["column"]))
    last = _characters(words, int(said["column_end"])) if said.get("line_end") == line else len(words)
    return Span(start.line + line, column + (start.column if line == 0 else 1), max(1, last - column))


def _characters(words: str, count: int) -> int:
    """squawk counts bytes."""
    return len(words.encode()[:count].decode(errors="ignore"))


def _run(statements: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What it says of each, by the statement's number."""
    if not statements:
        return
    with tempfile.TemporaryDirectory() as folder:
        for number, statement in enumerate(statements):
            (Path(folder) / f"{number:06}.sql").write_text(f"{statement};\n", encoding="utf-8")
        told = _told([_program(), "--reporter", "json", "*.sql"], folder)
    try:
        for said in json.loads(told or "[]"):
            yield int(Path(said["file"]).stem), said
    except (ValueError, KeyError, TypeError) as exc:
        raise ConfigurationInvalid(
            f"what squawk prints is not understood: {exc}", hint="Install a version that is: pip install 'omega-bridge[squawk]'."
        ) from exc


def _told(command: list[str], folder: str) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ConfigurationInvalid(
            f"squawk cannot be run: {exc}", hint="Install it anew: pip install 'omega-bridge[squawk]'."
        ) from exc
    if not done.stdout and done.returncode not in (0, 1):
        raise ConfigurationInvalid(
            f"squawk ended with {done.returncode}: {done.stderr.strip()[:200]}",
            hint="Install a version that is known: pip install 'omega-bridge[squawk]'.",
        )
    return done.stdout


def _program() -> str:
    """Beside this Python, else on the PATH. Raises ``ConfigurationInvalid`` where it is in neither place."""
    found = shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")
    if found is None:
        raise ConfigurationInvalid("squawk is not installed", hint="pip install 'omega-bridge[squawk]'")
    return found
