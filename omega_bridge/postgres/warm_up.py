"""What the server does while the list is read: the ledger, where it is missing, and a plan for reading the catalog."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.ledger import Tip
from omega_bridge.postgres import ledger_store, lock, states, trust
from omega_bridge.postgres.catalog_reader import DROPPED_MEANWHILE, CatalogReader
from omega_bridge.postgres.own_tables import There
from omega_bridge.postgres.sending import Sender
from omega_bridge.postgres.session import Session, border
from omega_bridge.version_table import VersionTable


class Ready:
    """The ``reader``, and what the server has told meanwhile of the last start. Good for one start."""

    def __init__(self, session: Session, sender: Sender, reader: CatalogReader, *, is_early: bool) -> None:
        self.reader = reader
        self._connection, self._values, self._is_early = session.connection, sender.values, is_early

    def recall(self) -> states.State | None:
        """What that has left in this schema."""
        found = self._early(_STATE)
        return states.state_of(found) if found else states.recall_prepared(self._connection)

    def tip(self) -> Tip:
        """The end of the ledger's chain. Raises ``LedgerBroken``, ``DatabaseIsNewer``."""
        found = self._early(_TIP)
        return ledger_store.tip_of(found) if found else ledger_store.tip(self._connection)

    def _early(self, place: int) -> TupleRow | None:
        told = self._values[place] if self._is_early and len(self._values) > place else None
        try:
            return tuple(json.loads(told)) if told is not None else None
        except (ValueError, RecursionError):  # who asks once more says so
            return None


_STATE, _TIP = 2, 3
"""Where in the answers these are: behind the two of ``trust.noted``."""


@contextmanager
def getting_ready(
    session: Session,
    turn: float,
    owners: Collection[str] = (),
    table: VersionTable | None = None,
    reader: CatalogReader | None = None,
) -> Iterator[Ready]:
    """What is ready at the end of the block, which goes on without the connection. The caller holds the lock.
    ``turn``: seconds to wait for another start that makes the ledger. ``owners``: roles that are trusted beside those that always are;
    ``table``: where the history's revision is kept. ``reader``: the one of the start before on this connection.

    A server process that has just started takes longer to plan that reading than to read. Raises psycopg's errors at the end;
    where the block raises itself, the server is stopped, and that error stands.
    """
    sender = Sender(session)
    reader = reader.goes_on(sender) if reader is not None else CatalogReader(session, sender)
    there = There.of(session.connection)
    is_whole = there.schema and not there.lacks  # whose it is, the server looks up meanwhile: till then nothing in it is touched
    session.connection.there = there if is_whole else None  # type: ignore[attr-defined]  # a CountedConnection
    is_lacking = not is_whole and bool(ledger_store.lacking(session.connection, owners, table))
    with border(session.dsn), lock.database(session, turn) if is_lacking else nullcontext():
        # another start may have made it meanwhile
        text = ledger_store.lacking(session.connection, owners, table) if is_lacking else ""
        asked = (
            [
                trust.noted(trust.question(session.connection.info.server_version, owners, table)),
                states.early(),
                ledger_store.early(),
            ]
            if is_whole
            else []
        )
        made, prepared = ["BEGIN", text, "COMMIT"] if text else [], reader.preparation(has_states=is_whole)
        if asked or made or prepared:
            sender.begin(";\n".join([*made, "BEGIN", *asked, *prepared, "COMMIT"]))  # a new schema makes plans invalid
        try:
            with _refusing_strangers(sender if is_whole else None):
                yield Ready(session, sender, reader, is_early=is_whole)
            try:
                with _refusing_strangers(sender if is_whole else None):
                    sender.finish()
            except psycopg.Error as exc:
                if made or not sender.values or not isinstance(exc, (DROPPED_MEANWHILE, *ledger_store.ALTERED)):
                    raise  # else it is asked once more, where somebody says what of ours is no longer so
                reader.forget_ahead()
        finally:
            session.rollback()


@contextmanager
def _refusing_strangers(sender: Sender | None) -> Iterator[None]:
    """What ended the text is told as ``NotTrusted``, where strangers did. ``None``: nobody has asked about them."""
    try:
        yield
    except psycopg.Error:
        if sender is not None and sender.values:
            trust.refuse(trust.told_by(json.loads(sender.values[0] or b"null")))
        raise
