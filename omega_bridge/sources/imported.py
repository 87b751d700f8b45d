"""A list that is imported: the safe form where Python computes the steps. Titles and places come from the source text."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from omega_bridge.errors import ModuleFailed, NotAList, OmegaBridgeError, SourceNotFound
from omega_bridge.sources.text import from_text
from omega_bridge.steps import Registry, Step
from omega_bridge.user_code import importing


def from_module(module: str, attribute: str, paths: Sequence[Path] = ()) -> Registry:
    """Import ``module`` (with ``paths`` in front of ``sys.path`` meanwhile) and take its list.

    The attribute may be a list, a ``Registry``, or a callable without arguments. Raises ``SourceNotFound``, ``NotAList``.
    """
    with importable(paths):
        try:
            with importing(f"{module}, which has the list,"):
                found: Any = importlib.import_module(module)
        except ModuleFailed as failed:
            exc = failed.__cause__
            if not isinstance(exc, ImportError):
                raise
            raise SourceNotFound(
                f"{module} cannot be imported: {exc}",
                hint="Check the name, and python-path in [tool.omega-bridge]; or read it as text: path/to/file.py:variable.",
            ) from exc
        file = getattr(found, "__file__", None)
        for part in attribute.split("."):
            if not hasattr(found, part):
                near = get_close_matches(part, dir(found), n=1)
                raise SourceNotFound(
                    f"{module} has no {attribute!r}",
                    hint=f"Did you mean {near[0]!r}?" if near else "Name the variable that holds the list.",
                )
            found = getattr(found, part)
        if callable(found) and not isinstance(found, Registry):
            try:
                found = found()
            except TypeError as exc:
                raise NotAList(
                    f"{module}:{attribute} cannot be called without arguments: {exc}",
                    hint="Name the list, or a function without arguments that returns it.",
                ) from exc
    return _placed(Registry.of(found, f"{module}:{attribute}"), file, attribute)


@contextmanager
def importable(paths: Sequence[Path]) -> Iterator[None]:
    """With ``paths`` in front of ``sys.path``."""
    added = [str(p.resolve()) for p in paths]
    sys.path[:0] = added
    try:
        yield
    finally:
        for path in added:
            sys.path.remove(path)


def _placed(registry: Registry, file: str | None, attribute: str) -> Registry:
    """Titles and places by matching content with the module's text, where that can be read."""
    if file is None or not file.endswith(".py"):
        return registry
    path = Path(file)
    shown = path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
    try:
        written = from_text(path, attribute, shown=shown)
    except OmegaBridgeError:
        return registry
    by_text: dict[str, list[Step]] = {}
    for step in written:
        by_text.setdefault(step.sql, []).append(step)
    return Registry(
        tuple(
            replace(step, title=step.title or match.title, place=match.place)
            if (same := by_text.get(step.sql)) and (match := same.pop(0) if len(same) > 1 else same[0])
            else step
            for step in registry
        ),
        registry.source,
    )
