"""Who runs the list in a database, by the record: whoever asks about the database need not be who starts."""

from __future__ import annotations

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.postgres.own_tables import There


def runner(connection: psycopg.Connection[TupleRow]) -> str | None:
    """The role under which the last entry for the current schema was written; ``None`` where no entry says."""
    there = There.of(connection)
    if there.ledger is None:
        return None
    row = connection.execute(
        (
            "SELECT detail OPERATOR(pg_catalog.->) 'by' OPERATOR(pg_catalog.->>) 'role'"
            f" FROM {there.ledger} WHERE detail OPERATOR(pg_catalog.->) 'by' OPERATOR(pg_catalog.->>) 'schema'"
            " OPERATOR(pg_catalog.=) %s::pg_catalog.text ORDER BY seq DESC LIMIT 1"
        ).encode(),
        (there.here,),
    ).fetchone()
    return row[0] if row else None


def runs_as(connection: psycopg.Connection[TupleRow]) -> str:
    """The same; where no entry says, the role that this connection acts as: a login may have been given another (``SET role``)."""
    found = runner(connection)
    if found is not None:
        return found
    row = connection.execute(b"SELECT current_user::pg_catalog.text").fetchone()
    assert row is not None
    return str(row[0])
