"""A start that was asked to lays what the list stands on, on a database that has none of it; and puts that on record."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.analysis import Analysis
from omega_bridge.catalog import Kind
from omega_bridge.ledger import Draft, Driver, Event, Outcome, new_run
from omega_bridge.planning.foundation import LABEL
from omega_bridge.postgres import ledger_store, lock
from omega_bridge.postgres.foundation import is_lacking, missing, run_on
from omega_bridge.postgres.session import Session
from omega_bridge.revisions.ground import tables_of
from omega_bridge.revisions.sums import read_sum
from omega_bridge.sources.foundation import load_foundation
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from omega_bridge.typed import Connection

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
        draft = Draft(Driver.BOOT, Event.STEP, new_run(), LABEL, foundation.checksum, Outcome.APPLIED, detail)
        ledger_store.append(connection, [draft])
        lock.prove(session)
    log.info("[MIGRATION] laid the foundation: %s", ", ".join(foundation.tables))


def not_laid(connection: Connection, analysis: Analysis, history: Path) -> str:
    """What of the history's foundation is not there, but for tables that the list drops; "" where nothing is missing."""
    if not (tables := tables_of(history, read_sum(history))):
        return ""
    dropped = {e.key.name for step in analysis for e in step.effects if not e.present and e.key.kind is Kind.TABLE}
    lacking = [name for name in missing(connection, tables) if name.rpartition(".")[2].strip('"') not in dropped]
    return f"table{'s' if len(lacking) > 1 else ''} {', '.join(lacking)} of the foundation not there" if lacking else ""


def how_to_lay(connection: Connection, history: Path | None) -> str:
    """What to do first about steps that failed where nothing of the history's foundation is there; else ""."""
    tables = tables_of(history, read_sum(history)) if history is not None else ()
    if not tables or len(lacking := missing(connection, tables)) < len(tables):
        return ""
    return (
        f"This database has nothing of the foundation on which the list stands ({', '.join(lacking[:5])}{', ...' if len(lacking) > 5 else ''}): "
        "lay it by alembic upgrade head, omega-bridge boot --lay-foundation, or boot(foundation=...). "
    )
