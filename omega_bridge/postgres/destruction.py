"""Rows are never lost silently: run a step, see in its own transaction what it destroyed, and take it back if that held rows.

Tables are told by their oid and columns by their number, so a table that was dropped and made anew counts as destroyed.
A table with a new file was truncated or rewritten: PostgreSQL's own count of what this transaction inserted and deleted
there says which (``pg_stat_get_xact_tuples_inserted``; a rewrite inserts nothing by that count). Rows that the role may not
see are rows all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from omega_bridge.analysis.leaving import IN_THE_DATABASE, QUESTION, unseen, way_out
from omega_bridge.analysis.program import Sql
from omega_bridge.analysis.reading import reading_of
from omega_bridge.outcomes import Destroyed
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.refused import Refused
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

ENDS_ITS_TRANSACTION = (psycopg.errors.InvalidTransactionTermination, psycopg.errors.ActiveSqlTransaction)
"""Of a procedure or a block that commits, and of a statement that refuses a transaction."""

_SAVEPOINT = "omega_bridge_watched"
_COUNTING = "omega_bridge_counting"


class Channel(Protocol):
    """What statements go through: a ``Session``, or what another driver of migrations holds."""

    @property
    def connection(self) -> psycopg.Connection[TupleRow]:
        """psycopg's connection."""

    def execute(self, query: str | bytes) -> object:
        """Send a text as it is."""

    def rows(self, query: str | bytes) -> list[TupleRow]:
        """The rows of one query."""


@dataclass(frozen=True, slots=True)
class _Table:
    oid: int
    schema: str
    name: str
    file: int
    parent: int | None
    columns: dict[int, str]

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    def told(self, column: str | None, rows: int | None) -> Destroyed:
        return Destroyed(f"{self.schema}.{self.name}" if self.schema != "public" else self.name, column, rows)


def watch(channel: Channel, send: Callable[[], object], *, allowed: bool = False, text: str = "") -> tuple[Destroyed, ...]:
    """Run ``send`` inside the transaction that is open; it is run twice where it destroyed something.

    ``text``: what is sent, where that may truncate a foreign table or go out of the transaction. Raises ``Refused`` where that held rows,
    or nobody could see whether, unless it is ``allowed``: then what went is returned.
    """
    first = _picture(channel)
    before, far = first.tables, first.foreign
    if (way := _way_out(channel, first, text)) is not None:
        if not allowed:
            raise Refused(unseen(way))
        send()  # once: what goes out is not taken back
        return ()
    filled = {t.oid: rows for t in far.values() if (rows := _far(channel, t))} if far and _truncates(channel, text) else {}
    channel.execute(f"SAVEPOINT {_SAVEPOINT}")
    send()
    settled = _settled_picture(channel)
    after = settled.tables
    emptied = {oid: rows for oid, rows in filled.items() if _lacks_rows(channel, far[oid], rows, text)}
    gone = list(_gone(before, after))
    shrunk = [(one, name) for one, name in _gone(first.types, settled.types) if name is not None]
    replaced = [
        before[t.oid] for t in after.values() if t.oid in before and t.file != before[t.oid].file and _is_suspect(channel, t)
    ]
    if not gone and not shrunk and not replaced and not emptied:
        channel.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        return ()
    channel.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
    # Locked until the end of the transaction: nobody adds a row between the count and the second run.
    lost = [table.told(column, rows) for table, column in gone if (rows := _held(channel, table, column)) != 0]
    lost += [far[oid].told(None, rows) for oid, rows in emptied.items()]
    lost += [found for one, name in shrunk for found in _holders(channel, before, one, name)]
    if lost and not allowed:
        raise Refused(_told(lost), tuple(lost))
    held = [(table, _held(channel, table, None), _balance(channel, table)) for table in replaced]
    send()
    _settled_picture(channel)
    lost += [table.told(None, rows) for table, had, was in held if had != 0 and (rows := _missing(channel, table, had, was)) != 0]
    if lost and not allowed:
        raise Refused(_told(lost), tuple(lost))
    channel.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
    return tuple(lost)


def _told(lost: Iterable[Destroyed]) -> str:
    return f"would have destroyed {'; '.join(map(str, lost))}"


_FOREIGN, _COMPOSITE = "f", "c"
"""Of ``pg_class.relkind``."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """The tables by oid, and the constraints whose triggers wait for the commit, by schema and name. ``foreign``: their rows
    are elsewhere, and no file tells of them. ``types``: composite types as tables of their attributes. ``has_ways_out``: a
    routine of a user's goes out of its transaction.
    """

    tables: dict[int, _Table]
    deferred: tuple[tuple[str, str], ...]
    foreign: dict[int, _Table]
    types: dict[int, _Table]
    has_ways_out: bool


def _picture(channel: Channel) -> _Picture:
    rows = channel.rows(query("tables_and_columns").replace("{a way out}", IN_THE_DATABASE))
    tables: dict[str, dict[int, _Table]] = {_FOREIGN: {}, _COMPOSITE: {}, "": {}}
    for oid, schema, name, file, parent, numbers, names, kind in rows:
        if oid is not None:
            tables[kind if kind in tables else ""][oid] = _Table(
                oid, schema, name, file, parent, dict(zip(numbers or (), names or (), strict=True))
            )
    nameless = [(schema, name) for oid, schema, name, *_ in rows if oid is None]
    deferred = tuple((schema, name) for schema, name in nameless if name is not None)
    return _Picture(tables[""], deferred, tables[_FOREIGN], tables[_COMPOSITE], len(deferred) < len(nameless))


def _way_out(channel: Channel, picture: _Picture, text: str) -> str | None:
    """By what a text, or what it may call, goes out of its transaction."""
    if (way := way_out(text)) is not None or not picture.has_ways_out or not text:
        return way
    asked = QUESTION.replace("{text}", sql.Literal(text).as_string(channel.connection))
    return next((str(name) for (name,) in channel.rows(asked)), None)


def _truncates(channel: Channel, text: str) -> bool:
    """Whether a text, or a function that it may call, has the word: nothing else empties a foreign table but what names its rows."""
    if "truncate" in text.lower():
        return True
    asked = (
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE pg_catalog.strpos(pg_catalog.lower(p.prosrc), 'truncate')"
        " OPERATOR(pg_catalog.>) 0 AND p.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid)"
    )
    return bool(text) and bool(channel.rows(asked)[0][0])


def _far(channel: Channel, table: _Table) -> int | None:
    """The rows of a foreign table; ``None`` where its server does not say."""
    try:
        with _apart(channel):
            counted = sql.SQL("SELECT pg_catalog.count(*) FROM {}").format(table.identifier)
            return int(channel.rows(counted.as_bytes(channel.connection))[0][0])
    except psycopg.Error:
        return None


def _lacks_rows(channel: Channel, table: _Table, had: int, text: str) -> bool:
    """Whether a foreign table has fewer rows than before, and not by name, or was certainly truncated and filled again."""
    now, reading = _far(channel, table), reading_of(text)
    truncated = {k.name for s in reading.program if isinstance(s, Sql) and s.tag == Tag.TRUNCATE for k in s.destroys}
    deleted = {k.name for s in reading.statements if s.tag in (Tag.DELETE, Tag.MERGE) for k in s.needs[:1]}
    return now is not None and ((now < had and table.name not in deleted) or table.name in truncated)


def _settled_picture(channel: Channel) -> _Picture:
    """What is there after triggers that wait for the commit have run: now, while somebody looks."""
    found = _picture(channel)
    if not found.deferred:
        return found
    names = sql.SQL(", ").join(sql.Identifier(schema, name) for schema, name in found.deferred)
    channel.execute(sql.SQL("SET CONSTRAINTS {} IMMEDIATE").format(names).as_bytes(channel.connection))
    return _picture(channel)


def _gone(before: dict[int, _Table], after: dict[int, _Table]) -> Iterator[tuple[_Table, str | None]]:
    """Tables and columns; what went from a partition together with its table is counted there."""
    for oid, table in before.items():
        now = after.get(oid)
        parent = before.get(table.parent) if table.parent is not None else None
        if now is None:
            if parent is None or parent.oid in after:
                yield table, None
            continue
        dropped = {name for number, name in table.columns.items() if number not in now.columns}
        if parent is not None and parent.oid in after:
            dropped -= set(parent.columns.values()) - set(after[parent.oid].columns.values())
        yield from ((table, name) for name in table.columns.values() if name in dropped)


_USED = """
WITH RECURSIVE used (oid) AS (
  SELECT y.oid FROM pg_catalog.pg_type y WHERE y.typrelid OPERATOR(pg_catalog.=) {}::pg_catalog.oid
  UNION SELECT y.oid FROM used u JOIN pg_catalog.pg_type y ON y.typelem OPERATOR(pg_catalog.=) u.oid
    OR y.typbasetype OPERATOR(pg_catalog.=) u.oid OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) y.typrelid
      AND a.atttypid OPERATOR(pg_catalog.=) u.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)
)
SELECT a.attrelid::pg_catalog.int8, a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a JOIN used u ON u.oid OPERATOR(pg_catalog.=) a.atttypid
WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped ORDER BY 1, a.attnum
"""
"""The columns that hold a composite type: by itself, in an array, a domain, or another such type."""


def _holders(channel: Channel, tables: dict[int, _Table], kind: _Table, attribute: str) -> Iterator[Destroyed]:
    """The columns in which values of a type would lose an attribute."""
    for oid, column in channel.rows(_USED.format(kind.oid)):
        if oid in tables and (rows := _held(channel, tables[oid], column)) != 0:
            yield tables[oid].told(f"{column}.{attribute}", rows)


def _is_suspect(channel: Channel, table: _Table) -> bool:
    """Whether a table with a new file may have been truncated: it is empty, or holds what was inserted since."""
    try:
        with _apart(channel):
            channel.execute("SET LOCAL row_security = off")
            question = sql.SQL(
                "SELECT EXISTS (SELECT FROM ONLY {}), pg_catalog.pg_stat_get_xact_tuples_inserted({}), "
                "pg_catalog.current_setting('track_counts') OPERATOR(pg_catalog.=) 'on'"
            ).format(table.identifier, sql.Literal(table.oid))
            ((holds, inserted, counts),) = channel.rows(question.as_bytes(channel.connection))
    except psycopg.errors.InsufficientPrivilege:
        return True
    return not holds or inserted > 0 or not counts


def _balance(channel: Channel, table: _Table) -> int:
    """What this transaction inserted less what it deleted, in rows."""
    asked = f"SELECT pg_catalog.pg_stat_get_xact_tuples_inserted({table.oid}), pg_catalog.pg_stat_get_xact_tuples_deleted({table.oid})"
    ((inserted, deleted),) = channel.rows(asked)
    return int(inserted) - int(deleted)


def _missing(channel: Channel, table: _Table, had: int | None, balance: int) -> int | None:
    """How many of the rows that a table held are gone, but for those that were deleted by name; ``None`` where that is not known."""
    ((counts,),) = channel.rows("SELECT pg_catalog.current_setting('track_counts') OPERATOR(pg_catalog.=) 'on'")
    now = _visible(channel, table, None)
    if had is None or now is None or not counts:
        return had
    return max(had + _balance(channel, table) - balance - now, 0)


def _held(channel: Channel, table: _Table, column: str | None) -> int | None:
    """How many rows go with a table or a column, under a lock that nobody gets past; ``None``: some, which the role may not see."""
    lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table.identifier).as_bytes(channel.connection)
    channel.execute(f"SAVEPOINT {_COUNTING}")
    try:
        channel.execute(lock)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):  # another session dropped it
        channel.execute(f"ROLLBACK TO SAVEPOINT {_COUNTING}; RELEASE SAVEPOINT {_COUNTING}")
        return 0
    except psycopg.errors.InsufficientPrivilege:  # a function of somebody else's dropped it
        channel.execute(f"ROLLBACK TO SAVEPOINT {_COUNTING}; RELEASE SAVEPOINT {_COUNTING}")
        return None if _has_pages(channel, table) else 0
    channel.execute(f"RELEASE SAVEPOINT {_COUNTING}")
    rows = _visible(channel, table, column)
    if rows is None or (rows == 0 and _sees_the_past(channel) and not _visible(channel, table, None)):
        return None if _has_pages(channel, table) else 0
    return rows


def _visible(channel: Channel, table: _Table, column: str | None) -> int | None:
    """Rows, or values of a column that are not NULL; ``None`` where the role may not see them all, and may not change that."""
    for first in ("", "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY"):
        try:
            with _apart(channel):
                channel.execute("SET LOCAL row_security = off")  # an error where a policy would hide rows
                if first:
                    channel.execute(sql.SQL(first).format(table.identifier).as_bytes(channel.connection))
                what = sql.SQL("*") if column is None else sql.Identifier(column)
                only = sql.SQL("ONLY " if table.file else "")  # a partitioned table has no file, and no rows of its own
                counted = sql.SQL("SELECT pg_catalog.count({}) FROM {}{}").format(what, only, table.identifier)
                return int(channel.rows(counted.as_bytes(channel.connection))[0][0])
        except psycopg.errors.InsufficientPrivilege:
            continue
    return None


def _has_pages(channel: Channel, table: _Table) -> bool:
    size = f"SELECT pg_catalog.sum(pg_catalog.pg_relation_size(relid)) FROM pg_catalog.pg_partition_tree({table.oid})"
    return bool(channel.rows(size if not table.file else f"SELECT pg_catalog.pg_relation_size({table.oid})")[0][0])


def _sees_the_past(channel: Channel) -> bool:
    """Whether the transaction keeps to a snapshot, which may be older than the rows of others that the lock waited for."""
    return bool(
        channel.rows("SELECT pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed'")[0][0]
    )


@contextmanager
def _apart(channel: Channel) -> Iterator[None]:
    """What is set and changed inside the block is put back at its end, also where the server rejects it."""
    channel.execute(f"SAVEPOINT {_COUNTING}")
    try:
        yield
    except psycopg.Error:
        channel.execute(f"ROLLBACK TO SAVEPOINT {_COUNTING}; RELEASE SAVEPOINT {_COUNTING}")
        raise
    channel.execute(f"ROLLBACK TO SAVEPOINT {_COUNTING}; RELEASE SAVEPOINT {_COUNTING}")
