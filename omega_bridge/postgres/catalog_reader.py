"""Reads the live schema into a ``Catalog``: one statement, one round trip, nothing but ACCESS SHARE on catalogs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import psycopg

from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.postgres.encoding import storable
from omega_bridge.postgres.printing import by_default
from omega_bridge.postgres.queries import query

_KINDS = {str(kind): kind for kind in Kind}
_ONE_VALUE = 'SELECT json_agg(json_build_array(kind, schema, "table", name, attributes)) FROM (\n{}) AS found'
"""All rows as one value: reading ten thousand small ones costs ten times as much."""


def read_catalog(connection: psycopg.Connection[Any], names: Collection[str] | None = None) -> Catalog:
    """The objects that carry one of ``names`` (as stored, unquoted) in any user schema, with what hangs on them.

    With ``names=None``, everything but the bridge's own schema, ``alembic_version``, and what extensions own.
    """
    text = query("catalog").replace("%", "%%")
    if names is None:
        filters = dict.fromkeys(("relation_filter", "type_filter", "constraint_filter", "function_filter"), "true")
    else:
        filters = {
            "relation_filter": "c.relname = ANY (%(names)s::name[])",
            "type_filter": "t.typname = ANY (%(names)s::name[])",
            "constraint_filter": "n.oid IN (SELECT oid FROM pg_constraint WHERE conrelid IN (SELECT oid FROM tables)"
            " UNION SELECT oid FROM pg_constraint WHERE conname = ANY (%(names)s::name[]))",
            "function_filter": "f.proname = ANY (%(names)s::name[])",
        }
    for name, condition in filters.items():
        text = text.replace("{" + name + "}", condition)
    objects: dict[Key, dict[str, Any]] = {}
    session: dict[str, Any] = {}
    with by_default(connection):
        found = connection.execute(
            _ONE_VALUE.format(text).encode(), {"names": storable(connection, names)} if names is not None else {}
        ).fetchone()
    assert found is not None  # an aggregate always gives one row
    for kind, schema, table, name, attributes in found[0]:
        if kind == "session":
            session = attributes
        else:
            objects[Key(_KINDS[kind], schema, table, name)] = attributes
    return Catalog(objects, tuple(session["search_path"]), session["version"])
