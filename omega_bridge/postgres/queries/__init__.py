"""Our own SQL, as files: ``query("catalog")`` is the text of ``catalog.sql``."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def query(name: str) -> str:
    """The text of one query file, comment included."""
    return _HERE.joinpath(f"{name}.sql").read_text(encoding="utf-8")


_HERE = Path(__file__).parent
