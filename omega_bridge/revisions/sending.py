"""A step's text through the SQLAlchemy connection that Alembic holds, as it is written, whatever the driver.

Parameters are looked for by nobody: ``%`` and ``:name`` stay. asyncpg prepares what goes through SQLAlchemy's cursor, and takes
one command at a time there; its own ``execute`` takes them all, in the transaction that the adapter has begun.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from omega_bridge.analysis.context import may_set
from omega_bridge.analysis.keeping import is_script
from omega_bridge.analysis.reaching import may_reach_elsewhere
from omega_bridge.analysis.roles import TAKES_NO_WRITES, may_set_read_only
from omega_bridge.discarding import in_parts
from omega_bridge.errors import ConfigurationInvalid, StepSyntaxError
from omega_bridge.revisions import own_settings
from omega_bridge.sql import sendable

_BEGUN = "omega_bridge_begun"
"""Whether a step's own ``BEGIN`` stands open on a connection."""

SCRATCH = "omega_bridge_scratch"
"""Whether a connection is that of a proof: what may speak to another server is not sent there."""

_OWN, _STEPS = "omega_bridge_own_settings", "omega_bridge_step_settings"
"""The settings with which the command began, as soon as a step may set others; and those that the last step left."""

BY_CURSOR = {"psycopg", "psycopg2", "pg8000"}


def send(bind: Connection, text: str) -> None:
    """Raises what the driver raises, ``StepSyntaxError`` and, for a driver that nobody has tried, ``ConfigurationInvalid``."""
    if may_set(text) and _OWN not in bind.info:
        bind.info[_OWN] = _now(bind)
    _send(bind, text)
    if may_set_read_only(text) and bind.exec_driver_sql("SHOW default_transaction_read_only").scalar() == "on":
        raise StepSyntaxError(TAKES_NO_WRITES, hint="Take it out of the list.")


def begin_behind(bind: Connection, texts: Iterable[str]) -> None:
    """Ahead of the first revision of a command: these texts have been set by the ones before it, each on a connection that is gone."""
    for text in texts:
        send(bind, text)
    settle(bind)


def play(bind: Connection) -> None:
    """Ahead of a revision: what a step before it has set for the session."""
    if (steps := bind.info.get(_STEPS)) is not None:
        _send(bind, own_settings.given(steps))


def be_oneself(bind: Connection) -> None:
    """Behind the steps of a revision, until its commit: for what is not the list's."""
    if (own := bind.info.get(_OWN)) is not None:
        _send(bind, own_settings.given(own, is_local=True))


def settle(bind: Connection) -> None:
    """Behind the commit, which leaves in force what a step has set for the session, and not what it has set for its transaction."""
    if (own := bind.info.get(_OWN)) is not None:
        bind.info[_STEPS] = _now(bind)
        _send(bind, own_settings.given(own))
        bind.commit()


def _now(bind: Connection) -> tuple[str, ...]:
    return tuple(bind.exec_driver_sql(own_settings.ASKED).one())


def as_on_connecting(bind: Connection) -> None:
    """Leave nothing on a connection that the steps so far have set. Outside a transaction."""
    bind.exec_driver_sql("RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DISCARD TEMP")
    bind.info.pop(_STEPS, None)
    bind.commit()


def _send(bind: Connection, text: str) -> None:
    text, dialect = in_parts(text), bind.dialect
    raw = sendable(text)
    if dialect.driver not in (*BY_CURSOR, "asyncpg"):
        raise ConfigurationInvalid(
            f"the history cannot be run through the driver {dialect.driver!r}",
            hint="Give env.py a URL with psycopg, psycopg2, asyncpg or pg8000: postgresql+psycopg://...",
        )
    if bind.info.get(SCRATCH) and may_reach_elsewhere(text):
        return
    if dialect.driver == "asyncpg":
        if not text.startswith("ROLLBACK TO"):  # in a transaction that has failed
            bind.exec_driver_sql("SELECT 1").close()  # the adapter begins its transaction with its first statement
        adapted: Any = bind.connection.dbapi_connection
        adapted.run_async(lambda connection: connection.execute(text))
    elif dialect.driver == "psycopg" and not dialect.is_async:
        driver: Any = bind.connection.driver_connection
        driver.execute(raw)
    else:
        if dialect.driver == "pg8000":
            _leave_what_nobody_began(bind, text)
        bind.exec_driver_sql(text, execution_options={"no_parameters": True}).close()


def _leave_what_nobody_began(bind: Connection, text: str) -> None:
    """Alembic asks for the isolation level before it sets autocommit, and pg8000 begins a transaction for the question."""
    held: Any = bind.connection.dbapi_connection
    if held.autocommit and not bind.info.get(_BEGUN):
        held.rollback()
    if text.strip().rstrip(";").upper().partition(" ")[0] in ("BEGIN", "START"):
        bind.info[_BEGUN] = True
    elif is_script(text):
        bind.info[_BEGUN] = "SAVEPOINT" in text.upper() and bind.info.get(_BEGUN)
