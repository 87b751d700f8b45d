"""How long to try for tables' locks: short waits, so that no reader queues behind us, with growing pauses between."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from omega_bridge.values import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of a boot, in seconds: of one wait for a table lock, of one statement (0: none), of all waiting for these,
    of waiting for another start.
    """

    lock_timeout: float = 0.5
    statement_timeout: float = 0.0
    budget: float = 30.0
    turn: float = 60.0


class Patience:
    """Pauses with exponential growth and jitter, until the budget of seconds that a whole boot has is spent."""

    def __init__(self, first: float, budget: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._first = self._pause = max(first / 4, 0.05)
        self._left = budget
        self._sleep = sleep

    def afresh(self) -> Patience:
        """For another step: short pauses again, out of what is left of the budget."""
        self._pause = self._first
        return self

    @property
    def left(self) -> float:
        """Seconds of the budget that are not spent."""
        return max(self._left, 0.0)

    def spend(self, seconds: float) -> None:
        """Take note of time spent waiting for a lock."""
        self._left -= seconds

    def again(self) -> bool:
        """Pause and say yes; say no at once when the budget does not hold another pause."""
        pause = self._pause * random.uniform(0.5, 1.5)
        if pause >= self._left:
            return False
        self._sleep(pause)
        self._left -= pause
        self._pause = min(self._pause * 2, 2.0)
        return True
