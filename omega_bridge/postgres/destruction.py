"""Rows are never lost silently: run a step, see in its own transaction what it destroyed, and take it back if that held rows.

Tables are told by their oid and columns by their number, so a table that was dropped and made anew counts as destroyed.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from omega_bridge.outcomes import Destroyed
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session


@dataclass(frozen=True, slots=True)
class _Table:
    schema: str
    name: str
    file: int
    columns: dict[int, str]


def run_watched(session: Session, text: str) -> tuple[Destroyed, ...]:
    """Run a step inside the transaction that is open; what it would have destroyed, when that holds rows.

    When something is returned, the step's work is undone and the caller ends the transaction. Otherwise it stands.
    """
    before = _tables(session)
    session.execute("SAVEPOINT omega_bridge_watched")
    session.execute(text)
    after = _tables(session)
    suspects = [(before[oid], column) for oid, column in _gone(before, after)]
    rewritten = [t for oid, t in after.items() if oid in before and t.file != before[oid].file]
    emptied = [t for t in rewritten if not _holds_rows(session, t)]
    if not suspects and not emptied:
        return ()
    session.execute("ROLLBACK TO SAVEPOINT omega_bridge_watched")
    lost = []
    for table, column in (*suspects, *((t, None) for t in emptied)):
        # Held until the end of the transaction: nobody adds a row between the count and the second run.
        session.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(_name(table)).as_bytes(session.connection))
        rows = _count(session, table, column)
        if rows:
            lost.append(Destroyed(f"{table.schema}.{table.name}" if table.schema != "public" else table.name, column, rows))
    if lost:
        return tuple(lost)
    session.execute(text)
    return ()


def _tables(session: Session) -> dict[int, _Table]:
    rows = session.rows(query("tables_and_columns"))
    return {
        oid: _Table(schema, name, file, dict(zip(numbers, names, strict=True)))
        for oid, schema, name, file, numbers, names in rows
    }


def _gone(before: dict[int, _Table], after: dict[int, _Table]) -> list[tuple[int, str | None]]:
    gone: list[tuple[int, str | None]] = []
    for oid, table in before.items():
        now = after.get(oid)
        if now is None:
            gone.append((oid, None))
        else:
            gone.extend((oid, name) for number, name in table.columns.items() if number not in now.columns)
    return gone


def _holds_rows(session: Session, table: _Table) -> bool:
    return bool(session.rows(sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(_name(table)).as_bytes(session.connection))[0][0])


def _count(session: Session, table: _Table, column: str | None) -> int:
    what = sql.SQL("*") if column is None else sql.Identifier(column)
    counted = sql.SQL("SELECT count({}) FROM {}").format(what, _name(table))
    return int(session.rows(counted.as_bytes(session.connection))[0][0])


def _name(table: _Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)
