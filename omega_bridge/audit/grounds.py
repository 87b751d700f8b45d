"""What a database of the list can stand on before it is begun with: nothing, its foundation, or the schema of one that is named, or dumped.

A named database is read by ``pg_dump``, and never written to. A copy of it stands at the revision at which it stands itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from omega_bridge.audit.by_hand import VERSION_TABLE
from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.audit.verdict import EMPTY
from omega_bridge.audit.witness import find_witness
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.planning.foundation import LABEL, Foundation
from omega_bridge.postgres import ledger_store
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session
from omega_bridge.redaction import redact
from omega_bridge.sources.scripts import read_sql
from omega_bridge.sql import identifier
from omega_bridge.sql.scripts import is_of_roles, read_script, without
from omega_bridge.tags import Tag
from omega_bridge.version_table import VersionTable

_SUBSCRIPTIONS = {Tag.CREATE_SUBSCRIPTION, Tag.ALTER_SUBSCRIPTION, Tag.DROP_SUBSCRIPTION}


@dataclass(frozen=True, slots=True)
class Ground:
    """``schema``: SQL that makes it on an empty database; or the ``foundation`` of the list. ``versions``: what its ``alembic_version`` says.

    ``in_history``: whether the history lays it itself.
    """

    name: str = EMPTY
    schema: str = field(default="", repr=False)
    versions: tuple[str, ...] = ()
    foundation: Foundation | None = None
    in_history: bool = False

    def lay(self, database: ScratchDatabase) -> None:
        """Make it there. Raises ``StatementRejected`` where the server does not take it, ``ConfigurationInvalid``."""
        database.lay(self.foundation)
        if self.schema:
            with database.session() as session:
                session.execute(self.schema)

    def begin(self, database: ScratchDatabase) -> None:
        """Make there what Alembic begins with."""
        if not self.in_history:
            self.lay(database)

    def stamp(self, database: ScratchDatabase, known: Collection[str]) -> None:
        """Say at which revision it stands, where the history knows it."""
        at = [version for version in self.versions if version in known]
        if at:
            with database.session() as session:
                session.execute(VERSION_TABLE)
                session.execute("INSERT INTO public.alembic_version SELECT unnest(%s::text[])", (at,))


def grounds_of(foundation: Foundation | None, *, in_history: bool) -> tuple[Ground, ...]:
    """Those that no database is asked for. A list with a foundation that nobody lays has no empty database to begin with."""
    if foundation is None:
        return (Ground(),)
    laid = Ground(LABEL, foundation=foundation)
    return (Ground(foundation=foundation, in_history=True), laid) if in_history else (laid,)


_NOT_THE_LISTS = "DROP SCHEMA IF EXISTS omega_bridge_sentinel CASCADE; DROP SCHEMA IF EXISTS omega_bridge CASCADE"
"""What a whole dump holds of the record of the database that it was made of, beside the table of versions."""
_WITHOUT_ROLES = ("--no-owner", "--no-privileges", "--no-subscriptions")


_WORD = re.compile(r"[\w./-]{1,200}")


def ground_of(named: str, table: VersionTable | None = None) -> Ground:
    """The schema of a database that is named by its URL, or of one whose dump is. ``table``: where it keeps the history's
    revision. Owners and privileges are left out: their roles
    may not be on the scratch server.

    Raises ``ConfigurationInvalid`` where no ``pg_dump`` is there, ``DatabaseUnreachable``, ``AuthenticationFailed``.
    """
    path = Path(named)
    if "://" not in named and "=" not in named and not path.is_file():
        shown = named if _WORD.fullmatch(named) else redact(named)
        raise ConfigurationInvalid(
            f"--from {shown}: there is no such file, nor such a revision in the history, and it is no database's URL",
            hint="Give a URL (postgresql://user@host:5432/database), the path of a dump in SQL, or a revision that alembic history shows.",
        )
    return _dumped(path, table) if "://" not in named and path.is_file() else _copied(normalise(named), table)


def _dumped(path: Path, table: VersionTable | None) -> Ground:
    *given, name = VersionTable().parts if table is None else table.parts
    schema_name = given[0] if given else "public"
    copied = re.compile(rf'COPY\s+(?:"?{re.escape(schema_name)}"?\.)?"?{re.escape(name)}"?\s', re.IGNORECASE)
    script = read_script(read_sql(path), str(path))
    schema = without(script.text, lambda s: is_of_roles(s) or s.tag in _SUBSCRIPTIONS)
    versions = tuple(line for rows in script.rows if copied.match(rows.statement) for line in rows.lines)
    apart = f"{_NOT_THE_LISTS}; DROP TABLE IF EXISTS {identifier(schema_name, name)}"
    return Ground(f"from {path}", f"{schema};\nRESET search_path;\n{apart}", versions)


def _copied(url: str, table: VersionTable | None) -> Ground:
    copied = copied_schema(url, table)
    return Ground(f"from {redact(url)}", copied.text, copied.versions)


@dataclass(frozen=True, slots=True)
class Copied:
    """The schema of a database as SQL, by ``witness``. ``versions``: what its ``alembic_version`` says."""

    text: str
    versions: tuple[str, ...]
    witness: str


def copied_schema(url: str, table: VersionTable | None = None) -> Copied:
    """Read it, by ``pg_dump``, without owners, privileges, and any history's table of versions. Raises as ``ground_of`` does."""
    with open_session(url) as session:
        server_version = session.server_version
        versions = ledger_store.versions(session.connection, table)
        apart = [
            f"--exclude-table={identifier(schema, name)}" for schema, name in ledger_store.version_tables(session.connection)
        ]
    witness = find_witness(server_version)
    if witness is None:
        raise ConfigurationInvalid(
            f"the schema of {redact(url)} cannot be copied: there is no pg_dump of PostgreSQL {server_version // 10000} or later",
            hint="Install PostgreSQL's client programs, or name their folder in OMEGA_BRIDGE_PG_BIN; or give a dump that was made elsewhere.",
        )
    text = witness.schema(url, *_WITHOUT_ROLES, *apart)
    return Copied(read_script(text, f"the dump of {redact(url)}").text, versions, str(witness))
