"""``python -m benchmarks.report results.json``: the page and the plots once more."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.report import render

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.report docs/benchmarks/results.json")
    print(render(Path(sys.argv[1])))
