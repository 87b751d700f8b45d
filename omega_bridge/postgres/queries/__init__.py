"""Our own SQL, as files: ``query("catalog")`` is the text of ``catalog.sql``."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def query(name: str) -> str:
    """The text of one query file, comment included."""
    return resources.files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
