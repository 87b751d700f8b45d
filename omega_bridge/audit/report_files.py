"""The report as files: a page to read, JSON, and two tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from mako.template import Template

from omega_bridge import writing
from omega_bridge.audit.report import Report
from omega_bridge.ledger import Entry

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


_TEMPLATES = resources.files("omega_bridge.audit") / "templates"


def write(report: Report, folder: Path) -> tuple[Path, ...]:
    """``report.html``, ``report.json``, ``revisions.csv``, ``ledger.csv``; what was there of those names is replaced."""
    writing.write(folder / "report.html", page(report))
    writing.write(folder / "report.json", json.dumps(report.as_dict(), ensure_ascii=False, indent=2) + "\n")
    _table(folder / "revisions.csv", [line.as_dict() for line in report.lines])
    _table(folder / "ledger.csv", [entry.as_dict() for entry in report.entries])
    return tuple(folder / name for name in ("report.html", "report.json", "revisions.csv", "ledger.csv"))


def page(report: Report) -> str:
    """The page, whole in one file: no script, nothing that is loaded. Every value is escaped."""
    text = (_TEMPLATES / "report.html.mako").read_text(encoding="utf-8")
    return str(Template(text, default_filters=["h"], strict_undefined=True).render(report=report, told=_told))


def _told(entry: Entry) -> str:
    """What an entry is about, with the server's error where there is one."""
    error = entry.draft.detail.get("error")
    return f"{entry.told} ({error.get('sqlstate')}: {error.get('message')})" if isinstance(error, dict) else entry.told


def _table(path: Path, rows: Sequence[JsonObject]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0] if rows else ())
    writer.writerows(map(_cell, row.values()) for row in rows)
    writing.write(path, text.getvalue())


def _cell(value: object) -> str:
    """A value as text that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    if value is None:
        return ""
    text = (
        " ".join(map(str, value))
        if _is_list(value)
        else json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict)
        else str(value)
    )
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _is_list(value: object) -> TypeGuard[Iterable[object]]:
    return isinstance(value, Iterable) and not isinstance(value, str | dict)
