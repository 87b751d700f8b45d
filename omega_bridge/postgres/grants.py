"""What a role lacks to work with the bridge's own objects, by PostgreSQL's message (``aclcheck_error`` in src/backend/catalog/aclchk.c)."""

from __future__ import annotations

import psycopg
from psycopg.rows import TupleRow

from omega_bridge import errors
from omega_bridge.sql import identifier

THEIRS = (
    "The bridge's schema is another role's: start as that one, or as a member of it. Whose it is: "
    "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'omega_bridge'."
)
"""To who starts, and may not use it."""

_DENIED = "permission denied for "


def to_read(message: str) -> str:
    """What to grant to who only reads; empty for what the message does not name, or in another language than English."""
    kind, _, name = message.removeprefix(_DENIED).partition(" ")
    if not message.startswith(_DENIED) or not name or kind not in ("schema", "table"):
        return ""
    if kind == "table":
        return f"GRANT SELECT ON TABLE {name} TO <role>"
    return f"GRANT USAGE ON SCHEMA {name} TO <role>; GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO <role>"


def homeless(connection: psycopg.Connection[TupleRow]) -> errors.NotPermitted:
    """The error where Alembic's table has no schema that it could be made in."""
    user, database = identifier(connection.info.user), identifier(connection.info.dbname)
    return errors.NotPermitted(
        "the revision cannot be kept in alembic_version: no schema of the search_path is there, and nothing says in which one it is to be",
        hint=f"Let the search_path name one: ALTER ROLE {user} IN DATABASE {database} SET search_path = public; or say where the table is to be: "
        'version-table-schema = "public" in [tool.omega-bridge], and omega-bridge export.',
    )
