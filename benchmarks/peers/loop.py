"""The naive loop, which the bridge takes the place of: each string in autocommit, errors passed over."""

from __future__ import annotations

import asyncio
import importlib.util

import psycopg

from benchmarks.peers.base import Address, Peer, installed


class Loop(Peer):
    """With psycopg. ``refused``: how many strings the server refused in the last start."""

    name = "naive loop, psycopg"
    refused = 0

    def version(self) -> str:
        return f"psycopg {installed('psycopg')}"

    def apply(self, url: str) -> None:
        self.refused = 0
        with psycopg.connect(url, autocommit=True) as conn:
            for step in self.steps:
                try:
                    conn.execute(step.encode())
                except psycopg.Error:
                    self.refused += 1


class AsyncLoop(Loop):
    """With asyncpg."""

    name = "naive loop, asyncpg"

    def missing(self) -> str | None:
        return None if importlib.util.find_spec("asyncpg") else "asyncpg is not installed"

    def version(self) -> str:
        return f"asyncpg {installed('asyncpg')}"

    def apply(self, url: str) -> None:
        asyncio.run(self._apply(Address.of(url)))

    async def _apply(self, address: Address) -> None:
        import asyncpg

        self.refused = 0
        conn = await asyncpg.connect(
            host=address.host, port=int(address.port), user=address.user, database=address.database, ssl=False
        )
        try:
            for step in self.steps:
                try:
                    await conn.execute(step)
                except asyncpg.PostgresError:
                    self.refused += 1
        finally:
            await conn.close()
