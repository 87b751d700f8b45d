"""The question of a start: is everything there, by the same list as last time? One statement, no lock above ACCESS SHARE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql as compose

from omega_bridge.postgres.ledger_store import State
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session


@dataclass(frozen=True, slots=True)
class Probe:
    """What the database answered. ``state`` is ``None`` where no clean boot was recorded."""

    state: State | None
    token: str = ""
    versions: tuple[str, ...] = ()

    def is_current(self, digest: str, head: str | None) -> bool:
        """Whether there is nothing to do for a list with this digest and this exported head."""
        state = self.state
        if state is None or state.digest != digest or state.token != self.token:
            return False
        return head is None or self.versions == (head,)


def probe(session: Session, *, with_version: bool) -> Probe:
    """Ask. A database without the bridge's schema (or without ``alembic_version``) answers "no record"."""
    version = "(SELECT array_agg(version_num) FROM alembic_version)" if with_version else "NULL"
    text = query("probe").replace("{token}", token_query("s.names")).replace("{version}", version)
    try:
        rows = session.rows(text)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedColumn):
        return Probe(None)
    if not rows:
        return Probe(None)
    digest, revision, then, now, catalog_digest, data, standing, versions, names, steps = rows[0]
    state = State(digest, revision, tuple(names), then, catalog_digest, tuple(steps), tuple(data), tuple(standing))
    return Probe(state, now, tuple(versions or ()))


def read_token(connection: psycopg.Connection[Any], names: tuple[str, ...]) -> str:
    """The token of the catalog as it is, for these names."""
    literal = compose.Literal(list(names)).as_string(connection) + "::name[]"
    row = connection.execute(token_query(literal).encode()).fetchone()
    assert row is not None  # an aggregate always gives one row
    return str(row[0])


def token_query(names: str) -> str:
    """The token's query for an expression that gives the names."""
    return query("token").replace("{names}", names)
