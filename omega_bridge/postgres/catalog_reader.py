"""Reads the live schema into a ``Catalog``: one statement, one round trip, nothing but ACCESS SHARE on catalogs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection
from typing import Any

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from omega_bridge.catalog import Catalog, Key
from omega_bridge.kinds.question import arms, named
from omega_bridge.postgres.encoding import array as text_array
from omega_bridge.postgres.encoding import storable
from omega_bridge.postgres.printing import by_default, is_default
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.queries.qualified import qualified
from omega_bridge.postgres.sending import Sender
from omega_bridge.postgres.session import Session
from omega_bridge.postgres.trust import NO_STRANGERS

ONE_VALUE = (
    'SELECT pg_catalog.json_agg(pg_catalog.json_build_array(kind, schema, "table", name, attributes)) FROM (\n{}) AS found'
)
"""All rows as one value: reading ten thousand small ones costs ten times as much."""


_BY_NAME = {
    "relation_filter": "c.relname = ANY ({names})",
    "type_filter": "t.typname = ANY ({names})",
    "constraint_filter": "x.oid IN (SELECT oid FROM pg_constraint WHERE conrelid IN (SELECT oid FROM tables)"
    " UNION SELECT oid FROM pg_constraint WHERE conname = ANY ({names}))",
    "function_filter": "x.proname = ANY ({names})",
    "hidden_relation_filter": "c.relname = ANY ({names})",
    "hidden_type_filter": "t.typname = ANY ({names})",
    "hidden_function_filter": "f.proname = ANY ({names})",
    "hidden_constraint_filter": "n.conname = ANY ({names})",
    "hidden_trigger_filter": "g.tgname = ANY ({names})",
    "hidden_policy_filter": "p.polname = ANY ({names})",
}


def read_catalog(connection: psycopg.Connection[TupleRow], names: Collection[str] | None = None) -> Catalog:
    """The objects that carry one of ``names`` (as stored, unquoted) in any user schema, with what hangs on them.

    With ``names=None``, everything, of every kind, but the bridge's own schema, the tables in which histories keep their revisions
    (``alembic_version`` and its like), and what extensions own.
    """
    version = connection.info.server_version
    asked = question(version, None if names is None else array(connection, names))
    with by_default(connection):
        found = connection.execute(asked.encode()).fetchone()
    return catalog_of(found)


def question(version: int, names: str | None) -> str:
    """The statement. ``names``: an array in SQL; without it, every kind is read."""

    def condition(match: re.Match[str]) -> str:
        if names is None:
            return "false" if match[1].startswith("hidden") else "true"
        return _BY_NAME[match[1]].replace("{names}", names)

    text = qualified(query("catalog").replace("{arms}", arms(version, every=names is None)))
    text = text.replace("{version_tables}", query("version_tables") if names is None else _NO_TABLE)
    return ONE_VALUE.format(re.sub(r"\{(\w+_filter)\}", condition, text))


_NO_TABLE = "SELECT NULL::pg_catalog.oid AS oid WHERE false"


def array(connection: psycopg.Connection[TupleRow], names: Collection[str]) -> str:
    """Names as an array in SQL, as the server stores them."""
    return f"{text_array(connection, names)}::name[]"


def everything(version: int) -> str:
    """The statement whose one row ``catalog_of`` makes a catalog of: everything, as ``read_catalog`` reads it."""
    return question(version, None)


def catalog_of(found: TupleRow | None) -> Catalog:
    """The catalog that the answer tells."""
    assert found is not None  # an aggregate always gives one row
    objects: dict[Key, dict[str, Any]] = {}
    session: dict[str, Any] = {}
    hidden: set[tuple[str, str]] = set()
    kinds = named()
    for kind, schema, table, name, values in found[0]:
        if kind == "hidden":
            hidden.add((table, name))
        elif kind == "session":
            session = values
        else:
            of, attributes = kinds[kind]
            objects[Key(of, schema, table, name)] = dict(zip(attributes, values, strict=True))
    return Catalog(objects, tuple(session["search_path"]), session["version"], frozenset(hidden), session["sees_all"])


DROPPED_MEANWHILE = psycopg.errors.InternalError_
"""Of a view, an index or a constraint that another session dropped between the row of it and its text: "could not open relation with
OID", "cache lookup failed". Read once more, it is not there."""


class ReadingLost(psycopg.errors.InternalError_):
    """The same within a transaction, which has failed by it."""


class CatalogReader:
    """Reads by names time and again on one session, each time in one round trip; the server plans the statement but once.

    For a few names planning is most of what it costs. One plan for any names (``plan_cache_mode``, PostgreSQL's manual,
    "Query Planning") is set for our statement alone: a step is planned as it would be anywhere.

    ``takes_back``: inside a transaction each reading is a part of its own, so that it goes on where a step deallocated ours, or set how
    statements are planned.
    """

    def __init__(self, session: Session, sender: Sender | None = None, *, takes_back: bool = False) -> None:
        self._session, self._sender, self._takes_back = session, sender, takes_back
        self._ahead: Collection[str] | None = None
        self._is_prepared = False
        self.is_early = False
        """Whether the server reads, or has read, by the names of the last start."""
        self._times = 0
        if takes_back:
            session.connection.prepare_threshold = None  # psycopg deallocates all it finds where one of its own may be stale
        self._own = os.urandom(6).hex()  # a pooler may hand on a server connection with what was prepared there

    def preparation(self, *, has_states: bool) -> list[str]:
        """The statements, of one transaction, after which the first ``read`` costs what the later ones cost; none where it does already.

        ``has_states``: where the last start has kept the names that it looked at, which most often are those of this one; the server reads
        by these already, while nobody here knows them yet. ``trust.noted`` comes ahead of them then.
        """
        if self._session.is_pooled or self._is_prepared:
            return []
        prepare, self._is_prepared = self._prepare(), True
        self.is_early = has_states and self._sender is not None and is_default(self._session.connection)
        if not self.is_early:
            return [prepare, _GENERIC, f"EXECUTE {self._name} ('{{}}')"]
        return [
            prepare,
            _GENERIC,
            _RECALLED,
            f"EXECUTE {self._name} (pg_catalog.current_setting('omega_bridge.names')::pg_catalog.name[])",
        ]

    @property
    def _name(self) -> str:
        return f"omega_bridge_{self._own}_{self._times}"

    def _prepare(self) -> str:
        """By a new name each time: one that was prepared outlasts a transaction in which it could not be run."""
        self._times += 1
        return f"PREPARE {self._name} (name[]) AS {question(self._session.connection.info.server_version, '$1')}"

    def goes_on(self, sender: Sender) -> CatalogReader:
        """Itself, for a further start on the same connection."""
        self._sender, self._ahead = sender, None
        return self

    def look_ahead(self, names: Collection[str]) -> None:
        """Let the server read already, behind the preparation, while the caller goes on: the first ``read`` of these names waits less."""
        session = self._session
        if (
            self.is_early
            or self._sender is None
            or not self._is_prepared
            or len(names) > _FEW
            or not is_default(session.connection)
        ):
            return
        self._sender.follow(";\n".join(["BEGIN", _GENERIC, self._executed(names), "COMMIT"]))
        self._ahead = names

    def forget_ahead(self) -> None:
        """What the server was to read ahead came to nothing."""
        self.is_early, self._ahead = False, None

    def _executed(self, names: Collection[str]) -> str:
        return f"EXECUTE {self._name} ({array(self._session.connection, names)})"

    def read_first(self, names: Collection[str], recorded: Collection[str]) -> Catalog:
        """``read``, for a start. ``recorded``: the names that the last one has kept."""
        value = self._sender.values[-1] if self._sender is not None and self.is_early else None
        self.is_early = False
        if value is None or len(recorded) > _FEW or not frozenset(recorded) <= frozenset(names):
            return self.read(names)
        more = storable(self._session.connection, frozenset(names).difference(recorded))
        if not more:
            return catalog_of((json.loads(value),))
        early: list[Catalog] = []

        def decode() -> None:
            early.append(catalog_of((json.loads(value),)))

        self._session.deferred.first(decode)  # while the server reads
        found = self.read(more)
        if not early:
            self._session.deferred.do_one()
        return early[0].patched(found, more)

    def read(self, names: Collection[str]) -> Catalog:
        """The catalog. Raises psycopg's ``InvalidSqlStatementName`` within a transaction in which a step deallocated ours, and ``ReadingLost``
        in one in which another session dropped what was being read; the next call works again.
        """
        session, connection = self._session, self._session.connection
        ahead, self._ahead = self._ahead, None
        if ahead == names and self._sender is not None and (value := self._sender.values[-1]) is not None:
            return catalog_of((json.loads(value),))
        if session.is_pooled or len(names) > _FEW:
            return read_catalog(connection, names)
        with by_default(connection):
            try:
                return self._read(connection, names)
            except psycopg.errors.InvalidSqlStatementName:
                self._is_prepared = False
                if not self._takes_back and connection.info.transaction_status != pq.TransactionStatus.IDLE:
                    raise
                return self._read(connection, names)
            except DROPPED_MEANWHILE as exc:
                if connection.info.transaction_status != pq.TransactionStatus.IDLE:
                    raise ReadingLost(*exc.args) from exc
                return self._read(connection, names)

    def read_meanwhile(self, names: Collection[str], work: Callable[[], object]) -> Catalog:
        """The catalog as it is when this is called, outside a transaction; the caller does the ``work`` while the server reads. Raises as ``read``."""
        self.look_ahead(names)
        if self._ahead is None or self._sender is None:
            work()
            return self.read(names)
        try:
            self._sender.finish(work)
        except psycopg.Error as exc:
            self._session.rollback()
            if not isinstance(exc, psycopg.errors.InvalidSqlStatementName | DROPPED_MEANWHILE):
                raise
            self.forget_ahead()  # the work is done
            self._is_prepared = isinstance(exc, DROPPED_MEANWHILE)  # else a step has deallocated ours
        return self.read(names)

    def _read(self, connection: psycopg.Connection[TupleRow], names: Collection[str]) -> Catalog:
        is_alone = connection.autocommit and connection.info.transaction_status == pq.TransactionStatus.IDLE
        asked = [] if self._is_prepared else [self._prepare()]
        asked.append(_GENERIC)
        asked.append(self._executed(names))
        if is_alone:
            asked = ["BEGIN", *asked, "COMMIT"]
        elif self._takes_back:
            asked = [f"SAVEPOINT {_PART}", *asked, _TAKEN_BACK]
        else:
            asked.append("SET LOCAL plan_cache_mode = DEFAULT")
        try:
            cursor = connection.execute(";\n".join(asked).encode())
        except psycopg.Error:
            if is_alone:
                self._session.rollback()
            elif self._takes_back and not connection.broken:
                connection.execute(_TAKEN_BACK.encode())
            raise
        while cursor.description is None:
            cursor.nextset()
        self._is_prepared = True
        return catalog_of(cursor.fetchone())


_GENERIC = "SET LOCAL plan_cache_mode = force_generic_plan"
_PART = "omega_bridge_reading"
_TAKEN_BACK = f"ROLLBACK TO SAVEPOINT {_PART}; RELEASE SAVEPOINT {_PART}"
"""What was set for the reading is as before; what was prepared stays."""
_FEW = 2000
"""Names up to which a plan that knows nothing of their number is as good as one made for them, or better."""
_RECALLED = (
    f"SELECT pg_catalog.set_config('omega_bridge.names', coalesce(CASE WHEN {NO_STRANGERS} THEN (SELECT CASE WHEN"
    f" pg_catalog.cardinality(names) OPERATOR(pg_catalog.<=) {_FEW} THEN names::pg_catalog.text END FROM omega_bridge.omega_bridge_states"
    " WHERE schema OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema(), '')::pg_catalog.text) END, '{}'), true)"
)
"""The names that the last start has kept, into a setting: ``EXECUTE`` takes no query (PostgreSQL's manual, "EXECUTE"). A stranger's table
is not read: a column of it may be of a type whose casts are the stranger's functions, and would run as who starts.
"""
