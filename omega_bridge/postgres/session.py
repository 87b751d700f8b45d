"""Connections, counted: every round trip of a boot goes through a ``Session``.

Driver errors cross one border here and become errors of our own family, without passwords.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import pq

from omega_bridge import errors
from omega_bridge.planning.outcomes import Cost, ServerError
from omega_bridge.postgres.dsn import redact

Row = tuple[Any, ...]

CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection where the DSN does not say."""


class Session:
    """One direct connection in autocommit, with the cost of what went through it."""

    def __init__(self, connection: psycopg.Connection[Row], dsn: str) -> None:
        self.connection = connection
        self.dsn = dsn
        self.cost = Cost()
        self.notices: list[str] = []
        connection.add_notice_handler(lambda d: self.notices.append(f"{d.severity}: {d.message_primary}"))

    def execute(self, query: str | bytes, params: Sequence[Any] | None = None, *, statements: int = 1) -> psycopg.Cursor[Row]:
        """One query, one round trip. Without parameters the text goes out exactly as it is, ``%`` included."""
        self.cost.round_trips += 1
        self.cost.statements += statements
        with border(self.dsn):
            return self.connection.execute(_bytes(query), params)

    def rows(self, query: str | bytes, params: Sequence[Any] | None = None) -> list[Row]:
        """The rows of one query."""
        return self.execute(query, params).fetchall()

    @contextmanager
    def counted(self, statements: int) -> Iterator[None]:
        """One round trip that is made by other means, such as a pipeline."""
        self.cost.round_trips += 1
        self.cost.statements += statements
        yield

    def rollback(self) -> None:
        """End a transaction that may have failed; nothing where there is none."""
        if self.connection.closed or self.connection.info.transaction_status == pq.TransactionStatus.IDLE:
            return
        self.execute("ROLLBACK")

    def drain_notices(self) -> tuple[str, ...]:
        """The notices since the last call."""
        found = tuple(self.notices)
        self.notices.clear()
        return found


@contextmanager
def open_session(dsn: str) -> Iterator[Session]:
    """Connect, and close at the end. Raises ``DatabaseUnreachable``, ``AuthenticationFailed``."""
    connection = connect(dsn)
    try:
        yield Session(connection, dsn)
    finally:
        connection.close()


def connect(dsn: str) -> psycopg.Connection[Row]:
    """A connection in autocommit that carries our name where the DSN gives none."""
    defaults: dict[str, Any] = {"application_name": "omega-bridge", "connect_timeout": CONNECT_TIMEOUT}
    with border(dsn):
        given: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(dsn)
        return psycopg.connect(**{**defaults, **given}, autocommit=True)


def server_error(exc: psycopg.Error) -> ServerError:
    """SQLSTATE and primary message. DETAIL is left out: it may hold the values of a row."""
    message = exc.diag.message_primary or str(exc).splitlines()[0]
    position = exc.diag.statement_position
    return ServerError(exc.sqlstate, message, int(position) if position else None)


@contextmanager
def border(dsn: str) -> Iterator[None]:
    """Connection-level driver errors become ours; errors of a statement pass, for whoever sent it to judge."""
    try:
        yield
    except psycopg.OperationalError as exc:
        translated = _translate(exc, dsn)
        if translated is None:
            raise
        raise translated from None if _may_tell(exc, dsn) else exc
    except psycopg.ProgrammingError as exc:
        if exc.sqlstate is None and "connection" not in str(exc):
            raise errors.ConfigurationInvalid(
                f"the database URL makes no sense to libpq: {redact(dsn)}",
                hint="Use postgresql://user@host:5432/database.",
            ) from None
        raise


_AUTHENTICATION = (
    "password authentication failed",
    "no password supplied",
    "authentication failed",
    "no pg_hba.conf entry",
    "does not exist",
)


def _translate(exc: psycopg.OperationalError, dsn: str) -> errors.OmegaBridgeError | None:
    where = redact(dsn)
    text = " ".join(str(exc).split())
    if exc.sqlstate in ("28P01", "28000") or (exc.sqlstate is None and any(a in text for a in _AUTHENTICATION[:4])):
        return errors.AuthenticationFailed(
            f"the server refused the role or its password: {where}",
            hint="Check the user and the password in the URL or in ~/.pgpass, and pg_hba.conf on the server.",
        )
    if (
        exc.sqlstate in ("57P01", "57P02", "57P03")
        or (exc.sqlstate or "").startswith("08")
        or "server closed the connection" in text
    ):
        return errors.ConnectionLost(
            f"the server ended the connection: {where}",
            hint="Nothing is half-applied: start again when the server is back.",
        )
    if exc.sqlstate in ("25006",):
        return None
    if exc.sqlstate is None:
        reason = "the database does not exist" if _AUTHENTICATION[4] in text else text.rpartition("failed: ")[2][:200]
        return errors.DatabaseUnreachable(
            f"no connection to {where}: {reason}",
            hint="Is the server running, and are host, port and database right? Try: psql with the same URL.",
        )
    return None


def _may_tell(exc: BaseException, dsn: str) -> bool:
    """Whether the driver's text could hold the password."""
    password = psycopg.conninfo.conninfo_to_dict(dsn).get("password")
    return bool(password) and str(password) in str(exc)


def _bytes(query: str | bytes) -> bytes:
    return query if isinstance(query, bytes) else query.encode()


@contextmanager
def permissions(session: Session) -> Iterator[None]:
    """What the server forbids the whole boot, in our words."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as exc:
        raise errors.NotPermitted(
            f"the role {session.connection.info.user!r} may not do what the boot needs: {exc.diag.message_primary}",
            hint=f'Grant it: GRANT CREATE ON DATABASE "{session.connection.info.dbname}" TO "{session.connection.info.user}";'
            " or boot once with a role that owns the schema.",
        ) from exc
    except psycopg.errors.ReadOnlySqlTransaction as exc:
        raise errors.ReadOnlyDatabase(
            "this server takes no writes (a standby, or default_transaction_read_only), and there is something to repair",
            hint="Point the URL at the primary: target_session_attrs=read-write chooses it among several hosts.",
        ) from exc
