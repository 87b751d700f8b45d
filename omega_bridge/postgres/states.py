"""What the last start left in each schema, in the schema ``omega_bridge``; and the question that the next one asks by it.

Every operator is named with its schema, and names of types that a search path could hide, too: whoever may create in a
schema of the path could offer others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import TupleRow

from omega_bridge.ledger import written
from omega_bridge.postgres import catalog_store
from omega_bridge.postgres.encoding import codec, storable
from omega_bridge.postgres.own_tables import There
from omega_bridge.postgres.trust import NO_STRANGERS
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.typed import KeptData, KeptStanding, KeptStep, KeptTable

_STATE = "digest, revision, names, token, catalog_digest, steps, data, standing"
_WIDTH = _STATE.count(",") + 2
_RECALLED = " FROM omega_bridge.omega_bridge_states WHERE schema OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema(), '')::pg_catalog.text"

Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True, slots=True)
class State:
    """What the last start left in a schema. ``steps``: id, checksum, additive; ``data``: what a start with nothing to do runs;
    ``standing``: what stands failed, refused or without effect; ``inspection``: the critical tables.
    """

    digest: str
    revision: str | None
    names: tuple[str, ...]
    token: str
    catalog_digest: str
    steps: tuple[KeptStep, ...]
    data: tuple[KeptData, ...]
    standing: tuple[KeptStanding, ...]
    inspection: tuple[KeptTable, ...] = ()


def states(connection: Connection) -> tuple[str, ...]:
    """The schemas in which a start has left its state."""
    found = There.of(connection).states
    return (
        () if found is None else tuple(str(r[0]) for r in connection.execute(f"SELECT schema FROM {found} ORDER BY 1".encode()))
    )


def recall(connection: Connection) -> State | None:
    """What was left in the current schema, or ``None``; in a database of an older layout, what was left in it."""
    there = There.of(connection)
    if there.states is not None:
        asked = f"SELECT {_STATE}, inspection FROM {there.states} WHERE schema OPERATOR(pg_catalog.=) %s::pg_catalog.text"
        row = _row(connection.execute(asked.encode(), (there.here,)))
        if row is not None:
            return state_of(row)
    if there.state is not None:
        row = _row(connection.execute(f"SELECT {_STATE} FROM {there.state}".encode()))
        return state_of(row) if row else None
    return None


def _row(found: psycopg.Cursor[TupleRow]) -> TupleRow | None:
    """A row that ``state_of`` reads; one that Python cannot hold, such as a number of 5,000 digits, is none of ours."""
    try:
        return found.fetchone()
    except (ValueError, RecursionError):
        return (None,) * _WIDTH


def recall_prepared(connection: Connection) -> State | None:
    """``recall`` where all tables are there and of this layout: one question less."""
    row = _row(connection.execute(f"SELECT {_STATE}, inspection{_RECALLED}".encode()))
    return state_of(row) if row is not None else None


def early() -> str:
    """``recall_prepared`` as a statement of one value, which the server works on along with others: JSON, of which ``state_of`` makes the
    same. Nothing of a stranger's is read: ``trust.noted`` comes ahead of it.
    """
    return f"SELECT CASE WHEN {NO_STRANGERS} THEN (SELECT pg_catalog.json_build_array({_STATE}, inspection){_RECALLED}) END"


def state_of(row: TupleRow) -> State | None:
    """A state from its row, in the order of the table's columns; ``None``, and a warning, where a hand has made another thing of it.

    Then it is as if no start had left one: everything is judged anew, and the row is written anew.
    """
    digest, revision, names, token, catalog_digest, *lists = row
    try:
        _require({str}, (digest, token, catalog_digest))
        _require({str, type(None)}, (revision,))
        _require({list}, (names, *lists))
        _require({str}, names)
        for part in lists:
            _require({dict}, part)
        steps, data, standing, *inspection = lists
        for part, keys in ((steps, ("id", "checksum")), (standing, ("id", "outcome", "reason"))):
            for key in keys:
                _require({str}, map(itemgetter(key), part))
        for made in (s["elsewhere"] for s in steps if "elsewhere" in s):
            _require({(str, int, str)}, (tuple(map(type, one)) for one in made), shown=lambda shape: shape)
    except (TypeError, LookupError):
        import logging

        logging.getLogger("omega_bridge").warning(
            "[MIGRATION] what the last start left in omega_bridge.omega_bridge_states cannot be read (somebody has changed it):"
            " it is taken for nothing, every step is judged anew, and the next start that repairs writes it anew"
        )
        return None
    return State(digest, revision, tuple(names), token, catalog_digest, *map(tuple, (steps, data, standing, *inspection)))


def _require(types: set[Any], values: Iterable[object], shown: Callable[[Any], object] = type) -> None:
    """Raises ``TypeError`` where one of the values is of none of these types."""
    if not types >= {*map(shown, values)}:
        raise TypeError


def remember(connection: Connection, state: State, question: str, catalog: bytes = b"") -> None:
    """Write the current schema's state, with the ``question`` that a start asks, and the ``catalog`` that it saw."""
    kept = catalog_store.KEPT if catalog and There.whole(connection).keeps_catalogs else ""
    target = codec(connection)
    told = (state.digest, state.revision, storable(connection, state.names), state.token, state.catalog_digest)
    lists = [written(part, target) for part in (state.steps, state.data, state.standing)]
    connection.execute(
        f"{kept}INSERT INTO omega_bridge.omega_bridge_states (schema, {_STATE}, inspection, question, at) VALUES (coalesce(pg_catalog.current_schema(), ''),"
        " %s, %s, %s, %s, %s, %s::pg_catalog.jsonb, %s::pg_catalog.jsonb, %s::pg_catalog.jsonb, %s::pg_catalog.jsonb, %s,"
        " pg_catalog.clock_timestamp()) ON CONFLICT (schema) DO UPDATE SET digest = excluded.digest, revision = excluded.revision,"
        " names = excluded.names, token = excluded.token, catalog_digest = excluded.catalog_digest, steps = excluded.steps,"
        " data = excluded.data, standing = excluded.standing, inspection = excluded.inspection, question = excluded.question,"
        " at = excluded.at",
        (
            *(catalog_store.row(state.catalog_digest, catalog) if kept else ()),
            *told,
            *lists,
            written(state.inspection, target),
            question,
        ),
    )


def questions(connection: Connection) -> tuple[str, str, int, str | None] | None:
    """The schema whose question the probe asks by itself (``public`` where it has a state), that question, how many others there are, and
    the probe's body as it is; ``None`` without any state.
    """
    body = _BODY.format(name="'omega_bridge_probe'")
    row = connection.execute(
        "SELECT schema, question, (SELECT pg_catalog.count(*) FROM omega_bridge.omega_bridge_states) OPERATOR(pg_catalog.-) 1,"
        f" ({body}) FROM omega_bridge.omega_bridge_states ORDER BY schema OPERATOR(pg_catalog.<>) 'public', schema LIMIT 1".encode()
    ).fetchone()
    return (row[0], row[1], row[2], row[3]) if row else None


def body(connection: Connection, name: str) -> str | None:
    """The body of a function of ours, as it is."""
    row = connection.execute(_BODY.format(name="%s").encode(), (name,)).fetchone()
    return row[0] if row else None


_BODY = (
    "SELECT p.prosrc FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace"
    " WHERE n.nspname OPERATOR(pg_catalog.=) 'omega_bridge'::pg_catalog.name"
    " AND p.proname OPERATOR(pg_catalog.=) {name}::pg_catalog.name"
)


def ask_instead(connection: Connection, changed: Callable[[str], str]) -> None:
    """Change the question of the current schema's state."""
    here = "schema OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema(), '')::pg_catalog.text"
    row = connection.execute(f"SELECT question FROM omega_bridge.omega_bridge_states WHERE {here}".encode()).fetchone()
    if row is not None:
        connection.execute(f"UPDATE omega_bridge.omega_bridge_states SET question = %s WHERE {here}".encode(), (changed(row[0]),))


def forget(connection: Connection, *, everywhere: bool) -> None:
    """Remove the current schema's state, or all of them."""
    here = " WHERE schema OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema(), '')::pg_catalog.text"
    connection.execute(("DELETE FROM omega_bridge.omega_bridge_states" + ("" if everywhere else here)).encode())
