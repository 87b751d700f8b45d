"""The ledger and the end of its chain, in the schema ``omega_bridge``.

Every operator is named with its schema, and names of types that a search path could hide, too: whoever may create in a
schema of the path could offer others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq
from psycopg.rows import TupleRow

from omega_bridge import errors
from omega_bridge.ledger import NO_END, Draft, Driver, Entry, Event, Tip, clean, seal, written
from omega_bridge.postgres import lock
from omega_bridge.postgres.encoding import codec
from omega_bridge.postgres.own_tables import LAYOUT, There
from omega_bridge.postgres.printing import by_default
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.trust import NO_STRANGERS, check, oid_of
from omega_bridge.who import who

if TYPE_CHECKING:
    from omega_bridge.version_table import VersionTable

PATIENCE = 10.0
"""Seconds to wait for the end of the chain, which other starts hold while they commit, whatever a step may wait for its tables."""

_NAMES = "seq, at, driver, event, run, subject, checksum, outcome, detail, previous, hash"
_INTO = f"omega_bridge.omega_bridge_ledger ({_NAMES})"
_INSERT = (
    "WITH moved AS (UPDATE omega_bridge.omega_bridge_chain c SET seq = %s, hash = %s"
    " FROM (SELECT pg_catalog.set_config('lock_timeout', %s, true) OFFSET 0) patience"
    " WHERE c.seq OPERATOR(pg_catalog.=) %s::pg_catalog.int8 AND c.hash OPERATOR(pg_catalog.=) %s::pg_catalog.text RETURNING 1)"
    f" INSERT INTO {_INTO} SELECT %s::pg_catalog.int8, %s::pg_catalog.timestamptz, %s, %s, %s::pg_catalog.uuid, %s, %s, %s,"
    " %s::pg_catalog.jsonb, %s, %s FROM moved"
)
_COPY = f"COPY {_INTO} FROM STDIN"
_MOVE = "UPDATE omega_bridge.omega_bridge_chain SET seq = %s, hash = %s"
_COLUMNS = "seq, at, driver, event, run::pg_catalog.text, subject, checksum, outcome, detail::pg_catalog.text, previous, hash"
_TIP_COLUMNS = """tip.layout, CASE WHEN last.seq OPERATOR(pg_catalog.>) tip.seq THEN last.seq ELSE tip.seq END,
  CASE WHEN last.seq OPERATOR(pg_catalog.>) tip.seq THEN last.hash ELSE tip.hash END, tip.seq, last.seq,
  current_user::pg_catalog.text, session_user::pg_catalog.text, pg_catalog.current_setting('application_name'),
  coalesce(pg_catalog.current_schema(), '')::pg_catalog.text, pg_catalog.current_setting('search_path')"""
_TIP = """
WITH tip AS (SELECT layout, seq, hash FROM omega_bridge.omega_bridge_chain{lock}),
last AS (SELECT seq, hash FROM omega_bridge.omega_bridge_ledger ORDER BY seq DESC LIMIT 1)
SELECT {columns} FROM tip LEFT JOIN last ON true
"""

Connection = psycopg.Connection[TupleRow]


def prepare(connection: Connection, owners: Collection[str] = (), table: VersionTable | None = None) -> None:
    """Make the schema where it is missing, or lift it from an older layout, in the transaction that is open or one of its own.

    ``owners``: roles that are trusted beside those that always are; ``table``: where the history's revision is kept.
    Raises ``NotTrusted``, ``NotPermitted``, ``LockNotAcquired``.
    """
    if not lacking(connection, owners, table):
        return
    with connection.transaction():
        lock.in_transaction(connection)
        if text := lacking(connection, owners, table):
            connection.execute(text.encode())


def lacking(connection: Connection, owners: Collection[str] = (), table: VersionTable | None = None) -> str:
    """The statements that make what is missing of the schema; nothing where all is there. Raises ``NotTrusted``."""
    there = There.of(connection)
    if there.schema or version_table(connection, table):
        check(connection, owners, table)
    return pinned(there.making()) if there.lacks else ""


def pinned(text: str) -> str:
    """Statements of ours that resolve names in ``pg_catalog`` alone and wait for a lock for five seconds at most; then all is
    as it was before, in a transaction that goes on, too.
    """
    return (
        "SELECT pg_catalog.set_config('omega_bridge.path', pg_catalog.current_setting('search_path'), true),"
        " pg_catalog.set_config('omega_bridge.patience', pg_catalog.current_setting('lock_timeout'), true),"
        " pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('lock_timeout', '5s', true);\n"
        f"{text};\n"
        "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('omega_bridge.path'), true),"
        " pg_catalog.set_config('lock_timeout', pg_catalog.current_setting('omega_bridge.patience'), true)"
    )


def exists(connection: Connection) -> bool:
    """Whether there is a ledger to read."""
    return There.of(connection).ledger is not None


def tip(connection: Connection, *, lock: bool = False) -> Tip:
    """The end of the chain, and who we are. ``lock``: keep others from appending until the transaction ends.

    The end is what the chain's own row says where the ledger has less: what was cut off stays to be seen. Where it has more,
    an older release has written meanwhile. Raises ``DatabaseIsNewer`` where a newer release made the tables.
    """
    with _as_made():
        row = connection.execute(_TIP.format(lock=" FOR UPDATE" if lock else "", columns=_TIP_COLUMNS).encode()).fetchone()
    return tip_of(row)


def early() -> str:
    """``tip`` as a statement of one value, which the server works on along with others: JSON, of which ``tip_of`` makes the same. Nothing of
    a stranger's is read: ``trust.noted`` comes ahead of it.
    """
    tip = _TIP.format(lock="", columns=f"pg_catalog.json_build_array({_TIP_COLUMNS})")
    return f"SELECT CASE WHEN {NO_STRANGERS} THEN ({tip}) END"


def tip_of(row: TupleRow | None) -> Tip:
    """The end by what was asked for it. Raises ``LedgerBroken``, ``DatabaseIsNewer``."""
    if row is None:
        raise errors.LedgerBroken(
            "omega_bridge.omega_bridge_chain is empty: somebody removed the end of the ledger's chain", hint=_RESTORE
        )
    layout, seq, digest, own, last, role, login, application, schema, path = row
    if not all(isinstance(number, int) for number in (layout, seq, own, last or 0)) or not isinstance(digest, str):
        raise errors.LedgerBroken(
            "omega_bridge.omega_bridge_chain or omega_bridge_ledger holds what no start wrote: somebody has changed the end of the chain",
            hint=_RESTORE,
        )
    if layout > LAYOUT:
        raise errors.DatabaseIsNewer(
            f"a newer release of omega-bridge keeps the record of this database (layout {layout}; this one knows {LAYOUT})",
            hint="Start with the newer release of omega-bridge.",
        )
    client = f"psycopg {psycopg.__version__}"
    by = who(role=role, login=login, application=application, schema=schema, search_path=path, client=client)
    return Tip(seq, digest, by, moved=own != seq, is_cut=own > (last or 0))


_RESTORE = "Find out who, then look at what is left: omega-bridge ledger verify. To go on, restore both tables from a backup."
ALTERED = (
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.CardinalityViolation,
    psycopg.errors.DatatypeMismatch,
    psycopg.errors.IntegrityError,
    psycopg.DataError,
)
"""What PostgreSQL says of a statement of ours on tables that are not as a start made them."""


@contextmanager
def _as_made() -> Iterator[None]:
    try:
        yield
    except ALTERED as exc:
        raise errors.LedgerBroken(
            "somebody has altered omega_bridge.omega_bridge_ledger or omega_bridge_chain:"
            f" {exc.sqlstate or ''} {exc.diag.message_primary or exc}",
            hint=_RESTORE,
        ) from exc


def append(connection: Connection, drafts: Iterable[Draft], after: Tip | None = None, patience: float = PATIENCE) -> Tip:
    """Seal and insert entries after ``after`` (read from the table where it is not given); the new tip. ``patience``: seconds for one
    that comes alone to wait for the end of the chain.

    Where another start has appended meanwhile, they follow its entries.
    """
    end = after or tip(connection)
    rows = iter(drafts)
    first = list(islice(rows, 2))
    if not first:
        return end
    if len(first) == 1:
        return _append_one(connection, first[0], end, patience)
    if connection.info.transaction_status == pq.TransactionStatus.IDLE:
        with connection.transaction():
            return _append_all(connection, chain(first, rows))
    return _append_all(connection, chain(first, rows))


def _append_one(connection: Connection, draft: Draft, end: Tip, patience: float) -> Tip:
    """One statement, which finds nothing to follow where the tip has moved: then once more, after the one that is there now."""
    limit = str(max(int(patience * 1000), 1))
    target = codec(connection)
    while True:
        entry, detail = _sealed(draft, end, target)
        if end.moved:  # an older release has appended, and knows nothing of the chain's row
            connection.execute(_MOVE, (end.seq, end.hash))
        with _as_made():
            moved = connection.execute(_INSERT, (entry.seq, entry.hash, limit, end.seq, end.hash, *_row(entry, detail)))
        if moved.rowcount == 1:
            return replace(end, seq=entry.seq, hash=entry.hash, moved=False)
        end = tip(connection, lock=True)


def _append_all(connection: Connection, drafts: Iterable[Draft]) -> Tip:
    """Many, in the caller's transaction: the server inserts while the next ones are sealed."""
    target = codec(connection)
    end = tip(connection, lock=True)
    with _as_made(), connection.cursor().copy(_COPY) as copy:
        for draft in drafts:
            entry, detail = _sealed(draft, end, target)
            copy.write_row(_row(entry, detail))
            end = Tip(entry.seq, entry.hash, end.by, is_cut=end.is_cut)
    connection.execute(_MOVE, (end.seq, end.hash))
    return end


def _sealed(draft: Draft, end: Tip, target: str) -> tuple[Entry, str]:
    """The entry after ``end``, and its detail as it is stored."""
    subject, detailed = str(clean(draft.subject, target)), {**draft.detail, "by": end.by}
    told = Draft(draft.driver, draft.event, draft.run, subject, draft.checksum, draft.outcome, detailed)
    detail = written(told.detail, target)
    return seal(end, told, datetime.now(UTC), detail), detail


def _row(entry: Entry, detail: str) -> tuple[object, ...]:
    """An entry by its columns."""
    told = entry.draft
    told_by = (str(told.driver), str(told.event), told.run, told.subject, told.checksum, str(told.outcome))
    return (entry.seq, entry.at, *told_by, detail, entry.previous, entry.hash)


def end_of(connection: Connection) -> Tip | None:
    """What is kept beside the ledger as its end, whatever the ledger holds; ``None`` where no release kept one. Raises ``LedgerBroken``."""
    chain = There.of(connection).chain
    if chain is None:
        return None
    with _as_made():
        row = connection.execute(f"SELECT seq, hash FROM {chain}".encode()).fetchone()
    is_one = row is not None and isinstance(row[0], int) and isinstance(row[1], str)
    return Tip(*row) if row is not None and is_one else NO_END


def read(connection: Connection) -> Iterator[Entry]:
    """Every entry, in order; none where there is no ledger. Raises ``LedgerBroken`` where its columns are others."""
    ledger = There.of(connection).ledger
    if ledger is None:
        return
    with by_default(connection), _as_made():
        rows = connection.execute(f"SELECT {_COLUMNS} FROM {ledger} ORDER BY seq".encode()).fetchall()
    for seq, at, driver, event, run, subject, checksum, outcome, detail, previous, digest in rows:
        told = (_shown(run), _shown(subject), _shown(checksum), _shown(outcome))
        draft = Draft(_member(Driver, driver), _member(Event, event), *told, _object(detail))
        time = at.astimezone(UTC) if isinstance(at, datetime) else _NEVER
        yield Entry(seq if isinstance(seq, int) else 0, time, draft, _shown(previous), _shown(digest))


# What a hand has put into an entry is shown as far as it can be, and breaks the chain.
_NEVER = datetime.min.replace(tzinfo=UTC)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _object(text: object) -> dict[str, object]:
    try:
        found = json.loads(_shown(text) or "{}")
    except ValueError:
        found = text
    return found if isinstance(found, dict) else {"detail": found}


def _member(enum: Any, value: object) -> Any:
    """A value that no enum member has was put there by somebody else: it is shown as it is, and breaks the chain."""
    try:
        return enum(value)
    except ValueError:
        return _shown(value)


_BY = "(l.detail OPERATOR(pg_catalog.#>>) '{{by,{}}}')"


def done_once(connection: Connection) -> frozenset[str]:
    """Checksums of the steps that were applied at least once in the current schema, whichever driver sent them.

    A role's own search path may lead to a schema that the list itself made: then role and path say that it was this state.
    """
    ledger = There.of(connection).ledger
    if ledger is None:
        return frozenset()
    rows = connection.execute(
        f"SELECT checksum FROM {ledger} l"
        " WHERE ((event OPERATOR(pg_catalog.=) 'step' AND outcome OPERATOR(pg_catalog.=) 'applied')"
        " OR (event OPERATOR(pg_catalog.=) 'upgrade' AND outcome OPERATOR(pg_catalog.<>) ALL ('{failed,refused}'::pg_catalog.text[])))"
        f" AND ({_BY.format('schema')} IS NULL"
        f" OR {_BY.format('schema')} OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema(), '')::pg_catalog.text"
        f" OR ({_BY.format('role')} OPERATOR(pg_catalog.=) current_user::pg_catalog.text"
        f" AND {_BY.format('search_path')} OPERATOR(pg_catalog.=) pg_catalog.current_setting('search_path')))"
    )
    return frozenset(c for (checksums,) in rows for c in _shown(checksums).split(",") if c)


def created_by(connection: Connection, revisions: tuple[str, ...], checksums: tuple[str, ...]) -> frozenset[str] | None:
    """What the bridge created for revisions or their steps, by either driver; ``None`` where no entry speaks of them.

    Objects as catalog keys in text (``column public.tenants.timezone``), changed attributes as ``<key>: <attribute>``.
    """
    rows = connection.execute(
        "SELECT detail OPERATOR(pg_catalog.->) 'created', detail OPERATOR(pg_catalog.->) 'changed', detail OPERATOR(pg_catalog.->) 'changes'"
        " FROM omega_bridge.omega_bridge_ledger"
        " WHERE (event OPERATOR(pg_catalog.=) 'upgrade' AND subject OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.text[]))"
        " OR (event OPERATOR(pg_catalog.=) 'step' AND checksum OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.text[]))",
        (list(revisions), list(checksums)),
    ).fetchall()
    if not rows:
        return None
    created = {name for row in rows for name in row[0] or ()}
    changed = {name for _, names, words in rows for name in (names if names is not None else _changed(words or ()))}
    return frozenset(created | changed)


def _changed(words: Iterable[str]) -> Iterator[str]:
    """Of an entry of an earlier release: ``changed column public.t.c: default None -> 'x'`` as ``column public.t.c: default``."""
    return (match[1] for text in words if (match := re.match(r"changed (.+?: \w+) ", text)))


def versions(connection: Connection, table: VersionTable | None = None) -> tuple[str, ...]:
    """What ``alembic_version`` says, or the history's own ``table``; nothing where there is no such table, or only a view of that name."""
    found = version_table(connection, table, plain=True)
    if found is None:
        return ()
    rows = connection.execute(f"SELECT version_num FROM {found} ORDER BY 1".encode())
    return tuple(str(r[0]) for r in rows if r[0] is not None)


def version_tables(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Schema and name of every table in which a history, whichever one, keeps its revision."""
    return tuple((str(schema), str(name)) for schema, name, _ in connection.execute(query("version_tables").encode()))


def version_table(connection: Connection, table: VersionTable | None = None, *, plain: bool = False) -> str | None:
    """Its name with its schema, quoted, as the search path finds it; ``None`` where there is none. ``plain``: only a table that can be
    read whoever owns it.
    """
    only = " AND c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog.\"char\" AND NOT c.relrowsecurity" if plain else ""
    row = connection.execute(
        (
            "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
            f" WHERE c.oid OPERATOR(pg_catalog.=) {oid_of(table)}{only}"
        ).encode()
    ).fetchone()
    return str(row[0]) if row else None


def last_boot(connection: Connection) -> str | None:
    """When the last start (or upgrade to the head) left its state in the current schema, in ISO format; ``None`` before the first, and where
    a hand has put there what is no time.
    """
    there = There.of(connection)
    given: tuple[str, ...] = ()
    if there.states is not None:
        asked, given = f"SELECT at FROM {there.states} WHERE schema OPERATOR(pg_catalog.=) %s::pg_catalog.text", (there.here,)
    elif there.state is not None:
        asked = f"SELECT at FROM {there.state}"
    else:
        return None
    with by_default(connection):
        try:
            row = connection.execute(asked.encode(), given).fetchone()
        except psycopg.DataError as exc:
            if exc.sqlstate is not None:
                raise
            return None  # a time that Python has no value for
    return row[0].isoformat(timespec="seconds") if row and isinstance(row[0], datetime) else None
