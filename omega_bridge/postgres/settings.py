"""The server's time limits for what we send: ours, whatever the role or the database has set, and none that nobody ends.

Where a client is gone, PostgreSQL 14 and later see so while they work (``client_connection_check_interval``); 13 would work on,
so there a statement has an end of its own. Source: PostgreSQL's manual, "Client Connection Defaults", "TCP Settings".
"""

from __future__ import annotations

from omega_bridge.postgres.session import Session

THINKING = "60s"
"""How long we may think in the middle of a transaction before the server takes us for gone."""

CHECKED_EVERY = "2s"
"""How often a server that works for us looks whether we are still there."""

LONGEST_UNCHECKED = 3600.0
"""Seconds for one statement where the server cannot look, and no limit was given."""


def keep(session: Session, budget: float) -> None:
    """Set them for as long as the session lasts. ``budget``: seconds that one statement of ours may wait for locks.

    Behind a pooler that keeps sessions only in the server process that holds our locks, which ``give_back`` leaves as it was.
    """
    limits = _kept(session, budget)
    if session.is_pooled and session.held is not None:
        calls = ", ".join(f"pg_catalog.set_config('{name}', '{value}', false)" for name, value in limits.items())
        session.ask(f"SELECT {session.held.where_taken(f'(ARRAY[{calls}])[1]')}")
        return
    texts = [f"SET {name} = '{value}'" for name, value in limits.items()]
    session.ask("; ".join([*texts, _checked(is_local=False)] if _can_check(session) else texts))


def give_back(session: Session, pid: int) -> None:
    """Leave a pooler's server connection, if it is still the one with the process ``pid``, with the limits that it came with."""
    names = ",".join(_kept(session, 0.0))
    session.ask(
        "SELECT pg_catalog.set_config(s.name, s.reset_val, false) FROM pg_catalog.pg_settings s"
        f" WHERE s.name OPERATOR(pg_catalog.=) ANY ('{{{names}}}'::pg_catalog.text[])"
        f" AND pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) {pid}"
    )


def _kept(session: Session, budget: float) -> dict[str, str]:
    """``idle_session_timeout`` came with PostgreSQL 14."""
    limits = _limits(session, budget, 0.0)
    if session.server_version >= 140000:
        limits["idle_session_timeout"] = "0"
    if _has_transaction_timeout(session):
        limits["transaction_timeout"] = "0"
    return limits


def local(session: Session, lock_timeout: float, statement_timeout: float) -> list[str]:
    """The statements that set them for one transaction; seconds, 0 for none."""
    texts = [f"SET LOCAL {name} = '{value}'" for name, value in _limits(session, lock_timeout, statement_timeout).items()]
    if _has_transaction_timeout(session):
        texts.append("SET LOCAL transaction_timeout = 0")
    return [*texts, _checked(is_local=True)] if _can_check(session) else texts


def _limits(session: Session, lock_timeout: float, statement_timeout: float) -> dict[str, str]:
    if not statement_timeout and not _can_check(session):
        statement_timeout = LONGEST_UNCHECKED
    return {
        "lock_timeout": str(max(int(lock_timeout * 1000), 1)),
        "statement_timeout": str(int(statement_timeout * 1000)),
        "idle_in_transaction_session_timeout": THINKING,
    }


def _has_transaction_timeout(session: Session) -> bool:
    return session.server_version >= 170000


def _can_check(session: Session) -> bool:
    return session.server_version >= 140000


def _checked(*, is_local: bool) -> str:
    """On other systems than Linux it depends on the version, and is an error where the server cannot tell."""
    return (
        f"SELECT pg_catalog.set_config('client_connection_check_interval', '{CHECKED_EVERY}', {str(is_local).lower()}) "
        "WHERE pg_catalog.strpos(pg_catalog.version(), 'linux') OPERATOR(pg_catalog.>) 0"
    )
