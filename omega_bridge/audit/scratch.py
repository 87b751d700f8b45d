"""Scratch databases: made on a server that was given (the embedded one has the same method), marked, and known again.

Every proof runs on these alone: whoever connects to one checks its mark before anything else is sent.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from omega_bridge.analysis.reaching import may_reach_elsewhere
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.planning.foundation import Foundation
from omega_bridge.postgres.catalog_reader import CatalogReader
from omega_bridge.postgres.dsn import connection_parameters, normalise
from omega_bridge.postgres.foundation import run_on
from omega_bridge.postgres.leftovers import drop_leftovers, held_open
from omega_bridge.postgres.scratch import BARE, create_database, drop_database, put_mark, require_mark, url_for
from omega_bridge.postgres.session import Session, open_session
from omega_bridge.startup.run import Options, Run
from omega_bridge.startup.start import boot_over, run_boot
from omega_bridge.steps import Registry, StepLike

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from omega_bridge.typed import Connection


class Scratch(Protocol):
    """Where scratch databases come from: the embedded server, or a given one."""

    @property
    def url(self) -> str:
        """The URL of the administrative database."""

    def scratch_database(self, prefix: str = ...) -> AbstractContextManager[str]:
        """A context manager that yields a URL and drops the database."""


@dataclass(frozen=True, slots=True)
class ScratchDatabase:
    """A database made for a proof. ``token`` is what its mark says."""

    url: str
    token: str = field(repr=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection whose first question is for the mark. Raises ``NotScratch``."""
        with open_session(self.url) as session:
            self.check(session.connection)
            yield session

    def check(self, connection: Connection) -> None:
        """Raises ``NotScratch`` where a connection of psycopg's leads elsewhere."""
        require_mark(connection, self.token)

    def lay(self, foundation: Foundation | None) -> None:
        """Make what the list stands on, if anything. Raises ``ConfigurationInvalid`` where the server does not take it."""
        if foundation is not None:
            with self.session() as session:
                run_on(session.connection, foundation)

    def boot(
        self,
        steps: Registry | Iterable[StepLike],
        metadata: MetaData | None = None,
        session: Session | None = None,
        reader: CatalogReader | None = None,
    ) -> Run:
        """A start that goes on after failures. The environment's ``OMEGA_BRIDGE_DIRECT_URL`` is not followed: it leads elsewhere.

        What may speak to another server is left out. ``session``: one of this database, which is as a new one afterwards; but for what is
        prepared there, where a ``reader`` of it is given, which goes on.
        """
        steps = Registry(tuple(s for s in Registry.of(steps) if not may_reach_elsewhere(s.sql)))
        if session is not None:
            run = boot_over(session, steps, metadata, _OPTIONS, reader)
            session.execute("DISCARD ALL" if reader is None else _DISCARDED)
            return run
        with self.session():
            pass
        return run_boot(self.url, steps, metadata, _OPTIONS)


_DISCARDED = (
    "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all();"
    " DISCARD TEMP; DISCARD SEQUENCES"
)
"""What ``DISCARD ALL`` does, without ``DEALLOCATE ALL``. Source: PostgreSQL's manual, "DISCARD"."""
_OPTIONS = Options(on_error="continue", accept_newer=True, retry=True)


@contextmanager
def scratch_database(server: Scratch, prefix: str) -> Iterator[ScratchDatabase]:
    """A fresh database that carries a mark, dropped at the end of the block."""
    token = secrets.token_hex(16)
    owner = held_open(normalise(server.url)) if isinstance(server, GivenServer) and server.stands_apart else nullcontext("")
    with server.scratch_database(prefix) as url, owner as told:
        put_mark(normalise(server.url), str(connection_parameters(normalise(url))["dbname"]), token, told)
        yield ScratchDatabase(normalise(url), token)


class GivenServer:
    """A server on which databases may be made and dropped; ``url`` connects to any database of it.

    ``template``: the database of that server that each is a copy of; else they are bare.
    """

    def __init__(self, url: str, template: str = BARE) -> None:
        self.url = normalise(url)
        self._template = template

    @property
    def stands_apart(self) -> bool:
        """Whether a session there is none of the template, which nobody may be connected to when it is copied."""
        return connection_parameters(self.url).get("dbname") != self._template

    @contextmanager
    def scratch_database(self, prefix: str = "scratch") -> Iterator[str]:
        """A fresh empty database, dropped at the end. Yields its URL."""
        name = f"omega_bridge_{prefix}_{uuid.uuid4().hex[:12]}"
        try:
            create_database(self.url, name, self._template)
        except KeyboardInterrupt:
            drop_database(self.url, name)  # it may be there, without the mark by which a later run would know it
            raise
        try:
            yield url_for(self.url, name)
        finally:
            drop_database(self.url, name)


@contextmanager
def scratch_server(url: str | None, template: str | None = None) -> Iterator[Scratch]:
    """The given server, without the databases that a killed process left there; else a private one.

    Raises ``NoServerFound`` where there is neither, ``ConfigurationInvalid``.
    """
    if url is not None:
        given = GivenServer(url, template or BARE)
        drop_leftovers(given.url)
        yield given
        return
    if template is not None:
        raise ConfigurationInvalid(
            f"--scratch-template {template} names a database, and nothing says on which server",
            hint="Give --scratch-url, too: the server that has it.",
        )
    from omega_bridge.embedded import EmbeddedServer

    with EmbeddedServer() as server:
        yield server
