"""The data steps of a start that finds its schema current: asked first, and sent only where a row would change."""

from __future__ import annotations

import logging
import time
from typing import Any

import psycopg

from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import Action, StepOutcome
from omega_bridge.postgres import settings
from omega_bridge.postgres.probe import Entries
from omega_bridge.postgres.session import Session
from omega_bridge.steps import Place

log = logging.getLogger("omega_bridge")

NO_ROW = "no row to change"

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


def run(session: Session, entries: Entries, lock_timeout: float) -> tuple[StepOutcome, ...] | None:
    """Outcomes of the data steps, or ``None`` where one failed and the whole boot has to look again."""
    if not entries:
        return ()
    wanted = _wanted(session, entries, lock_timeout)
    if wanted is None:
        return None
    due = [e for e, change in wanted if change]
    seconds = _send(session, due, lock_timeout) if due else {}
    if seconds is None:
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
            seconds=seconds.get(e["id"], 0.0),
        )
        for e, change in wanted
    )


def _wanted(session: Session, entries: Entries, lock_timeout: float) -> list[tuple[dict[str, Any], bool]] | None:
    """Each entry, and whether it is sent: all from the first that may change a row, which may give a later one its work.

    Where one has to be sent anyway, asking for the others would be a round trip more. ``None``: the server rejects a question.
    """
    if not all(e["lookahead"] for e in entries):
        return [(e, True) for e in entries]
    answers = _ask(session, [e["lookahead"] for e in entries], lock_timeout)
    if answers is None:
        return None
    first = answers.index(True) if True in answers else len(answers)
    return [(e, number >= first) for number, e in enumerate(entries)]


def _ask(session: Session, questions: list[str], lock_timeout: float) -> list[bool] | None:
    """One round trip for all the questions, which is one transaction: a table that is locked is not waited for without end."""
    if not questions:
        return []
    asked = [*settings.local(session, lock_timeout, 0.0), "SELECT " + ", ".join(f"({q})" for q in questions)]
    try:
        row = session.ask("; ".join(asked), within=None)[0]
    except psycopg.Error:
        return None
    return [answer == "t" for answer in row]


def _send(session: Session, due: list[dict[str, Any]], lock_timeout: float) -> dict[str, float] | None:
    """All go out in one round trip and one transaction; where one fails, or drops something by a function that it calls, all are
    undone and the whole boot looks again.
    """
    started = time.perf_counter()
    for entry in due:
        log.info("[MIGRATION] Applying step %s (data)", entry["id"], extra={"step": entry["id"]})
    try:
        with session.counted(len(due)), session.connection.pipeline():
            session.connection.execute("BEGIN")
            for limit in settings.local(session, lock_timeout, 0.0):
                session.connection.execute(limit.encode())
            session.connection.execute(_BEFORE)
            for entry in due:
                for text in entry["statements"]:
                    session.connection.execute(text.encode())
            session.connection.execute(
                "SET CONSTRAINTS ALL IMMEDIATE"
            )  # triggers that wait for the commit, while it can be undone
            session.connection.execute(_AFTER)
            session.connection.execute("COMMIT")
    except psycopg.Error:
        session.rollback()
        return None
    spent = time.perf_counter() - started
    log.info(
        "[MIGRATION] %d data step(s) done in %.1f ms", len(due), spent * 1000, extra={"outcome": "applied", "seconds": spent}
    )
    return {e["id"]: spent / len(due) for e in due}
