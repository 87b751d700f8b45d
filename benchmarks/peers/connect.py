"""The yardstick: connect and ``SELECT 1``."""

from __future__ import annotations

import psycopg

from benchmarks.peers.base import Peer, installed
from benchmarks.peers.script import joined


class Connect(Peer):
    """What any start must pay that looks at its database at all; on a database that holds the list, like the others."""

    name = "connect, select 1"
    is_repairing = False
    is_light = True

    def version(self) -> str:
        return f"psycopg {installed('psycopg')}"

    def apply(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("SELECT 1").fetchone()

    def settle(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(joined(self.steps).encode())
