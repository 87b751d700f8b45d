"""What the server does while the list is read: the ledger, where it is missing, and a plan for reading the catalog."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext

from omega_bridge.postgres import ledger_store, lock, trust
from omega_bridge.postgres.catalog_reader import DROPPED_MEANWHILE, CatalogReader
from omega_bridge.postgres.own_tables import There
from omega_bridge.postgres.sending import Sender
from omega_bridge.postgres.session import Session, border
from omega_bridge.version_table import VersionTable


@contextmanager
def getting_ready(
    session: Session,
    turn: float,
    owners: Collection[str] = (),
    table: VersionTable | None = None,
    reader: CatalogReader | None = None,
) -> Iterator[CatalogReader]:
    """A reader that is ready at the end of the block, which goes on without the connection. The caller holds the lock.
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
        asked = [trust.noted(trust.question(session.connection.info.server_version, owners, table))] if is_whole else []
        made, prepared = ["BEGIN", text, "COMMIT"] if text else [], reader.preparation(has_states=is_whole)
        if asked or made or prepared:
            sender.begin(";\n".join([*made, "BEGIN", *asked, *prepared, "COMMIT"]))  # a new schema makes plans invalid
        try:
            yield reader
            try:
                sender.finish()
            except DROPPED_MEANWHILE:
                if made or sender.first is None:
                    raise
                reader.forget_ahead()
        finally:
            session.rollback()
        if is_whole:
            trust.refuse(trust.told_by(json.loads(sender.first or b"null")))
