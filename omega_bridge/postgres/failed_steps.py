"""What stands failed is tried again by a start that has nothing else to do: would PostgreSQL take it now?

Each try is a transaction that is rolled back, under a short lock wait. Where one goes through, the whole list is worked through
under the lock: what later steps overwrite of it comes in its place.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import psycopg

from omega_bridge.discarding import in_parts
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import Action, ServerError, StepOutcome
from omega_bridge.postgres import settings
from omega_bridge.postgres.driver_errors import server_error
from omega_bridge.postgres.session import Session
from omega_bridge.steps import Place

if TYPE_CHECKING:
    from omega_bridge.typed import KeptStanding


log = logging.getLogger("omega_bridge")


def still_failing(
    session: Session, standing: tuple[KeptStanding, ...], lock_timeout: float, statement_timeout: float, *, is_due: bool
) -> tuple[StepOutcome, ...] | None:
    """The outcomes of what stands failed; ``None`` where one would go through now, or can only be tried in its place in the list.

    ``is_due``: whether it is to be tried; else it is told from memory.
    """
    told: list[StepOutcome] = []
    for entry in standing:
        if entry["outcome"] != Outcome.FAILED:
            continue
        if not is_due or entry["sql"] is None:
            told.append(_remembered(entry))
            continue
        if entry["in_place"]:
            return None
        log.info("[MIGRATION] Applying step %s (it stands failed)", entry["id"])
        started = time.perf_counter()
        error = _try(session, entry["sql"], lock_timeout, statement_timeout)
        if error is None:
            return None
        log.warning("[MIGRATION] step %s: failed (%s)", entry["id"], error)
        told.append(_outcome(entry, error, f"stands failed: {error}", time.perf_counter() - started))
    return tuple(told)


def _try(session: Session, text: str, lock_timeout: float, statement_timeout: float) -> ServerError | None:
    """Send a step's text, and take back what it did; the server's error, where it rejects it."""
    try:
        session.ask("; ".join(["BEGIN", *settings.local(session, lock_timeout, statement_timeout)]))
        session.ask(in_parts(text), within=None)
        session.ask("SET CONSTRAINTS ALL IMMEDIATE", within=None)
    except psycopg.Error as exc:
        return server_error(exc)
    finally:
        if session.in_transaction:
            session.ask("ROLLBACK")
    return None


def _remembered(entry: KeptStanding) -> StepOutcome:
    error = entry["error"]
    return _outcome(entry, ServerError(error["sqlstate"], error["message"]) if error else None, entry["reason"], 0.0)


def _outcome(entry: KeptStanding, error: ServerError | None, reason: str, seconds: float) -> StepOutcome:
    return StepOutcome(
        id=entry["id"],
        kind=entry["kind"],
        action=Action.RUN if seconds else Action.SKIP,
        outcome=Outcome.FAILED,
        reason=reason,
        checksum=entry["checksum"],
        place=Place(*entry["place"]),
        title=entry["title"],
        seconds=seconds,
        error=error,
        optional=entry["optional"],
    )
