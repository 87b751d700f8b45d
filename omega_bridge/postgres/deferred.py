"""Work that is put off until the server is waited for: it costs no time of its own then."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import select


_END = object()


class Deferred:
    """Done in order, piece by piece, while nothing has come from the server; the rest where the caller asks for it.

    A piece is not cut short: one that takes long holds up the answer. Within a transaction nothing is done, so that none lasts longer.
    """

    def __init__(self) -> None:
        self._work: deque[Callable[[], object]] = deque()

    def __bool__(self) -> bool:
        return bool(self._work)

    def add(self, *work: Callable[[], object]) -> None:
        """More work, behind what is there."""
        self._work.extend(work)

    def load(self, names: Iterable[str]) -> None:
        """Modules to import."""
        self._work.extend(partial(import_module, name) for name in names)

    def in_parts(self, work: Iterator[object]) -> None:
        """Work of several pieces."""

        def go_on() -> None:
            if next(work, _END) is not _END:
                self._work.appendleft(go_on)

        self._work.append(go_on)

    def first(self, work: Callable[[], object]) -> None:
        """Ahead of everything."""
        self._work.appendleft(work)

    def do_one(self) -> None:
        """The next piece."""
        self._work.popleft()()

    def finish(self) -> None:
        """Do what is left."""
        while self._work:
            self.do_one()

    def forget(self) -> None:
        """Nobody needs it any more."""
        self._work.clear()

    def until(self, poller: select.poll, deadline: float = math.inf) -> bool:
        """Whether what is polled for comes before the ``deadline``, a time of ``time.monotonic``; till then there is work."""
        while not poller.poll(0):
            if not self._work:
                left = deadline - time.monotonic()
                return bool(poller.poll(None if left == math.inf else max(left, 0.0) * 1000))
            self.do_one()
        return True
