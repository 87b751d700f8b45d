"""What the last start saw in a schema, beside its state: written where a start records one anyway, and read by ``drift``.

The text is the one that the catalog's digest was made of, so it costs a start next to nothing. An older release, which knows
nothing of it, writes the state alone: then the digests differ, and there is nothing to read.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any

import psycopg

from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.postgres.printing import by_default

Connection = psycopg.Connection[Any]

_TABLE = "pg_catalog.to_regclass('omega_bridge.catalogs')"
_IS_PLAIN = (
    "EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) {table}::pg_catalog.oid"
    " AND c.relkind OPERATOR(pg_catalog.=) 'r'::pg_catalog.\"char\" AND NOT c.relrowsecurity)"
).replace("{table}", _TABLE)
IS_OURS = " AND ".join(
    (
        _IS_PLAIN,
        *(f"pg_catalog.has_table_privilege({_TABLE}::pg_catalog.oid, '{right}')" for right in ("SELECT", "INSERT", "UPDATE")),
    )
)
"""Whether it is there as a plain table, and we may write it."""
MAY_BE_MADE = (
    f"({_TABLE} IS NULL AND coalesce(pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('omega_bridge')::pg_catalog.oid,"
    " 'CREATE'), false))"
)
"""Whether it is not, and we may make it: an administrator may have made our schema for a role that creates nothing there."""
KEPT = (
    "WITH kept AS (INSERT INTO omega_bridge.catalogs (schema, digest, catalog)"
    " VALUES (coalesce(pg_catalog.current_schema(), ''), %s, %s) ON CONFLICT (schema) DO UPDATE SET digest = excluded.digest,"
    " catalog = excluded.catalog) "
)
"""Ahead of the statement that writes the state."""
_FOUND = (
    "SELECT c.catalog, c.digest, s.names, s.at FROM omega_bridge.catalogs c JOIN omega_bridge.states s"
    " ON s.schema OPERATOR(pg_catalog.=) c.schema AND s.catalog_digest OPERATOR(pg_catalog.=) c.digest"
    " WHERE c.schema OPERATOR(pg_catalog.=) coalesce(pg_catalog.current_schema(), '')::pg_catalog.text"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """``catalog``: the objects that carry one of ``names``, as the last start left them. ``at``: when, in ISO format."""

    catalog: Catalog
    names: tuple[str, ...]
    at: str


def row(digest: str, catalog: bytes) -> tuple[str, bytes]:
    """The values that ``KEPT`` takes."""
    return digest, zlib.compress(catalog, 1)


def recall(connection: Connection) -> Seen | None:
    """What the last start saw in the current schema; ``None`` where no release left it, or this role may not read it."""
    may = connection.execute(
        f"SELECT {_IS_PLAIN} AND pg_catalog.has_table_privilege({_TABLE}::pg_catalog.oid, 'SELECT')".encode()
    ).fetchone()
    if may is None or not may[0]:
        return None
    with by_default(connection):
        found = connection.execute(_FOUND.encode()).fetchone()
    if found is None:
        return None
    text, digest, names, at = found
    plain = zlib.decompress(text)
    if hashlib.sha256(plain).hexdigest() != digest:
        return None
    objects = {Key(Kind(kind), *where): attributes for kind, *where, attributes in json.loads(plain)}
    return Seen(Catalog(objects), tuple(names), at.isoformat(timespec="seconds"))
