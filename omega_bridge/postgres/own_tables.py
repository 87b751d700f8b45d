"""Our own tables in the schema ``omega_bridge``: which of them are there, under which layout's names, and the SQL that makes them or
lifts an older layout.

Every object of ours bears our name, in our own schema too: a guard that looks for a table ``ledger`` or ``states`` in every schema is
about the list's own. Layout 2 had the same tables without it; layout 1 no ``chain``, and one state for the whole database.
"""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from omega_bridge.postgres.fast_path.probe import TOKENS
from omega_bridge.postgres.queries import query
from omega_bridge.values import dataclass

LAYOUT = 3
"""Version of the tables in our schema."""

NOTHING = "SELECT NULL::pg_catalog.text, NULL::pg_catalog.text, " + ", ".join(["NULL::pg_catalog.numeric"] * TOKENS)
"""What a start is answered where there is no state."""

_NOW = {name: f"omega_bridge.omega_bridge_{name}" for name in ("ledger", "chain", "states", "catalogs")}
_BEFORE = {name: f"omega_bridge.{name}" for name in ("ledger", "chain", "states", "catalogs", "state")}
_CATALOGS = f"pg_catalog.to_regclass('{_NOW['catalogs']}')"
_MAY_WRITE = " AND ".join(
    f"pg_catalog.has_table_privilege({_CATALOGS}::pg_catalog.oid, '{right}')" for right in ("SELECT", "INSERT", "UPDATE")
)
_ASKED = f"""
SELECT pg_catalog.to_regnamespace('omega_bridge') IS NOT NULL, coalesce(pg_catalog.current_schema(), '')::pg_catalog.text,
  ARRAY(SELECT a.name FROM pg_catalog.unnest(%s::pg_catalog.text[]) a (name) JOIN pg_catalog.pg_class c
    ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(a.name)::pg_catalog.oid
    WHERE c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog."char" AND NOT c.relrowsecurity),
  coalesce({_MAY_WRITE}, false),
  {_CATALOGS} IS NULL
    AND coalesce(pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('omega_bridge')::pg_catalog.oid, 'CREATE'), false)
"""


@dataclass(frozen=True, slots=True)
class There:
    """What is there of ours: as plain tables without row security, which can be read whoever owns them. By its name to read from, which
    may be an older layout's; ``None`` where it is not there.
    """

    schema: bool
    here: str
    """The current schema."""
    ledger: str | None
    chain: str | None
    """And the states that came with it."""
    states: str | None
    state: str | None
    """The one state of layout 1."""
    catalogs: str | None
    """What a start saw."""
    is_whole: bool
    """Whether ledger, chain and states are there, and are those of this layout."""
    has_older: bool
    """Whether a table of an older layout is there."""
    is_older: bool
    """Whether that is the record: none of this layout is."""
    keeps_catalogs: bool
    """``catalogs`` is this layout's, and we may write it."""
    may_have_catalogs: bool
    """It is not there, and we may make it: an administrator may have made our schema for a role that creates nothing there."""

    @classmethod
    def of(cls, connection: psycopg.Connection[TupleRow]) -> There:
        """Ask."""
        row = connection.execute(_ASKED.encode(), ([*_NOW.values(), *_BEFORE.values()],)).fetchone()
        assert row is not None  # it has no FROM
        schema, here, names, may_write, may_have_catalogs = row
        found = frozenset(names)
        now = {name: full for name, full in _NOW.items() if full in found}
        before = {name: full for name, full in _BEFORE.items() if full in found}
        is_older = bool(before) and now.keys().isdisjoint(("ledger", "chain"))
        tables = before if is_older else now  # what an older layout has beside a newer one is stale
        states = tables.get("states")
        return cls(
            schema,
            here,
            tables.get("ledger"),
            tables.get("chain") if states else None,
            states,
            tables.get("state"),
            tables.get("catalogs"),
            is_whole={"ledger", "chain", "states"} <= now.keys(),
            has_older=bool(before),
            is_older=is_older,
            keeps_catalogs="catalogs" in now and may_write,
            may_have_catalogs=may_have_catalogs,
        )

    @classmethod
    def whole(cls, connection: psycopg.Connection[TupleRow]) -> There:
        """The same for who asks about tables alone: within a start, what it has seen at its beginning."""
        seen: There | None = getattr(connection, "there", None)
        return seen or cls.of(connection)

    @property
    def lacks(self) -> bool:
        """Whether something is to be made, lifted or cleared away."""
        return not self.is_whole or self.has_older or self.may_have_catalogs

    def making(self) -> str:
        """The statements that do it."""
        here, nothing = (sql.Literal(text).as_string(None) for text in (self.here, NOTHING))
        lift = query("ledger_lift").replace("{here}", here).replace("{nothing}", nothing) if self.is_older else ""
        return ("" if self.schema else query("own_schema")) + query("ledger_schema") + lift + query("ledger_older")
