"""What a degraded start goes on with while the service serves: the same boot again, until nothing is busy any more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from omega_bridge.errors import ConnectionLost, LockNotAcquired, OmegaBridgeError, RelationBusy

if TYPE_CHECKING:
    from omega_bridge.startup.run import Run

log = logging.getLogger("omega_bridge")

PASSING = (ConnectionLost, LockNotAcquired, RelationBusy)
"""What another try may not meet: a server that restarts, another start at work, a table that is busy."""

FIRST, LONGEST = 2.0, 60.0
"""Seconds before the first further try, and at most between two."""


class Retrying:
    """A daemon thread that boots again. ``run`` is the latest run, ``error`` what ended the trying for good."""

    def __init__(self, run: Run, again: Callable[[], Run], pause: float = FIRST) -> None:
        self.run = run
        self.error: OmegaBridgeError | None = None
        self._again = again
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="omega-bridge-retry", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether it has come to an end: everything is there, an error, or ``stop``."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End the trying; one that is under way is finished first."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it came within ``timeout`` seconds."""
        self._thread.join(timeout)
        return self.is_done

    def _work(self) -> None:
        while not self._stop.wait(self._pause):
            self._pause = min(self._pause * 2, LONGEST)
            try:
                self.run = self._again()
            except PASSING as error:
                log.warning("[MIGRATION] not yet: %s", error.message)
                continue
            except OmegaBridgeError as error:
                self.error = error
                log.error("[MIGRATION] gave up trying: %s", error)
                return
            if self.run.outcome != "degraded":
                log.info("[MIGRATION] %s: nothing is degraded any more", self.run.outcome)
                return
