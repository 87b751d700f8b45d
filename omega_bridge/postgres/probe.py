"""The question of a start: is everything there, by the same list as last time? One statement, no lock above ACCESS SHARE."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session

Entries = tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """What the database answered: the record of the last clean boot, and the token of the schema as it is now.

    ``data``: the data steps that a start runs. ``standing``: steps without effect or refused that are not tried again.
    """

    digest: str
    revision: str | None
    recorded: str
    token: str
    catalog_digest: str
    data: Entries
    standing: Entries
    versions: tuple[str, ...] = ()

    def is_current(self, digest: str, head: str | None) -> bool:
        """Whether there is nothing to do for a list with this digest and this exported head."""
        return self.digest == digest and self.recorded == self.token and (head is None or self.versions == (head,))


def probe(session: Session, *, with_version: bool) -> Probe | None:
    """Ask. ``None`` for a database without the record (or without ``alembic_version``)."""
    version = "(SELECT json_agg(version_num) FROM alembic_version)" if with_version else "NULL"
    try:
        rows = session.ask(query("probe").replace("{version}", version))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedColumn):
        return None
    except psycopg.errors.InsufficientPrivilege:
        return None
    if not rows:
        return None
    versions, digest, revision, recorded, catalog_digest, data, standing, *token = rows[0]
    if digest is None or recorded is None or catalog_digest is None:
        return None
    return Probe(
        digest, revision, recorded, joined(token), catalog_digest, _entries(data), _entries(standing),
        tuple(json.loads(versions)) if versions else (),
    )  # fmt: skip


def joined(parts: Iterable[object]) -> str:
    """The parts of a token as one text. They are put together here: each function spared is a catalog's row less to read."""
    return "|".join("-" if part is None else str(part) for part in parts)


def _entries(text: str | None) -> Entries:
    return tuple(json.loads(text)) if text and text != "[]" else ()
