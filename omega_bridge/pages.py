"""The documentation's pages on error codes and rules, as the wheel carries them; in a checkout, those under ``docs/``."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_CODE = re.compile(r"OB\d{3}", re.IGNORECASE)
_RULE = re.compile(r"[a-z][a-z0-9-]*")


def page(name: str) -> tuple[str, str] | None:
    """``("error", text)`` for a code such as ``OB301``, ``("rule", text)`` for a rule's name; ``None`` for another word."""
    if _CODE.fullmatch(name):
        kind, file = "error", _folder("errors") / f"{name.upper()}.md"
    elif _RULE.fullmatch(name):
        kind, file = "rule", _folder("rules") / f"{name}.md"
    else:
        return None
    return (kind, file.read_text(encoding="utf-8")) if file.is_file() else None


def _folder(name: str) -> Traversable:
    shipped = files("omega_bridge") / "pages" / name
    return shipped if shipped.is_dir() else Path(__file__).parents[1] / "docs" / name
