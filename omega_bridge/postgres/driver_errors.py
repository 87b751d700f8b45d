"""The driver's errors as ours: of a connection that could not be had or is lost, and of the bridge's own statements.

Nothing loads this module before something went wrong.
"""

from __future__ import annotations

import psycopg

from omega_bridge import errors
from omega_bridge.outcomes import ServerError
from omega_bridge.postgres.dsn import ESCAPES

_SYNTAX = "42601"


def server_error(exc: psycopg.Error) -> ServerError:
    """SQLSTATE and primary message. DETAIL is left out: it may hold the values of a row."""
    message = exc.diag.message_primary or next(iter(str(exc).splitlines()), type(exc).__name__)
    if exc.sqlstate == _SYNTAX:
        from omega_bridge.redaction import without_literal

        message = without_literal(message)
    position = exc.diag.statement_position
    return ServerError(exc.sqlstate, message, int(position) if position else None)


def lost_connection(error: object, dsn: str) -> errors.OmegaBridgeError | None:
    """Our error for a driver's that speaks of the connection; ``None`` for any other."""
    return _translate(error, dsn) if isinstance(error, psycopg.Error) else None


_AUTHENTICATION = (
    "password authentication failed",
    "no password supplied",
    "authentication failed",
    "no pg_hba.conf entry",
    "does not exist",
)


_LOST = ("server closed the connection", "the connection is closed", "the connection is lost", "no connection to the server")


def _translate(exc: psycopg.Error, dsn: str) -> errors.OmegaBridgeError | None:
    """The error of a connection that could not be had, or is lost; ``None`` for that of a statement."""
    from omega_bridge.redaction import is_clear, redact, without_secrets

    text = " ".join(str(exc).split())
    if not isinstance(exc, psycopg.OperationalError) or exc.diag.severity_nonlocalized == "ERROR":
        return None  # the session goes on behind an ERROR: of a statement that could not connect elsewhere, or says so
    where = redact(dsn)
    if exc.sqlstate in ("28P01", "28000") or (exc.sqlstate is None and any(a in text for a in _AUTHENTICATION[:4])):
        return errors.AuthenticationFailed(
            f"the server refused the role or its password: {where}",
            hint="Check the user and the password in the URL or in ~/.pgpass, and pg_hba.conf on the server.",
        )
    if (
        exc.sqlstate in ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04")
        or (exc.sqlstate or "").startswith("08")
        or any(a in text for a in _LOST)
    ):
        return errors.ConnectionLost(
            f"the server ended the connection: {where}"
            + (f" ({exc.sqlstate}: {exc.diag.message_primary})" if exc.sqlstate and exc.diag.message_primary else ""),
            hint="Nothing is half-applied: start again when the server is back.",
        )
    if exc.sqlstate is None:
        words = text.rpartition("failed: ")[2].partition(" Is the server running")[0]  # libpq's question is our hint
        told = without_secrets(words[:200], [dsn])
        if _AUTHENTICATION[4] in text:
            told = f"the {'role' if 'FATAL: role' in text else 'database'} does not exist"
        if not is_clear(dsn):  # libpq may have taken a part of the password for something else, and quote it
            return errors.DatabaseUnreachable(f"no connection to {where}: its parts cannot be told apart", hint=ESCAPES)
        return errors.DatabaseUnreachable(
            f"no connection to {where}: {told}",
            hint="The server offers no SSL: switch it on there, or take sslmode out of the URL."
            if "server does not support SSL" in text  # libpq's own words
            else "The server answered, and refused: check the role, its password and the database in the URL."
            if "FATAL:" in text  # the same word in every lc_messages; the rest is in the server's language, without SQLSTATE
            else "Is the server running, and are host, port and database right? Try: psql with the same URL.",
        )
    return None


def quotable(exc: psycopg.Error, dsn: str) -> psycopg.Error | None:
    """The driver's error as a cause, where its text does not hold what a traceback must not show."""
    from omega_bridge.redaction import is_clear, without_secrets

    return exc if exc.sqlstate or (is_clear(dsn) and without_secrets(str(exc), [dsn]) == str(exc)) else None


def rejected(exc: psycopg.Error, dsn: str) -> errors.StatementRejected:
    """The error of a statement of the bridge's own, with the server's words."""
    from omega_bridge.postgres.grants import to_read
    from omega_bridge.redaction import without_secrets

    state = exc.sqlstate
    hint = _HINTS.get(
        state or "", _HINTS.get((state or "")[:2], "Start again; omega-bridge ledger log shows what was done so far.")
    )
    grant = to_read(exc.diag.message_primary or "") if state == "42501" else ""
    return errors.StatementRejected(
        without_secrets(f"PostgreSQL rejected what the bridge asked of it: {server_error(exc)}", [dsn]),
        hint=f"The role may not do that. To read it: {grant}; to start, be its owner." if grant else hint,
        sqlstate=state,
    )


_ALTERED = (
    "The bridge asks this of its own tables, or of alembic_version: has somebody altered them? The ledger and its chain: restore them"
    " from a backup. What starts make anew: DROP TABLE IF EXISTS omega_bridge.omega_bridge_states, omega_bridge.omega_bridge_catalogs;"
    " then start again."
)
_HINTS = {
    "57014": "Somebody cancelled it, or a statement_timeout of the role or the database ran out: start again.",
    "55P03": "Another session keeps the lock: find it in pg_locks and pg_stat_activity, and start again.",
    "53": "The server lacks disk space, memory or connections: make room, and start again.",
    "42501": "The role may not do that: GRANT it what the message names, or start as the owner.",
    "25": "The session takes no writes, or is in a transaction that failed: look at default_transaction_read_only of the role.",
    "40": "Another session was in the way: start again.",
    **dict.fromkeys(("21", "22", "23", "42703", "42804", "42809", "42883", "42P01", "42P10", "55000"), _ALTERED),
    "42P13": "Somebody has put another function in the place of the bridge's: DROP FUNCTION omega_bridge.omega_bridge_probe(); then start again.",
    "XX": "The server reports an error of its own: look at its log, then start again.",
}
"""What to do, by SQLSTATE or its class."""


def read_only() -> errors.ReadOnlyDatabase:
    """The error of a server that takes no writes."""
    return errors.ReadOnlyDatabase(
        "this server takes no writes (a standby, or default_transaction_read_only), and there is something to repair",
        hint="Point the URL at the primary: target_session_attrs=read-write chooses it among several hosts.",
    )
