"""The question of a start: is everything there, by the same list as last time? One round trip, no lock above ACCESS SHARE.

The text holds two statements. The first is the gate: it looks whose the schema ``omega_bridge`` is, and the event trigger's
where it is there, before the function in it is as much as looked up (planning inlines a function, and evaluates what it calls
immutable). Only who may create in that schema could put a function there, and an error in the gate ends the text
(PostgreSQL's manual, "Simple Query").
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import psycopg

from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session
from omega_bridge.postgres.trust import trusted
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.typed import KeptData, KeptStanding, KeptTable


TIME_LIMIT = 10.0
"""Seconds to wait for the answer: nothing that it reads is locked but by who changes catalogs or ``alembic_version``."""

TOKENS = 12
"""Columns for the parts of a token."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What the database answered: the record of the last start in this schema, and the token of the schema as it is now.

    ``data``: the data steps that a start runs. ``standing``: steps that stand failed, refused or without effect.
    ``inspection``: the critical tables as that start left them; ``present``: those that were asked for and are there.
    """

    digest: str
    revision: str | None
    recorded: str
    token: str
    catalog_digest: str
    data: tuple[KeptData, ...]
    standing: tuple[KeptStanding, ...]
    inspection: tuple[KeptTable, ...] = ()
    versions: tuple[str, ...] = ()
    present: frozenset[str] = frozenset()
    tried: float = 0.0
    """When what stands failed was last tried, in seconds since 1970."""

    @property
    def is_as_recorded(self) -> bool:
        """Whether the schema has not changed since the record."""
        return self.recorded == self.token

    def is_current(self, digest: str, head: str | None) -> bool:
        """Whether nothing has changed since the record, for a list with this digest and this exported head."""
        stamped = () if self.revision is None else (self.revision,)
        return self.digest == digest and self.is_as_recorded and (head is None or self.versions == stamped)

    @property
    def has_failed(self) -> bool:
        """Whether a step stands failed."""
        return any(s["outcome"] == "failed" for s in self.standing)


def probe(
    session: Session, *, critical: Collection[str] = (), owners: Collection[str] = (), within: float = TIME_LIMIT
) -> Probe | None:
    """Ask. ``None`` for a database without the record, or with one that is not in trusted hands.

    ``critical``: tables to look for. ``owners``: roles whose objects are trusted beside those that always are. ``within``: seconds
    to wait for the answer, ``TIME_LIMIT`` at most. Raises ``DatabaseUnreachable``.
    """
    asked = tuple(critical)
    try:
        rows = session.ask(_question(session, asked, owners), min(within, TIME_LIMIT))
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable):
        return None
    except (psycopg.errors.DivisionByZero, psycopg.errors.InsufficientPrivilege):
        return None
    except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):  # the role's own limits
        return None
    except (psycopg.errors.RaiseException, psycopg.DataError):  # what a hand has put in the place of our function
        return None
    try:
        return _answered(rows[0], asked) if rows else None
    except (ValueError, TypeError, LookupError):
        return None


def _answered(row: tuple[str | None, ...], asked: tuple[str, ...]) -> Probe | None:
    role, path, schema, there, versions, told, *token = row
    recorded = json.loads(told or "null")
    if recorded is None:
        return None
    return Probe(
        recorded["digest"],
        recorded["revision"],
        recorded["token"],
        joined([*token, path, role, schema]),
        recorded["catalog_digest"],
        tuple(recorded["data"]),
        tuple(recorded["standing"]),
        tuple(recorded["inspection"]),
        tuple(json.loads(versions)) if versions else (),
        frozenset(name for name, found in zip(asked, there or "", strict=True) if found == "t"),
        recorded["tried"],
    )


def joined(parts: Iterable[object]) -> str:
    """The parts of a token as one text. They are put together here: each function spared is a catalog's row less to read.

    The last are search path, role and current schema, so that the record of another schema is none here.
    """
    return "|".join("-" if part is None else str(part) for part in parts)


def _question(session: Session, critical: tuple[str, ...], owners: Collection[str]) -> str:
    """The text of both statements."""
    version = session.server_version
    each = ", ".join(f"pg_catalog.to_regclass({_text(c)}) IS NOT NULL" for c in critical)
    there = f"pg_catalog.array_to_string(ARRAY[{each}], '')"
    return (
        query("probe")
        .replace("{there}", there if critical else "''")
        .replace("{trusted schema}", trusted("n.nspowner", version, owners))
    )


def _text(value: str) -> str:
    """A literal that reads the same whatever ``standard_conforming_strings`` says."""
    escaped = value.replace("'", "''")
    return "E'" + escaped.replace("\\", "\\\\") + "'" if "\\" in escaped else f"'{escaped}'"
