"""The event trigger that notes DDL, where the role may create one: then a start reads one empty table."""

from __future__ import annotations

import psycopg

from omega_bridge import errors
from omega_bridge.postgres import ledger_store, watch
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session


def install(session: Session) -> None:
    """Install it, once more where it is there. The next start looks at the schema and records anew. Raises ``NotPermitted``."""
    connection = session.connection
    try:
        with connection.transaction():
            ledger_store.prepare(connection)
            connection.execute(query("sentinel"))
            connection.execute("INSERT INTO omega_bridge.ddl VALUES (clock_timestamp(), pg_backend_pid(), 'sentinel installed')")
            watch.forget(connection)
    except psycopg.errors.InsufficientPrivilege as exc:
        raise errors.NotPermitted(
            f"the role {connection.info.user!r} may not create an event trigger: {exc.diag.message_primary}",
            hint="Only a superuser may (on hosted servers: the role they name for it). The bridge works without: a start then asks the catalogs.",
        ) from exc


def remove(session: Session) -> None:
    """Take it away again."""
    with session.connection.transaction():
        session.connection.execute(
            "DROP EVENT TRIGGER IF EXISTS omega_bridge_ddl; DROP EVENT TRIGGER IF EXISTS omega_bridge_drop; "
            "DROP VIEW IF EXISTS omega_bridge.watch; DELETE FROM omega_bridge.state; "
            "DROP FUNCTION IF EXISTS omega_bridge.note_ddl(); DROP TABLE IF EXISTS omega_bridge.ddl"
        )
