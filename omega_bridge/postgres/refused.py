"""What a step is refused for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omega_bridge.outcomes import Destroyed


class Refused(Exception):
    """What was run would have destroyed rows, or nobody could have seen it. The caller ends the transaction.

    ``reason`` says it in one line; ``destroyed`` is empty where nothing could be counted.
    """

    def __init__(self, reason: str, destroyed: tuple[Destroyed, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.destroyed = destroyed
