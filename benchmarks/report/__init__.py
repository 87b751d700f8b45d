"""Numbers to a Markdown page and plots; every word that depends on a number is computed from it.

``python -m benchmarks.report docs/benchmarks/results.json`` renders again what was measured before.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.report.page import page
from benchmarks.report.plots import plots

__all__ = ["render", "write"]


def write(found: dict[str, Any], folder: Path) -> Path:
    """Write results.json, README.md and the plots; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.json"
    results.write_text(json.dumps(_rounded(found), indent=1) + "\n")
    return render(results)


def render(results: Path) -> Path:
    """Write README.md and the plots beside a results.json; the page's path."""
    found = json.loads(results.read_text())
    drawn = plots(found, results.parent)
    path = results.parent / "README.md"
    path.write_text(page(found, drawn))
    return path


def _rounded(value: Any) -> Any:
    """Seconds to the microsecond."""
    match value:
        case float():
            return round(value, 6)
        case dict():
            return {key: _rounded(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_rounded(inner) for inner in value]
    return value
