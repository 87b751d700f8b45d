"""What one text really does: its locks, the tables that it writes anew, the WAL and the time. How large the tables of a database are."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.analysis.satisfied import ORDER
from omega_bridge.analysis.sizes import Size
from omega_bridge.postgres.queries import query
from omega_bridge.sql import ends_transaction, sendable

Connection = psycopg.Connection[TupleRow]

_WAL = "SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn"


@dataclass(frozen=True, slots=True)
class Measure:
    """``locks``: strong ones by table, at the end of the text's transaction; ``None`` where it ended it itself, or ran in none.

    ``wal``: bytes that the server wrote in between. ``error``: the SQLSTATE with which it was rejected.
    """

    locks: tuple[str, ...] | None
    rewritten: tuple[str, ...]
    wal: int
    seconds: float
    error: str | None = None


def measure(connection: Connection, text: str, *, transactional: bool) -> Measure:
    """Send a text as a loop does, and commit it. The connection is in autocommit."""
    is_watched = transactional and not ends_transaction(text)
    files, wal = _files(connection), _wal(connection)
    error: str | None = None
    locks: tuple[str, ...] | None = None
    if is_watched:
        connection.execute("BEGIN")
    begun = time.perf_counter()
    try:
        connection.execute(sendable(text))
        seconds = time.perf_counter() - begun
        if is_watched:
            locks = _locks(connection)
            connection.execute("COMMIT")
    except psycopg.Error as exc:
        seconds, error = time.perf_counter() - begun, exc.sqlstate or "XX000"
    if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        connection.execute("ROLLBACK")
    written = _wal(connection) - wal
    after = _files(connection)
    rewritten = tuple(sorted(name for oid, (name, file) in after.items() if oid in files and files[oid][1] != file))
    return Measure(locks, rewritten, written, seconds, error)


def _files(connection: Connection) -> dict[int, tuple[str, int]]:
    return {oid: (name, file) for oid, name, file in connection.execute(query("table_files")).fetchall()}


def _wal(connection: Connection) -> int:
    row = connection.execute(_WAL).fetchone()
    assert row is not None  # it has no FROM
    return int(row[0])


def _locks(connection: Connection) -> tuple[str, ...]:
    """The strongest one on each table."""
    strongest: dict[str, str] = {}
    for table, name in connection.execute(query("locks_held")).fetchall():
        mode = _mode(name)
        strongest[table] = max(mode, strongest.get(table, mode), key=ORDER.index)
    return tuple(f"{mode} {table}" for table, mode in sorted(strongest.items()))


def _mode(name: str) -> str:
    """``AccessExclusiveLock`` as statements write it."""
    return " ".join(re.findall(r"[A-Z][a-z]+", name.removesuffix("Lock"))).upper()


def read_sizes(connection: Connection) -> tuple[Size, ...]:
    """How large each table of a database is."""
    return tuple(Size(*row) for row in connection.execute(query("table_sizes")).fetchall())
