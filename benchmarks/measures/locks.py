"""Which lock a start with nothing to do asks for on a table of the list.

Nothing is sampled. A session holds a lock of its own on every table, first the one that only ACCESS EXCLUSIVE collides
with, then stronger ones: whoever needs a lock that collides waits for as long as it takes to be seen in ``pg_locks``.
Source: PostgreSQL's manual, "Explicit Locking", the table of conflicting lock modes.
"""

from __future__ import annotations

import threading
import time

import psycopg
from psycopg import sql

from benchmarks.peers.base import Peer
from benchmarks.testbed import Testbed

LADDER = ("ACCESS SHARE", "ROW EXCLUSIVE", "ACCESS EXCLUSIVE")
"""Held one after the other: collides with ACCESS EXCLUSIVE; with SHARE and above; with everything."""

WAITING = (
    "SELECT l.pid, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
    "WHERE NOT l.granted AND l.locktype = 'relation' AND c.relname LIKE 'bench\\_%' AND l.pid <> pg_backend_pid() "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
PATIENCE = 60.0  # seconds, for a start that waits for something that is not seen


def strongest_locks(bed: Testbed, size: int) -> dict[str, str | None]:
    """By peer: the mode of the strongest lock on a table of the list, as pg_locks names it; ``None`` for no lock."""
    return {peer.name: strongest(peer, url) for peer in bed.at_work(size) if (url := bed.current(peer))}


def strongest(peer: Peer, url: str) -> str | None:
    """The mode for which one peer waits, from the strongest down."""
    for mode in LADDER:
        waited_for = _asked_under(peer, url, mode)
        if waited_for is not None:
            return waited_for
    return None


def _asked_under(peer: Peer, url: str, mode: str) -> str | None:
    """What a start waits for while somebody holds ``mode`` on every table of the list; the start is ended when it is seen."""
    with psycopg.connect(url) as holder:
        tables = [sql.Identifier(row[0]) for row in holder.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'bench\\_%'")]  # fmt: skip
        holder.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.SQL(", ").join(tables), sql.SQL(mode)))
        start = threading.Thread(target=_quietly, args=(peer, url), daemon=True)
        start.start()
        seen: str | None = None
        deadline = time.monotonic() + PATIENCE
        while start.is_alive() and time.monotonic() < deadline:
            for pid, found in holder.execute(WAITING).fetchall():
                seen = seen or str(found)
                holder.execute("SELECT pg_terminate_backend(%s)", (pid,))
            start.join(0.005)
        holder.rollback()
        start.join(PATIENCE)
    return seen


def _quietly(peer: Peer, url: str) -> None:
    """A start that may be ended from outside."""
    try:
        peer.apply(url)
    except Exception:
        return
