"""Scratch databases on a server that was given; the embedded server has the same method."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.scratch import create_database, drop_database, url_for


class GivenServer:
    """A server on which databases may be made and dropped; ``url`` connects to any database of it."""

    def __init__(self, url: str) -> None:
        self.url = normalise(url)

    @contextmanager
    def scratch_database(self, prefix: str = "scratch") -> Iterator[str]:
        """A fresh empty database, dropped at the end. Yields its URL."""
        name = f"omega_bridge_{prefix}_{uuid.uuid4().hex[:12]}"
        create_database(self.url, name)
        try:
            yield url_for(self.url, name)
        finally:
            drop_database(self.url, name)


@contextmanager
def scratch_server(url: str | None) -> Iterator[Any]:
    """The given server, else a private one. Raises ``NoServerFound`` where there is neither."""
    if url is not None:
        yield GivenServer(url)
        return
    from omega_bridge.embedded import EmbeddedServer

    with EmbeddedServer() as server:
        yield server
