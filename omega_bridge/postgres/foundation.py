"""The foundation, laid: on a scratch database for a proof, on an empty database where a start is asked to."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg.rows import TupleRow

from omega_bridge import errors
from omega_bridge.planning.foundation import PARTIAL, Foundation


def run_on(connection: psycopg.Connection[TupleRow], foundation: Foundation) -> None:
    """Raises ``ConfigurationInvalid`` with the server's words where it does not take the text."""
    try:
        connection.execute(foundation.statement.encode())
    except psycopg.Error as error:
        raise rejected(foundation.source, error.sqlstate, error.diag.message_primary or str(error)) from error


def rejected(source: str, sqlstate: str | None, message: str) -> errors.OmegaBridgeError:
    """The server's refusal of a foundation as one of our errors."""
    if sqlstate == PARTIAL:
        return errors.FoundationIncomplete(
            message, hint=f"Make what is missing as {source} has it, or begin with an empty database."
        )
    hint = "Correct the file; psql shows the same message."
    if sqlstate == "42704" and "role" in message:
        hint = "Make it without owners and privileges: pg_dump --schema-only --no-owner --no-privileges."
    return errors.ConfigurationInvalid(f"the foundation {source} cannot be laid: {sqlstate}: {message}", hint=hint)


def is_lacking(connection: psycopg.Connection[TupleRow], foundation: Foundation) -> bool:
    """Whether any of its tables is not there."""
    return bool(missing(connection, foundation.tables))


def missing(connection: psycopg.Connection[TupleRow], tables: Sequence[str]) -> tuple[str, ...]:
    """Those of the tables, as ``to_regclass`` takes them, that are not there."""
    found = connection.execute(
        "SELECT w FROM pg_catalog.unnest(%s::pg_catalog.text[]) w WHERE pg_catalog.to_regclass(w) IS NULL", (list(tables),)
    )
    return tuple(name for (name,) in found)
