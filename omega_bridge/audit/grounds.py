"""What a database of the list can stand on before it is begun with: nothing, or the schema of one that is named.

A named database is read by ``pg_dump``, and never written to. A copy of it stands at the revision at which it stands itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.audit.verdict import EMPTY
from omega_bridge.audit.witness import find_witness
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session
from omega_bridge.redaction import redact


@dataclass(frozen=True, slots=True)
class Ground:
    """``schema``: SQL that makes it on an empty database. ``versions``: what its ``alembic_version`` says."""

    name: str = EMPTY
    schema: str = field(default="", repr=False)
    versions: tuple[str, ...] = ()

    def lay(self, database: ScratchDatabase) -> None:
        """Make it there. Raises ``StatementRejected`` where the server does not take it."""
        if self.schema:
            with database.session() as session:
                session.execute(self.schema)

    def stamp(self, database: ScratchDatabase, known: Collection[str]) -> None:
        """Say at which revision it stands, where the history knows it."""
        at = [version for version in self.versions if version in known]
        if at:
            with database.session() as session:
                session.execute(_VERSION_TABLE)
                session.execute("INSERT INTO public.alembic_version SELECT unnest(%s::text[])", (at,))


_VERSION_TABLE = (
    "CREATE TABLE public.alembic_version (version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)"
)
_NOT_EVERYWHERE = re.compile(r"^(SET \w+_timeout = .*;|\\(un)?restrict .*)$", re.MULTILINE)
"""Lines of a dump that are for psql, or that an older server does not know."""


def ground_of(database: str) -> Ground:
    """The schema of a database that is named. Owners and privileges are left out: their roles may not be on the scratch server.

    Raises ``ConfigurationInvalid`` where no ``pg_dump`` is there, ``DatabaseUnreachable``, ``AuthenticationFailed``.
    """
    url = normalise(database)
    with open_session(url) as session:
        server_version = session.server_version
        versions = ledger_store.versions(session.connection)
    witness = find_witness(server_version)
    if witness is None:
        raise ConfigurationInvalid(
            f"the schema of {redact(url)} cannot be copied: there is no pg_dump of PostgreSQL {server_version // 10000} or later",
            hint="Install PostgreSQL's client programs, or name their folder in OMEGA_BRIDGE_PG_BIN.",
        )
    text = witness.schema(url, "--no-owner", "--no-privileges", "--no-subscriptions")
    return Ground(f"from {redact(url)}", _NOT_EVERYWHERE.sub("", text), versions)
