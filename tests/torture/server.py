"""An embedded server that can be crashed and started again on its data."""

from __future__ import annotations

import signal
from typing import Any

from omega_bridge.embedded import EmbeddedServer
from omega_bridge.embedded import server as embedded

KEPT = {"synchronous_commit": "on", "full_page_writes": "on"}
"""A process that dies loses nothing that was written; these keep what was committed, and pages that were being written."""


class CrashingServer(EmbeddedServer):
    """Immediate shutdown, as in a crash, and recovery."""

    def __init__(self) -> None:
        super().__init__(settings=KEPT)
        self._how: tuple[Any, Any, Any] | None = None

    def _launch(self, binaries: Any, user: Any, folder: Any) -> Any:
        self._how = (binaries, user, folder)
        return super()._launch(binaries, user, folder)

    def crash(self) -> None:
        """End every process of the server at once, and start it again: it recovers from its WAL."""
        assert self._process is not None
        assert self._keeper is not None
        assert self._how is not None
        self._process.send_signal(signal.SIGQUIT)
        self._keeper.join()
        embedded._release(super()._launch(*self._how))
        self._await_connection()
