"""constraints.txt with each of our own dependencies at the floor of its range, for the Python that runs this."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
BESIDE = {"psycopg-binary": "psycopg", "click": "8.1.8"}
"""What has to go with a floor: psycopg's own speedups, and the click of typer's floor (a later one warns, and warnings are errors)."""


def floors() -> dict[str, str]:
    """By name: the lowest version that pyproject.toml allows here."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = [Requirement(text) for text in tomllib.load(file)["project"]["dependencies"]]
    found = {
        r.name: next(s.version for s in r.specifier if s.operator == ">=")
        for r in listed
        if r.marker is None or r.marker.evaluate()
    }
    return found | {name: found.get(of, of) for name, of in BESIDE.items()}


def main() -> None:
    """Print the constraints; with ``--told``, what of them is installed."""
    lowest = floors()
    if "--told" in sys.argv:
        print("lowest:", ", ".join(f"{name} {version(name)}" for name in sorted(lowest)))
        return
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name = re.split("[=#]", line, maxsplit=1)[0].strip().lower().replace("_", "-")
        if name not in lowest:
            print(line)
    for name, floor in lowest.items():
        print(f"{name}=={floor}")


main()
