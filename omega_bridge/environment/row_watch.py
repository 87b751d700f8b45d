"""The guard of rows on the connection that Alembic holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from omega_bridge import errors
from omega_bridge.analysis.keeping import UNWATCHED, Watched, keeps_rows, watched
from omega_bridge.outcomes import Destroyed
from omega_bridge.postgres import destruction, guarding, lock
from omega_bridge.postgres.refused import Refused
from omega_bridge.postgres.session import Session
from omega_bridge.revisions.row_guard import Exported

if TYPE_CHECKING:
    pass


@dataclass(slots=True)
class RowWatch:
    """The guard of rows on the connection that Alembic holds; see ``RowGuard``. ``destroyed`` is what went, allowed."""

    session: Session
    exported: Exported
    command: str
    is_allowed: bool
    is_overheard: bool = False
    """Event triggers of others run at each statement: no reading of a text counts."""
    destroyed: list[Destroyed] = field(default_factory=list)

    def run(self, send: Callable[[], object], text: str | None) -> None:
        """Send, in a transaction of its own where there is none. Raises ``StepRefused``."""
        keeps = text is not None and keeps_rows(text) and not self.is_overheard
        if text is not None and (keeps or watched(text) is not Watched.YES):
            if watched(text) is Watched.NO and not self.is_allowed:
                raise self._refusal(UNWATCHED)
            send()
            return
        is_alone = self.session.is_alone
        try:
            if is_alone and not self.is_allowed and guarding.goes_in_batches(self.session, text or ""):
                send()
                return
            if is_alone:
                self.session.execute("BEGIN")
            self.destroyed += destruction.watch(self.session, send, allowed=self.is_allowed, text=text or "")
            if is_alone:
                lock.commit(self.session)
        except Refused as refused:
            self.session.rollback()
            raise self._refusal(refused.reason, refused.destroyed) from refused
        except destruction.ENDS_ITS_TRANSACTION:
            self.session.rollback()
            if not is_alone:
                raise
            if not self.is_allowed:
                raise self._refusal(UNWATCHED) from None  # what the server said is no failure of the step
            send()

    def _refusal(self, reason: str, destroyed: tuple[Destroyed, ...] = ()) -> errors.StepRefused:
        return errors.StepRefused(f"{self.exported.told} {reason}", hint=self.exported.hint(self.command), failures=destroyed)
