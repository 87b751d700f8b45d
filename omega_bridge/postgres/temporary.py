"""What ends with a session: the objects in its schema for temporary ones."""

from __future__ import annotations

from omega_bridge.postgres.session import Session

_MINE = "OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()"
_OF_TABLES = f"OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT oid FROM pg_catalog.pg_class WHERE relnamespace {_MINE}))"
_NAMES = " UNION ALL ".join(
    f"SELECT {name}::pg_catalog.text FROM pg_catalog.{catalog} WHERE {where}"
    for catalog, name, where in (
        ("pg_class", "relname", f"relnamespace {_MINE}"),
        ("pg_type", "typname", f"typnamespace {_MINE}"),
        ("pg_proc", "proname", f"pronamespace {_MINE}"),
        ("pg_constraint", "conname", f"connamespace {_MINE}"),
        ("pg_trigger", "tgname", f"tgrelid {_OF_TABLES}"),
        ("pg_policy", "polname", f"polrelid {_OF_TABLES}"),
    )
)


def names(session: Session) -> frozenset[str]:
    """Their names. Most sessions have made none, and so no such schema: nothing else is asked then."""
    ((has_schema,),) = session.ask("SELECT pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0::pg_catalog.oid")
    return frozenset(str(name) for (name,) in session.ask(_NAMES)) if has_schema == "t" else frozenset()
