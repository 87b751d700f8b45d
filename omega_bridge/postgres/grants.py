"""What a role lacks to work with the bridge's own objects, by PostgreSQL's message (``aclcheck_error`` in src/backend/catalog/aclchk.c)."""

from __future__ import annotations

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
