"""A folder of ``.sql`` files: each is a step, in natural order of the names; the first comment is its title."""

from __future__ import annotations

import re
from pathlib import Path

from omega_bridge.errors import SourceNotFound
from omega_bridge.steps import Place, Registry, Step


def from_folder(folder: Path, shown: str | None = None) -> Registry:
    """Raises ``SourceNotFound`` where the folder holds no ``.sql``."""
    files = sorted(folder.glob("*.sql"), key=lambda p: [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", p.name)])
    if not files:
        raise SourceNotFound(
            f"{folder} holds no .sql files", hint="Put one statement or more into each file: 001_tenants.sql ..."
        )
    name = shown or str(folder)
    return Registry(tuple(_step(path, f"{name}/{path.name}") for path in files), name)


def _step(path: Path, shown: str) -> Step:
    text = path.read_bytes().decode("utf-8-sig")
    comment = re.match(r"\s*--+\s*(.*?)\s*(?:\r?\n|\Z)", text)
    return Step(text, id=path.stem, title=comment[1] if comment and comment[1] else None, place=Place(shown, 1))
