"""Places and titles for a list that was passed as plain strings: found again in the source of the module that holds it.

Only a boot that has something to repair asks for it, so a start with nothing to do reads no source.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import ModuleType

from omega_bridge.errors import OmegaBridgeError
from omega_bridge.sources.text import from_text
from omega_bridge.steps import Place, Registry, Repeat, Step

_NOWHERE = Place()
_NOT_OURS = sys.stdlib_module_names - {"__main__"} | {"omega_bridge", "psycopg", "sqlalchemy", "alembic", "google", "postgast"}
"""Packages that hold nobody's list: a large program has loaded hundreds of their modules."""


def located(registry: Registry, steps: object) -> Registry:
    """The registry with the place and title of each step, where ``steps`` is a variable of a loaded module.

    The text has the last word on nothing: a step whose string is not found there stays as it is.
    """
    if all(s.place != _NOWHERE for s in registry):
        return registry
    for module, name in _holders(steps):
        path = Path(str(module.__file__))
        try:
            if not _may_make(path, name):  # it imports the list: a long program is parsed for nothing
                continue
            read = from_text(path, name, shown=_shown(path))
        except (OmegaBridgeError, OSError, ValueError):
            continue
        return _with_places(registry, read)
    return registry


def _holders(steps: object) -> list[tuple[ModuleType, str]]:
    """Modules with source that hold this very list, the one run as a script first."""
    found: dict[tuple[str, str], tuple[ModuleType, str]] = {}
    looked_for = id(steps)
    for known_as, module in [("__main__", sys.modules.get("__main__")), *sys.modules.items()]:
        if known_as.partition(".")[0] in _NOT_OURS or not isinstance(module, ModuleType):
            continue
        held = vars(module)
        if looked_for in map(id, list(held.values())) and str(held.get("__file__") or "").endswith(".py"):
            for name in [name for name, value in list(held.items()) if value is steps]:
                found.setdefault((held["__file__"], name), (module, name))
    return list(found.values())


def _may_make(path: Path, name: str) -> bool:
    """Whether the source may assign to the variable, or append to it. Raises ``OSError``."""
    return re.search(rf"\b{re.escape(name)}\s*(?:[:.]|\+?=(?!=))", path.read_text("utf-8", "replace")) is not None


def _with_places(registry: Registry, read: Registry) -> Registry:
    if (
        [s.sql for s in registry] == [s.sql for s in read]
        and _own(registry) == {(*_PLAIN, None, _NOWHERE)}
        and _own(read, 4) == {_PLAIN}
    ):
        return Registry(read.steps, registry.source or read.source)  # the very list, with nothing of its own to keep
    known: dict[str, list[Step]] = {}
    for step in reversed(read.steps):
        known.setdefault(step.sql, []).append(step)
    steps = []
    for step in registry:
        twin = known[step.sql].pop() if known.get(step.sql) else None
        is_found = twin is not None and step.place == _NOWHERE
        steps.append(_at(twin, step) if twin is not None and is_found else step)
    return Registry(tuple(steps), registry.source or read.source)


_PLAIN = (None, Repeat.ALWAYS, False, False)


def _own(registry: Registry, first: int = 6) -> set[tuple[object, ...]]:
    """What the steps have beside their texts: so many of id, repeat, destructive, optional, title, place."""
    return {(s.id, s.repeat, s.destructive, s.optional, s.title, s.place)[:first] for s in registry}


def _at(twin: Step, step: Step) -> Step:
    return Step(step.sql, step.id, step.title or twin.title, step.repeat, step.destructive, step.optional, twin.place)


def _shown(path: Path) -> str:
    """The path as a reader looks for it: relative to the working directory where it lies below it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
