"""The data steps of a start that finds its schema current: asked first, and sent only where a row would change."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import psycopg

from omega_bridge.errors import OmegaBridgeError
from omega_bridge.ledger import Draft, Driver, Event, Outcome
from omega_bridge.outcomes import Action, StepOutcome
from omega_bridge.postgres import data_lock, settings
from omega_bridge.postgres.session import Session, changed
from omega_bridge.steps import Place
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.typed import KeptData
    from omega_bridge.version_table import VersionTable

log = logging.getLogger("omega_bridge")

NO_ROW = "no row to change"

READ_ONLY = "SET LOCAL transaction_read_only = on"
"""Around a question: PostgreSQL runs functions that call themselves immutable when it plans."""

PATIENCE = 10.0
"""Seconds to wait for the data steps of another start."""

_FILES = (
    "SELECT pg_catalog.concat(pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat(c.oid, ':', c.relfilenode), ',' ORDER BY c.oid)), "
    "(SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute WHERE attisdropped)) FROM pg_catalog.pg_class c "
    "WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[]) AND c.relpersistence OPERATOR(pg_catalog.<>) 't'"
)
"""Every table with its file, and how many columns were ever dropped: a data step that changes this is one to be watched."""
_BEFORE = f"SELECT pg_catalog.set_config('omega_bridge.files', ({_FILES}), true)"
_AFTER = (
    f"DO $$ BEGIN IF pg_catalog.current_setting('omega_bridge.files', true) IS DISTINCT FROM ({_FILES}) "
    "THEN RAISE EXCEPTION 'omega-bridge: a data step dropped or truncated'; END IF; END $$"
)


def run(
    session: Session,
    entries: tuple[KeptData, ...],
    lock_timeout: float,
    owners: Collection[str] = (),
    table: VersionTable | None = None,
) -> tuple[StepOutcome, ...] | None:
    """Outcomes of the data steps, or ``None`` where the whole boot has to look again: one failed, or runs under what a step sets.

    What changed rows is in the ledger. ``owners``: roles that are trusted beside those that always are; ``table``: where the
    history's revision is kept. Raises ``NotTrusted``.
    """
    if not entries:
        return ()
    if any(e.get("context") is None for e in entries):
        return None
    wanted = _wanted(session, entries, lock_timeout)
    if wanted is None:
        return None
    due = [e for e, change in wanted if change]
    sent = _send(session, due, lock_timeout, owners, table) if due else {}
    if sent is None:
        return None
    return tuple(
        StepOutcome(
            id=e["id"],
            kind="data",
            action=Action.RUN if change else Action.SKIP,
            outcome=Outcome.APPLIED if change else Outcome.SKIPPED,
            reason="data: runs at every boot" if change else NO_ROW,
            checksum=e["checksum"],
            place=Place(*e["place"]),
            seconds=sent[e["id"]].seconds if change else 0.0,
            rows=sent[e["id"]].rows if change else 0,
        )
        for e, change in wanted
    )


def _wanted(session: Session, entries: tuple[KeptData, ...], lock_timeout: float) -> list[tuple[KeptData, bool]] | None:
    """Each entry, and whether it is sent: all from the first that may change a row, which may give a later one its work.

    Where one has to be sent anyway, asking for the others would be a round trip more. ``None``: the server rejects a question.
    """
    if not all(e["lookahead"] for e in entries):
        return [(e, True) for e in entries]
    answers = _ask(session, entries, lock_timeout)
    if answers is None:
        return None
    first = answers.index(True) if True in answers else len(answers)
    return [(e, number >= first) for number, e in enumerate(entries)]


def _ask(session: Session, entries: tuple[KeptData, ...], lock_timeout: float) -> list[bool] | None:
    """One round trip for all the questions, which is one transaction: a table that is locked is not waited for without end."""
    asked = [*settings.local(session, lock_timeout, 0.0), READ_ONLY]
    if any(e["context"] for e in entries):
        for entry, further in _in_context(entries):
            answer = f"pg_catalog.concat(pg_catalog.current_setting({_ANSWERS}, true), ({entry['lookahead']}))"
            asked += [*further, f"SELECT pg_catalog.set_config({_ANSWERS}, {answer}, true)"]
    else:
        questions = ", ".join(f"({e['lookahead']})" for e in entries)
        asked.append(f"SELECT pg_catalog.concat({questions})")
    try:
        ((answers,),) = session.ask("; ".join(asked), within=None)
    except psycopg.Error:
        return None
    found = [answer == "t" for answer in answers or ""]
    return found if len(found) == len(entries) else None


_ONESELF = (b"SET LOCAL session_authorization TO DEFAULT", b"SET LOCAL role TO DEFAULT", b"SET LOCAL search_path TO DEFAULT")
_ANSWERS = "'omega_bridge.answers'"


def _in_context(entries: Iterable[KeptData]) -> Iterator[tuple[KeptData, Sequence[str]]]:
    """Each entry with what has to be set before it, beyond what is set for those ahead of it."""
    done = 0
    for entry in entries:
        context = entry["context"] or ()
        yield entry, context[done:]
        done = len(context)


@dataclass(frozen=True, slots=True)
class _Sent:
    """What became of an entry that was sent."""

    seconds: float
    rows: int


def _send(
    session: Session, due: list[KeptData], lock_timeout: float, owners: Collection[str], table: VersionTable | None
) -> dict[str, _Sent] | None:
    """All go out in one round trip and one transaction; where one fails, or drops something by a function that it calls, all are
    undone and the whole boot looks again. Each statement sees what was committed before it, another start's rows among it.
    """
    started = time.perf_counter()
    for entry in due:
        log.info("[MIGRATION] Applying step %s (data)", entry["id"], extra={"step": entry["id"]})
    try:
        rows = _in_turn(session, due, lock_timeout)
        if any(rows.values()):
            _record(session, due, rows, owners, table)
        session.execute("COMMIT")
    except psycopg.Error:
        session.rollback()
        return None
    except OmegaBridgeError:
        session.rollback()
        raise
    spent = time.perf_counter() - started
    log.info(
        "[MIGRATION] %d data step(s) done in %.1f ms", len(due), spent * 1000, extra={"outcome": "applied", "seconds": spent}
    )
    return {e["id"]: _Sent(spent / len(due), rows[e["id"]]) for e in due}


def _in_turn(session: Session, due: list[KeptData], lock_timeout: float) -> dict[str, int]:
    """Send them in a transaction that stays open, while no other start sends its own; the rows that each changed."""
    sent: dict[str, list[psycopg.Cursor[Any]]] = {}
    with session.counted(), session.connection.pipeline():
        session.connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        for limit in settings.local(session, PATIENCE, 0.0):
            session.connection.execute(limit.encode())
        session.connection.execute(data_lock.TAKE)
        for limit in settings.local(session, lock_timeout, 0.0):
            session.connection.execute(limit.encode())
        session.connection.execute(_BEFORE)
        for entry, further in _in_context(due):
            for text in further:
                session.connection.execute(text.encode())
            sent[entry["id"]] = [session.connection.execute(text.encode()) for text in entry["statements"]]
        session.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # triggers that wait for the commit, while it can be undone
        if any(entry["context"] for entry in due):
            for own in _ONESELF:
                session.connection.execute(own)
        session.connection.execute(_AFTER)
    return {step: sum(changed(cursor) for cursor in cursors) for step, cursors in sent.items()}


def _record(
    session: Session, due: list[KeptData], rows: dict[str, int], owners: Collection[str], table: VersionTable | None
) -> None:
    """An entry for each step that changed rows, in the transaction that does so. Only such a start loads what writes them."""
    import uuid

    from omega_bridge.postgres import ledger_store
    from omega_bridge.postgres.trust import check

    check(session.connection, owners, table)
    run = str(uuid.uuid4())
    reason = "data: runs at every boot"
    drafts = [
        Draft(Driver.BOOT, Event.STEP, run, e["id"], e["checksum"], Outcome.APPLIED, {"reason": reason, "rows": rows[e["id"]]})
        for e in due
        if rows[e["id"]]
    ]
    log.info("[MIGRATION] the ledger ends at %s", ledger_store.append(session.connection, drafts))
