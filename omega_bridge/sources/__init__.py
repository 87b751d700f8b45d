"""A registry from an importable object, from source text (nothing imported), or from a folder of ``.sql``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.errors import SourceNotFound
from omega_bridge.steps import Registry

if TYPE_CHECKING:
    from omega_bridge.sources.folder import Order


def load(source: str, *, root: Path = Path(), python_path: Sequence[Path] = (), order: Order = "version") -> Registry:
    """The list that ``source`` names.

    ``package.module:attribute`` is imported; ``path/to/main.py:variable`` is read as text; anything else is a folder,
    whose files stand in ``order``.
    Raises ``SourceNotFound``, ``NotAList``, ``DynamicStep``, ``SourceSyntaxError``, ``DuplicateStepId``.
    """
    from omega_bridge.sources.folder import from_folder  # a start has its list, and needs none of these
    from omega_bridge.sources.imported import from_module
    from omega_bridge.sources.text import from_text

    before, colon, name = source.rpartition(":")
    if colon and before.endswith(".py"):
        return from_text(root / before, name, shown=before)
    if (root / source).is_dir():
        return from_folder(root / source, shown=source, order=order)
    if colon and "/" not in before:
        return from_module(before, name, (root, *python_path))
    raise SourceNotFound(
        f"{source!r} names no list of steps",
        hint="Use package.module:attribute, path/to/main.py:variable, or a folder of .sql files.",
    )
