"""A start that was asked to lays what the list stands on, on a database that has none of it; and puts that on record."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path

from omega_bridge.ledger import Draft, Driver, Event, Outcome
from omega_bridge.planning.foundation import LABEL
from omega_bridge.postgres import ledger_store, lock
from omega_bridge.postgres.foundation import is_lacking, run_on
from omega_bridge.postgres.session import Session
from omega_bridge.sources.foundation import load_foundation
from omega_bridge.version_table import VersionTable

log = logging.getLogger("omega_bridge")


def lacks(session: Session, named: Sequence[str]) -> bool:
    """Whether any table of the foundation is not there."""
    return is_lacking(session.connection, load_foundation(named, Path()))


def lay(session: Session, named: Sequence[str], owners: Collection[str], turn: float, table: VersionTable | None = None) -> None:
    """Do nothing where all of its tables are there. The caller holds the lock; ``turn``: seconds to wait for that of the database;
    ``table``: where the history's revision is kept.

    Raises ``FoundationIncomplete``, and ``ConfigurationInvalid`` for a text that the server does not take.
    """
    foundation, connection = load_foundation(named, Path()), session.connection
    if not is_lacking(connection, foundation):
        return
    with lock.database(session, turn), connection.transaction():  # it may make extensions, schemas, whatever
        run_on(connection, foundation)
        ledger_store.prepare(connection, owners, table)
        detail = {
            "created": [f"table {name}" for name in foundation.tables],
            "reason": f"the foundation, {foundation.source}",
        }
        draft = Draft(Driver.BOOT, Event.STEP, str(uuid.uuid4()), LABEL, foundation.checksum, Outcome.APPLIED, detail)
        ledger_store.append(connection, [draft])
        lock.prove(session)
    log.info("[MIGRATION] laid the foundation: %s", ", ".join(foundation.tables))
