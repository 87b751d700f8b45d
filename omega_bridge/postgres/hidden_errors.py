"""The error that a step swallowed: its text runs once more with every handler raising again, in a transaction rolled back."""

from __future__ import annotations

import psycopg

from omega_bridge import sql
from omega_bridge.analysis import StepAnalysis
from omega_bridge.analysis.leaving import way_out
from omega_bridge.outcomes import ServerError
from omega_bridge.postgres import settings
from omega_bridge.postgres.driver_errors import server_error
from omega_bridge.postgres.session import Session


def find(session: Session, step: StepAnalysis) -> ServerError | None:
    """PostgreSQL's true words about a step that ran without error and without effect; ``None`` where there are none."""
    text = sql.unswallowed(step.step.sql)
    if text is None or way_out(text) is not None:  # what goes out of its transaction is not taken back
        return None
    try:
        session.execute("; ".join(["BEGIN", *settings.local(session, 0.5, 0.0)]))
        session.execute(text)
    except psycopg.Error as exc:
        return server_error(exc)
    finally:
        session.rollback()
    return None
