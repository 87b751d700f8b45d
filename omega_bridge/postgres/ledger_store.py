"""The ledger and the state row in the schema ``omega_bridge``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

import psycopg

from omega_bridge.ledger import Draft, Driver, Entry, Event, Tip, clean, seal, written
from omega_bridge.postgres.encoding import codec, storable
from omega_bridge.postgres.printing import by_default
from omega_bridge.postgres.queries import query

_INTO = "omega_bridge.ledger (seq, at, driver, event, run, subject, checksum, outcome, detail, previous, hash)"
_INSERT = f"INSERT INTO {_INTO} VALUES (%s, %s, %s, %s, %s::uuid, %s, %s, %s, %s::jsonb, %s, %s)"
_COPY = f"COPY {_INTO} FROM STDIN"
_COLUMNS = "seq, at, driver, event, run::text, subject, checksum, outcome, detail::text, previous, hash"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class State:
    """What the last clean boot left. ``steps``: id, checksum, additive; ``data``: what a start with nothing to do runs."""

    digest: str
    revision: str | None
    names: tuple[str, ...]
    token: str
    catalog_digest: str
    steps: tuple[dict[str, Any], ...]
    data: tuple[dict[str, Any], ...]
    standing: tuple[dict[str, Any], ...]


def prepare(connection: Connection) -> None:
    """Make the schema where it is missing. Two at once: the caller holds the lock."""
    if text := lacking(connection):
        connection.execute(text.encode())


def lacking(connection: Connection) -> str:
    """The statements that make what is missing of the schema; nothing where all is there."""
    if exists(connection):
        return ""
    row = connection.execute("SELECT to_regnamespace('omega_bridge') IS NULL").fetchone()
    assert row is not None  # it has no FROM
    return (query("own_schema") if row[0] else "") + query("ledger_schema")


def exists(connection: Connection) -> bool:
    """Whether the schema is there, with both tables."""
    row = connection.execute(
        "SELECT to_regclass('omega_bridge.ledger') IS NOT NULL AND to_regclass('omega_bridge.state') IS NOT NULL"
    ).fetchone()
    return bool(row and row[0])


def tip(connection: Connection) -> Tip:
    """The end of the chain."""
    row = connection.execute("SELECT seq, hash FROM omega_bridge.ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return Tip(*row) if row else Tip()


def append(connection: Connection, drafts: Iterable[Draft], after: Tip | None = None) -> Tip:
    """Seal and insert entries after ``after`` (read from the table where it is not given); the new tip."""
    end = after or tip(connection)
    target = codec(connection)

    def sealed() -> Iterator[tuple[object, ...]]:
        nonlocal end
        for draft in drafts:
            subject, detail = clean(draft.subject, target), written(draft.detail, target)
            told = draft if subject == draft.subject else replace(draft, subject=subject)
            entry = seal(end, told, datetime.now(UTC), detail)
            end = Tip(entry.seq, entry.hash)
            yield _row(entry, detail)

    rows = sealed()
    first = list(islice(rows, 2))
    if len(first) == 1:
        connection.execute(_INSERT, first[0])
    elif first:
        with connection.cursor().copy(_COPY) as copy:  # the server inserts while the next ones are sealed
            for row in chain(first, rows):
                copy.write_row(row)
    return end


def _row(entry: Entry, detail: str) -> tuple[object, ...]:
    """An entry by its columns."""
    told = entry.draft
    told_by = (str(told.driver), str(told.event), told.run, told.subject, told.checksum, str(told.outcome))
    return (entry.seq, entry.at, *told_by, detail, entry.previous, entry.hash)


def read(connection: Connection) -> Iterator[Entry]:
    """Every entry, in order; none where there is no ledger."""
    if not exists(connection):
        return
    with by_default(connection):
        rows = connection.execute(f"SELECT {_COLUMNS} FROM omega_bridge.ledger ORDER BY seq").fetchall()
    for row in rows:
        seq, at, driver, event, run, subject, checksum, outcome, detail, previous, digest = row
        draft = Draft(_member(Driver, driver), _member(Event, event), run, subject, checksum, outcome, json.loads(detail))
        yield Entry(seq, at.astimezone(UTC), draft, previous, digest)


def _member(enum: Any, value: str) -> Any:
    """A value that no enum member has was put there by somebody else: it is shown as it is, and breaks the chain."""
    try:
        return enum(value)
    except ValueError:
        return value


def recall(connection: Connection) -> State | None:
    """The state row, or ``None``."""
    if not exists(connection):
        return None
    row = connection.execute(
        "SELECT digest, revision, names, token, catalog_digest, steps, data, standing FROM omega_bridge.state"
    ).fetchone()
    return state_of(row) if row else None


def state_of(row: tuple[Any, ...]) -> State:
    """A state from its row, in the order of the table's columns."""
    digest, revision, names, token, catalog_digest, steps, data, standing = row
    return State(digest, revision, tuple(names), token, catalog_digest, tuple(steps), tuple(data), tuple(standing))


def remember(connection: Connection, state: State) -> None:
    """Write the state row."""
    connection.execute(
        "INSERT INTO omega_bridge.state (digest, revision, names, token, catalog_digest, steps, data, standing) "
        "VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s::jsonb) ON CONFLICT (one) DO UPDATE SET "
        "digest = excluded.digest, revision = excluded.revision, names = excluded.names, token = excluded.token, "
        "catalog_digest = excluded.catalog_digest, steps = excluded.steps, data = excluded.data, "
        "standing = excluded.standing, at = excluded.at",
        (
            state.digest,
            state.revision,
            storable(connection, state.names),
            state.token,
            state.catalog_digest,
            *(written(part, codec(connection)) for part in (state.steps, state.data, state.standing)),
        ),
    )


def done_once(connection: Connection) -> frozenset[str]:
    """Checksums of the steps that were applied at least once."""
    if not exists(connection):
        return frozenset()
    rows = connection.execute("SELECT DISTINCT checksum FROM omega_bridge.ledger WHERE event = 'step' AND outcome = 'applied'")
    return frozenset(r[0] for r in rows)


def created_by(connection: Connection, revisions: tuple[str, ...], checksums: tuple[str, ...]) -> frozenset[str] | None:
    """What the bridge created for revisions or their steps, by either driver; ``None`` where no entry speaks of them.

    Objects as catalog keys in text (``column public.tenants.timezone``), changed attributes as ``<key>: <attribute>``.
    """
    rows = connection.execute(
        "SELECT detail->'created', detail->'changes' FROM omega_bridge.ledger "
        "WHERE (event = 'upgrade' AND subject = ANY (%s)) OR (event = 'step' AND checksum = ANY (%s))",
        (list(revisions), list(checksums)),
    ).fetchall()
    if not rows:
        return None
    created = {name for row in rows for name in row[0] or ()}
    changed = {found for row in rows for text in row[1] or () if (found := _changed(text))}
    return frozenset(created | changed)


def _changed(text: str) -> str | None:
    """``changed column public.t.c: default None -> 'x'`` as ``column public.t.c: default``."""
    match = re.match(r"changed (.+?: \w+) ", text)
    return match[1] if match else None


def versions(connection: Connection) -> tuple[str, ...]:
    """What ``alembic_version`` says; nothing where there is no such table."""
    row = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return ()
    return tuple(r[0] for r in connection.execute("SELECT version_num FROM alembic_version ORDER BY 1"))


def last_boot(connection: Connection) -> str | None:
    """When the last clean boot (or upgrade to the head) left its state, in ISO format; ``None`` before the first."""
    if not exists(connection):
        return None
    with by_default(connection):
        row = connection.execute("SELECT at FROM omega_bridge.state").fetchone()
    return row[0].isoformat(timespec="seconds") if row else None
