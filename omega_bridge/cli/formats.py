"""Problems for other programs: SARIF 2.1.0 (OASIS), and annotations of GitHub's workflow commands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from omega_bridge import __version__
from omega_bridge.pages import page

if TYPE_CHECKING:
    from omega_bridge.cli.problems import Problem

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def sarif(problems: Sequence[Problem]) -> dict[str, object]:
    """A SARIF log of one run. Columns count characters; files are relative to where the configuration stands."""
    rules = list(dict.fromkeys(p.rule for p in problems))
    first = {p.rule: p for p in reversed(problems)}
    driver = {
        "name": "omega-bridge",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(first[name]) for name in rules],
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(p, rules.index(p.rule)) for p in problems],
            }
        ],
    }


def _rule(problem: Problem) -> dict[str, Any]:
    found = page(problem.rule)
    rule: dict[str, Any] = {"id": problem.rule, "defaultConfiguration": {"level": problem.severity}}
    if problem.why:
        rule["shortDescription"] = {"text": problem.why}
    if found is not None:
        rule["help"] = {"text": found[1], "markdown": found[1]}
    return rule


def _result(problem: Problem, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": problem.severity,
        "message": {"text": " ".join(part for part in (f"{problem.told.rstrip('.')}.", problem.hint) if part)},
        "partialFingerprints": {"step/v1": _fingerprint(problem)},
    }
    location: dict[str, Any] = {}
    if problem.spot is not None:
        region: dict[str, Any] = {"startLine": problem.spot.line}
        if problem.spot.column:
            region |= {"startColumn": problem.spot.column, "endColumn": problem.spot.end}
            if problem.code is not None:
                region["snippet"] = {"text": problem.code[0]}
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(problem.spot.file)}, "region": region}
    if problem.subject:
        location["logicalLocations"] = [{"name": problem.subject}]
    if location:
        result["locations"] = [location]
    return result


def _fingerprint(problem: Problem) -> str:
    """The same for the same thing, wherever it stands in the file."""
    return hashlib.sha256(f"{problem.rule}\0{problem.subject}\0{problem.message}".encode()).hexdigest()[:32]


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file.replace("\\", "/"))


def github(problems: Iterable[Problem]) -> list[str]:
    """One workflow command a problem: ``::warning file=...,line=...::text``."""
    return [_annotation(problem) for problem in problems]


def _annotation(problem: Problem) -> str:
    values: dict[str, object] = {}
    if problem.spot is not None:
        values |= {"file": problem.spot.file, "line": problem.spot.line}
        if problem.spot.column:
            values |= {"col": problem.spot.column, "endColumn": problem.spot.end}
    values["title"] = problem.rule
    given = ",".join(f"{name}={_property(str(value))}" for name, value in values.items())
    return f"::{_COMMANDS[problem.severity]} {given}::{_data(problem.told + (chr(10) + problem.hint if problem.hint else ''))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
