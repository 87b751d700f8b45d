"""What a start loads while it waits for the server anyway: its own next question; and what a repair needs, where there will be one.

There will be one where the list is another than the last one that a start of this host had at its end: a note in the cache folder says
which that was. The note is no more than a guess. Whether there is anything to repair, the database says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from omega_bridge.cache_folder import folder, key_of, make_private, private_bytes
from omega_bridge.steps import Registry, StepLike

_QUESTION = "omega_bridge.postgres.fast_path.probe"
_REPAIR = "omega_bridge.startup.repair"
_BEFORE = (
    "omega_bridge.postgres.lock", "omega_bridge.postgres.waiting", "omega_bridge.postgres.counting", "omega_bridge.kinds.room",
    "omega_bridge.kinds", "omega_bridge.postgres.warm_up",
)  # fmt: skip
"""Up to where the server is given work of its own, and a repair loads what reads the list."""
BEHIND = ("omega_bridge.postgres.executor", "omega_bridge.planning.schedule", "omega_bridge.startup.schedule", _REPAIR)
"""What it needs once the list is read."""


class Ahead:
    """``digest``: the list's."""

    def __init__(self, steps: Registry | Iterable[StepLike], digest: str) -> None:
        self._digest = digest
        self._note = None if _REPAIR in sys.modules else _place(steps)
        noted = _noted(self._note)
        self._is_new = noted != digest
        self.is_another = self._is_new and noted is not None
        """Whether it was guessed that there is something to repair."""

    def modules(self) -> Iterator[str]:
        """The names of those to load before the database has said anything, in the order in which they are needed."""
        return (name for name in (_QUESTION, *(_BEFORE if self.is_another else ())) if name not in sys.modules)

    def keep(self) -> None:
        """Note the list, at the end of its start: nothing is left to repair. What the file system refuses is not noted."""
        if self._note is None or not self._is_new:
            return
        from omega_bridge.writing import write_private

        with suppress(OSError):
            make_private(self._note.parent)
            write_private(self._note, self._digest.encode())


def _place(steps: Registry | Iterable[StepLike]) -> Path | None:
    """One for all ages of a list: by its first step."""
    where, first = folder(os.environ), next(iter(steps), None)
    return where / f"{key_of(Registry.of([first]).steps[0].sql)[:16]}.list" if where is not None and first is not None else None


def _noted(place: Path | None) -> str | None:
    try:
        return private_bytes(place).decode("ascii", "replace") if place is not None else None
    except OSError:
        return None
