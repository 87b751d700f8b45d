"""Steps that refuse a transaction, such as ``CREATE INDEX CONCURRENTLY``: each statement by itself."""

from __future__ import annotations

from omega_bridge.catalog import Kind
from omega_bridge.planning import PlannedStep
from omega_bridge.postgres.patience import Limits
from omega_bridge.postgres.session import Session


def send(session: Session, planned: PlannedStep, limits: Limits) -> None:
    """Send the statements of a step. Raises psycopg's errors at the first one that the server rejects."""
    session.execute(f"SET lock_timeout = {int(limits.lock_timeout * 1000)}")
    try:
        for text in planned.analysis.texts():
            _drop_invalid(session, planned, text)
            session.execute(text)
    finally:
        if not session.connection.closed:
            session.rollback()
            session.execute("RESET lock_timeout")


def _drop_invalid(session: Session, planned: PlannedStep, text: str) -> None:
    """``CREATE INDEX CONCURRENTLY IF NOT EXISTS`` takes an INVALID index for done: the leavings of a crash go first."""
    for statement in planned.statements:
        if statement.text != text or statement.tag != "index_stmt":
            continue
        for effect in statement.effects:
            if effect.key.kind is not Kind.INDEX:
                continue
            rows = session.rows(
                "SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND c.relname = %s "
                "AND i.indrelid = to_regclass(%s)",
                (effect.key.name, _regclass(effect.key.schema, dict(effect.attributes)["table"])),
            )
            for (name,) in rows:
                session.execute(f"DROP INDEX CONCURRENTLY {name}")


def _regclass(schema: str, name: str) -> str:
    parts = [p for p in (schema, name) if p]
    return ".".join('"' + p.replace('"', '""') + '"' for p in parts)
