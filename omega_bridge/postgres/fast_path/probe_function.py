"""The function ``omega_bridge.omega_bridge_probe``: what the last start recorded, as constants, beside the token of the schema as it is
now. A start calls it, and reads nothing else of ours.

It is made to measure when a state is recorded: a start asks only the catalogs that matter to this list, by object
id, and opens no table of ours (opening one costs a new backend half a millisecond). A function and no view: replacing it
waits for no reader, where a ``pg_dump`` keeps a view locked for as long as it takes. The server inlines it, so that it costs
what the view did.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from contextlib import suppress

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from omega_bridge.ledger import clean
from omega_bridge.postgres import ledger_store, states
from omega_bridge.postgres.fast_path import sentinel
from omega_bridge.postgres.fast_path import token as tokens
from omega_bridge.postgres.fast_path.dependencies import Watched
from omega_bridge.postgres.fast_path.probe import TOKENS, joined
from omega_bridge.postgres.own_tables import NOTHING, There
from omega_bridge.postgres.states import State
from omega_bridge.postgres.waiting import BUSY
from omega_bridge.values import dataclass
from omega_bridge.version_table import VersionTable

Connection = psycopg.Connection[TupleRow]

_TOKENS = [f"token_{n}" for n in range(1, TOKENS + 1)]
_COLUMNS = "versions pg_catalog.text, told pg_catalog.text, " + ", ".join(f"{name} pg_catalog.numeric" for name in _TOKENS)
_HERE = "coalesce(pg_catalog.current_schema()::pg_catalog.text, '')"


@dataclass(frozen=True, slots=True)
class Asked:
    """The token's columns in SQL, and the token that they gave. ``seen``: the snapshot up to which an event trigger's marks
    are accounted for, where one is asked.
    """

    columns: tuple[str, ...]
    token: str
    seen: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether this may be recorded: where an event trigger is asked, it says that nothing has changed."""
        return self.seen is None or self.token.startswith("0.0|")


def ask(connection: Connection, watched: Watched) -> Asked:
    """The token of the schema as it is now. Asked before the catalog is read, so that no change goes between the two unseen."""
    counted = sentinel.ask(connection)
    if counted is not None:
        columns: tuple[str, ...] = (counted.question(tokens.schemas(connection, watched)),)
        if silent := tokens.shared(connection, watched):  # no event trigger fires for what is the whole cluster's
            columns += (" OPERATOR(pg_catalog.+) ".join(f"coalesce({hashed}, 0)" for hashed in silent),)
    else:
        columns = tokens.expressions(connection, watched)
    return Asked(columns, token(connection, columns), counted.snapshot if counted else None)


def token(connection: Connection, columns: tuple[str, ...]) -> str:
    """The token of the schema as it is now, by ``columns``, as the probe reads it."""
    row = connection.execute(
        f"SELECT {', '.join(columns)}, pg_catalog.current_setting('search_path'), current_user::pg_catalog.text,"
        " pg_catalog.current_schema()::pg_catalog.text".encode()
    ).fetchone()
    assert row is not None  # it has no FROM
    *parts, path, role, schema = row
    return joined([*parts, *[None] * (TOKENS - len(parts)), path, role, schema])


def question(connection: Connection, asked: Asked, state: State, versions_in: VersionTable | None = None) -> str:
    """What a start asks in this schema: ``state`` as constants, and what is ``asked``. ``versions_in``: where its revision is kept."""
    table = ledger_store.version_table(connection, versions_in) if state.revision is not None else None
    versions = f"(SELECT pg_catalog.json_agg(version_num) FROM {table})::pg_catalog.text" if table else "NULL::pg_catalog.text"
    told = {
        "tried": time.time(),
        "digest": state.digest,
        "revision": state.revision,
        "token": state.token,
        "catalog_digest": state.catalog_digest,
        "data": state.data,
        "standing": state.standing,
        "inspection": state.inspection,
    }
    # In ASCII, so that a database of any encoding gives the steps' texts back as they are.
    constant = sql.Literal(json.dumps(clean(told))).as_string(connection)
    rest = ["NULL::pg_catalog.numeric"] * (TOKENS - len(asked.columns))
    return f"SELECT {', '.join([versions, f'{constant}::pg_catalog.text', *asked.columns, *rest])}"


def remember(connection: Connection, asked: Asked, state: State, catalog: bytes = b"", table: VersionTable | None = None) -> None:
    """Write the state, with the ``catalog`` that was seen, and make the probe say it. ``table``: where its revision is kept.

    Runs in the transaction that records it, behind the entry that says so: whose end of the chain keeps others from recording.
    """
    states.remember(connection, state, question(connection, asked, state, table), catalog)
    _install(connection)
    if asked.seen is not None:
        sentinel.passed(connection, asked.seen)


def note_try(connection: Connection, now: float) -> None:
    """Note that what stands failed was tried at ``now``. Where somebody keeps the record from us, it is tried again the sooner."""
    with suppress(*BUSY), connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '1s'")
        ledger_store.tip(connection, lock=True)
        states.ask_instead(connection, lambda asked: re.sub(r'"tried": [0-9.]+', f'"tried": {now}', asked, count=1))
        _install(connection)


def forget(connection: Connection, *, everywhere: bool = False) -> None:
    """The record of this schema holds no more: the next start looks at everything. ``everywhere``: in all schemas."""
    if There.of(connection).is_whole:
        ledger_store.tip(connection, lock=True)
        states.forget(connection, everywhere=everywhere)
        _install(connection)


def _install(connection: Connection) -> None:
    """Make the probe answer for the states that are there: for one schema by itself, for others by their row's question."""
    found = states.questions(connection)
    if found is None:
        there = states.body(connection, "omega_bridge_probe")
        _replace(connection, "omega_bridge_probe", f"{NOTHING} WHERE false", there)
        return
    schema, asked, others, there = found
    _replace(connection, "omega_bridge_probe", "\nUNION ALL\n".join(_arms(connection, schema, asked, others)), there)


def _arms(connection: Connection, schema: str, asked: str, others: int) -> Iterable[str]:
    if not others:
        yield asked  # the token holds the schema; a comparison here would have to be planned
    else:
        here = f"{sql.Literal(schema).as_string(connection)}::pg_catalog.text"
        yield f"{asked} WHERE {_HERE} OPERATOR(pg_catalog.=) {here}"
        there = states.body(connection, "omega_bridge_probe_elsewhere")
        _replace(connection, "omega_bridge_probe_elsewhere", "SELECT * FROM omega_bridge.omega_bridge_answer()", there)
        yield f"SELECT * FROM omega_bridge.omega_bridge_probe_elsewhere() WHERE {_HERE} OPERATOR(pg_catalog.<>) {here}"


def _replace(connection: Connection, name: str, body: str, there: str | None) -> None:
    """Where the function is ``there`` as it should be, nothing is written. ``omega_bridge_probe`` may be inlined, the other must not be."""
    if there == body:
        return
    kind = "STABLE" if name == "omega_bridge_probe" else "VOLATILE"
    text = sql.Literal(body).as_string(connection)
    connection.execute(
        ledger_store.pinned(
            f"CREATE OR REPLACE FUNCTION omega_bridge.{name}() RETURNS TABLE ({_COLUMNS}) LANGUAGE sql {kind} ROWS 1 AS {text};\n"
            f"COMMENT ON FUNCTION omega_bridge.{name}() IS 'what a start asks: the last recorded state, as constants, "
            "and a token over the catalog as it is now'"
        ).encode()
    )
