"""How long to try for a table's lock: short waits, so that no reader queues behind us, with growing pauses between."""

from __future__ import annotations

import random
import time
from collections.abc import Callable


class Patience:
    """Pauses with exponential growth and jitter until a budget of seconds is spent."""

    def __init__(self, first: float, budget: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pause = max(first / 4, 0.05)
        self._deadline = time.monotonic() + budget
        self._sleep = sleep

    def again(self) -> bool:
        """Pause and say yes; say no at once when the budget does not hold another pause."""
        pause = self._pause * random.uniform(0.5, 1.5)
        if time.monotonic() + pause >= self._deadline:
            return False
        self._sleep(pause)
        self._pause = min(self._pause * 2, 2.0)
        return True
