"""Where it all runs: a server of its own, the databases on it, and what can be read off the server from outside."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.lists import many_steps
from benchmarks.peers.base import Address, Peer
from omega_bridge.embedded import EmbeddedServer

SETTINGS = {"wal_level": "replica", "shared_buffers": "128MB", "max_wal_size": "1GB", "max_connections": "120"}
"""As an ordinary server has them. What the embedded one switches off (fsync) is in favour of those who commit often."""

TICKS = os.sysconf("SC_CLK_TCK")


class Testbed:
    """Databases by peer and length of list. What fails is noted in ``failed``, and the rest goes on."""

    def __init__(self, server: EmbeddedServer, folder: Path, peers: list[Peer]) -> None:
        self.server, self.folder, self.peers = server, folder, peers
        self.failed: dict[str, str] = {}
        self._current: dict[tuple[str, int], str] = {}
        self._count = 0
        self._watcher = psycopg.connect(server.url, autocommit=True)
        self._staying = self._children()

    def at_work(self, size: int, without: int = 0) -> Iterator[Peer]:
        """Who is given a list of this size (less so many steps at its end); each has its files written."""
        for peer in self.peers:
            if not peer.missing() and not peer.sits_out(size) and peer.name not in self.failed:
                steps = many_steps(size)[: size - without]
                peer.take(self.folder / f"{len(steps)}-{peer.name.replace(' ', '-').replace(',', '')}", steps)
                yield peer

    def attempt(self, peer: Peer, doing: str, work: Callable[[], Any]) -> Any:
        """The work's result; ``None`` where it fails, which ends the measuring of this peer and is told on the page."""
        try:
            return work()
        except Exception as exc:
            self.failed[peer.name] = f"{doing}: {type(exc).__name__}: {exc}"[:300]
            print(f"  {peer.name} failed: {self.failed[peer.name]}", file=sys.stderr, flush=True)
            return None

    def database(self, template: str | None = None) -> str:
        """The URL of a fresh database, empty or a copy of another one."""
        self._count += 1
        if template is not None:
            self.await_idle()
        return self.server.create_database(f"bench{self._count}", template and Address.of(template).database)

    def drop(self, url: str) -> None:
        """Drop a database."""
        self.server.drop_database(Address.of(url).database)

    def keep(self, peer: Peer, url: str) -> None:
        """This database holds the peer's list."""
        self._current[peer.name, len(peer.steps)] = url

    def forget(self, peer: Peer) -> None:
        """Drop the database that was kept for the peer's list, if any."""
        if url := self._current.pop((peer.name, len(peer.steps)), None):
            self.drop(url)

    def current(self, peer: Peer) -> str | None:
        """A database that holds the peer's list by the peer's own doing; ``None`` where it could not be brought there."""
        key = peer.name, len(peer.steps)
        if key not in self._current:
            url = self.database()
            if self.attempt(peer, "a first start", partial(_first_start, peer, url)) is None:
                return None
            self._current[key] = url
        return self._current[key]

    def sweep(self) -> None:
        """Drop the kept databases."""
        for url in self._current.values():
            self.drop(url)
        self._current.clear()

    def wal(self) -> int:
        """How far the server's log has been written, in bytes."""
        row = self._watcher.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8").fetchone()
        assert row is not None
        return int(row[0])

    def cpu(self) -> float:
        """Seconds of CPU, in steps of a hundredth, of all server processes that served a connection and have ended."""
        self.await_idle()
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / TICKS

    def await_idle(self) -> None:
        """Wait until the server processes of the connections that were closed have ended."""
        for _ in range(5000):
            if self._children() <= self._staying:
                return
            time.sleep(0.001)

    def _children(self) -> frozenset[str]:
        return frozenset(Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text().split())

    def close(self) -> None:
        """Let go of the server."""
        self._watcher.close()


def _first_start(peer: Peer, url: str) -> str:
    peer.apply(url)
    peer.settle(url)
    return url
