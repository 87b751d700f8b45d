"""Python's search for garbage while a start repairs."""

from __future__ import annotations

import gc

_SELDOM = 50
"""How many times as many objects have to come about before they are looked through."""


class Garbage:
    """Within the block Python looks for none, until it is to ``count``: what is made meanwhile, modules and a list's meaning, stays, and
    looking through it is a third of what it costs. From then on it looks through what comes anew, and not through what is there, and less
    often: behind a thousand steps one look at everything takes as long as judging a hundred of them, and hardly anything is thrown away.
    """

    def __enter__(self) -> Garbage:
        self._is_looked_for, self._is_frozen = gc.isenabled(), False
        self._threshold = gc.get_threshold()
        gc.disable()
        return self

    def count(self) -> None:
        """Look for it again. What a program has frozen itself stays so, and then nothing is added to it."""
        if not gc.get_freeze_count():
            gc.freeze()
            self._is_frozen = True
        if self._is_looked_for:
            gc.set_threshold(self._threshold[0] * _SELDOM, *self._threshold[1:])
            gc.enable()

    def __exit__(self, *_: object) -> None:
        if self._is_frozen:
            gc.unfreeze()
        if self._is_looked_for:
            gc.set_threshold(*self._threshold)
            gc.enable()
