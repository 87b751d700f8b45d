"""Everything that a step may change in a database but rows: the whole catalog, of every kind of object and by no name.

Read around a step whose effect is not in its text. The server is asked first whether any row of its catalogs was written;
what was written and says the same is no change.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from omega_bridge.catalog import Catalog, diff
from omega_bridge.kinds import COUNTED
from omega_bridge.planning.clock import Changes
from omega_bridge.postgres.catalog_reader import catalog_of, everything

Connection = psycopg.Connection[TupleRow]

_PRINTED_IN_FULL = "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL DateStyle = ISO; SET LOCAL IntervalStyle = postgres"


def read_whole(connection: Connection) -> Catalog:
    """Everything, printed with every name in full: one round trip."""
    return catalog_of(_asked(connection, everything(connection.info.server_version)))


def _asked(connection: Connection, question: str) -> tuple[Any, ...] | None:
    """The answer to a question under settings of its own, which are as before when it is there. Raises psycopg's errors."""
    is_alone = connection.info.transaction_status == pq.TransactionStatus.IDLE
    first = "BEGIN" if is_alone else "SAVEPOINT omega_bridge_look"
    last = "ROLLBACK" if is_alone else "ROLLBACK TO SAVEPOINT omega_bridge_look; RELEASE SAVEPOINT omega_bridge_look"
    try:
        cursor = connection.execute(f"{first}; {_PRINTED_IN_FULL}; {question}; {last}".encode())
    except psycopg.Error:
        if is_alone and not connection.broken:
            connection.execute("ROLLBACK")
        raise
    while cursor.description is None:
        cursor.nextset()
    return cursor.fetchone()


def changes(before: Catalog, after: Catalog) -> Changes:
    """What two of them do not share."""
    return {d.key: frozenset(n for n in (d.key.table, d.key.name.partition("(")[0]) if n) for d in diff(before, after)}


class Watcher:
    """What changed from one look to the next, on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._written: str | None = None
        self._whole: Catalog | None = None

    def look(self) -> Catalog:
        """Everything as it is now; read only where a catalog was written to since it was read last."""
        row = _asked(self._connection, written(self._connection.info.server_version))
        assert row is not None  # it has no FROM
        if self._whole is None or row[0] != self._written:
            self._written, self._whole = row[0], read_whole(self._connection)
        return self._whole


_OF_USERS = "oid >= 16384"
ROWS = {
    "pg_class": _OF_USERS, "pg_type": _OF_USERS, "pg_proc": _OF_USERS, "pg_constraint": _OF_USERS, "pg_rewrite": _OF_USERS,
    "pg_trigger": _OF_USERS, "pg_policy": _OF_USERS, "pg_attrdef": _OF_USERS, "pg_namespace": "true", "pg_extension": "true",
    "pg_language": "true", "pg_statistic_ext": "true", "pg_default_acl": "true", "pg_publication": "true", "pg_publication_rel": "true",
    "pg_event_trigger": "true", "pg_enum": "true", "pg_cast": _OF_USERS, "pg_operator": _OF_USERS, "pg_opclass": _OF_USERS,
    "pg_opfamily": _OF_USERS, "pg_collation": _OF_USERS, "pg_conversion": _OF_USERS, "pg_ts_config": _OF_USERS, "pg_ts_dict": _OF_USERS,
    "pg_ts_parser": _OF_USERS, "pg_ts_template": _OF_USERS, "pg_transform": _OF_USERS, "pg_foreign_data_wrapper": "true",
    "pg_foreign_server": "true", "pg_am": _OF_USERS, "pg_amop": _OF_USERS, "pg_amproc": _OF_USERS,
}  # fmt: skip
"""Catalogs whose rows have an ``oid``, and which of them count: PostgreSQL's own have smaller ones (``FirstNormalObjectId``)."""
PARTS = {
    "pg_attribute": ("attrelid::int8 << 16 | attnum", "attrelid >= 16384"),
    "pg_index": ("indexrelid::int8", "indexrelid >= 16384"),
    "pg_inherits": ("inhrelid::int8 << 16 | inhseqno", "true"),
    "pg_sequence": ("seqrelid::int8", "true"),
    "pg_aggregate": ("aggfnoid::oid::int8", "aggfnoid::oid >= 16384"),
    "pg_range": ("rngtypid::int8", "rngtypid >= 16384"),
    "pg_ts_config_map": ("mapcfg::int8 << 16 | mapseqno", "mapcfg >= 16384"),
    "pg_foreign_table": ("ftrelid::int8", "true"),
    "pg_description": ("objoid::int8 << 16 | objsubid", "objoid >= 16384 OR classoid = 2615"),
    "pg_seclabel": ("objoid::int8 << 16 | objsubid", "true"),
    "pg_db_role_setting": (
        "setdatabase::int8 << 32 | setrole::int8",
        "setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
    ),
}
"""The others: the key of a row, and which rows count (2615 is ``pg_namespace``)."""


def _hashed(catalog: str, key: str, condition: str, row: str = "xmin::text::int8") -> str:
    """A hash over the rows, and when each was written. Source of the premise: see ``token.py``."""
    return f"(SELECT coalesce(sum(hashint8extended({key}, {row})), 0) FROM pg_catalog.{catalog} WHERE {condition})"


@lru_cache(maxsize=8)
def written(version: int) -> str:
    """The question for all of it, on a server of that version; what only a room counts is asked for as the room says."""
    rest = (c for c in COUNTED.values() if c.catalog not in ROWS and c.catalog not in PARTS and version >= c.since)
    parts = (
        *(_hashed(catalog, "oid::int8", condition) for catalog, condition in ROWS.items()),
        *(_hashed(catalog, *rows) for catalog, rows in PARTS.items()),
        *(_hashed(c.catalog, c.key, c.condition or "true", c.version_on(version)) for c in rest),
    )
    return f"SELECT concat_ws(' ', {', '.join(parts)})"
