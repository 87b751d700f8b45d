"""The view ``omega_bridge.watch``: what the last clean boot recorded, as constants, beside the token of the schema as it is
now. A start reads this view, and nothing else.

It is made to measure when a clean state is recorded: a start asks only the catalogs that matter to this list, by object
id, and opens no table of ours (opening one costs a new backend half a millisecond).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from omega_bridge.ledger import clean
from omega_bridge.postgres import token as tokens
from omega_bridge.postgres.ledger_store import State
from omega_bridge.postgres.probe import joined
from omega_bridge.postgres.watched import Watched

Connection = psycopg.Connection[Any]

SENTINEL = "omega_bridge.ddl"
"""The table in which the event trigger leaves a row for each transaction with DDL, where one was installed."""

_SEARCH = "current_setting('search_path') AS search_path, current_user::text AS role"


@dataclass(frozen=True, slots=True)
class Asked:
    """The token's columns in SQL, and the token that they gave."""

    question: str
    token: str


def ask(connection: Connection, watched: Watched) -> Asked:
    """The token of the schema as it is now. Asked before the catalog is read, so that no change goes between the two unseen."""
    asked = question(connection, watched)
    return Asked(asked, token(connection, asked))


def question(connection: Connection, watched: Watched) -> str:
    """The token's columns in SQL; where an event trigger counts DDL: nothing was counted, nothing has changed."""
    if has_sentinel(connection):
        return f"EXISTS (SELECT FROM {SENTINEL})::int AS changed, {_SEARCH}"
    return f"{tokens.expressions(connection, watched)}, {_SEARCH}"


def token(connection: Connection, asked: str) -> str:
    """The token of the schema as it is now. ``asked``: its columns, by ``question``."""
    row = connection.execute(f"SELECT {asked}".encode()).fetchone()
    assert row is not None  # it has no FROM
    return joined(row)


def install(connection: Connection, asked: str, state: State) -> None:
    """Make the view say what ``state`` says, beside what is ``asked``. Runs in the transaction that records it."""
    told = {
        "digest": state.digest,
        "revision": state.revision,
        "recorded": state.token,
        "catalog_digest": state.catalog_digest,
        "data": _json(state.data),
        "standing": _json(state.standing),
    }
    constants = ", ".join(
        f"{sql.Literal(value).as_string(connection) if value is not None else 'NULL'}::text AS {name}"
        for name, value in told.items()
    )
    text = f"SELECT {constants}, {asked}"
    connection.execute(b"DROP VIEW IF EXISTS omega_bridge.watch")
    connection.execute(f"CREATE VIEW omega_bridge.watch AS {text}".encode())
    connection.execute(
        "COMMENT ON VIEW omega_bridge.watch IS 'what a start reads: the last recorded state, as constants, "
        "and a token over the catalog as it is now'"
    )


def forget(connection: Connection) -> None:
    """The record holds no more: the next start looks at everything."""
    connection.execute("DELETE FROM omega_bridge.state")
    connection.execute("DROP VIEW IF EXISTS omega_bridge.watch")


def _json(entries: Iterable[dict[str, Any]]) -> str:
    """In ASCII, so that a database of any encoding gives the steps' texts back as they are."""
    return json.dumps(clean(list(entries)))


def has_sentinel(connection: Connection) -> bool:
    """Whether the event trigger is there, and at work."""
    row = connection.execute(
        f"SELECT to_regclass('{SENTINEL}') IS NOT NULL AND count(*) = 2 FROM pg_event_trigger "
        "WHERE evtname IN ('omega_bridge_ddl', 'omega_bridge_drop') AND evtenabled = 'A'"
    ).fetchone()
    return bool(row and row[0])


def forget_ddl(connection: Connection) -> None:
    """Take note of the DDL counted so far; whatever is counted from here on makes the next start look again."""
    if has_sentinel(connection):
        connection.execute(f"DELETE FROM {SENTINEL}")
