"""A database made of what a catalog says, on scratch: its shape, without rows, owners and privileges.

PostgreSQL has the last word: what was made is read again, and what of the catalog is not there is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from omega_bridge.catalog import Attributes, Catalog, Key, Kind, texts
from omega_bridge.kinds.restoring import restored
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.scratch import make_all
from omega_bridge.sql import identifier

if TYPE_CHECKING:
    from omega_bridge.typed import Connection


_ORDER = (
    Kind.SCHEMA, Kind.EXTENSION, Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.SEQUENCE, Kind.FUNCTION, Kind.TABLE, Kind.CONSTRAINT,
    Kind.INDEX, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.STATISTICS, Kind.RULE, Kind.TRIGGER,
)  # fmt: skip
"""What is made, in an order in which most of it can be; the rest is made once it can."""


def rebuild(connection: Connection, catalog: Catalog) -> tuple[str, ...]:
    """Make in an empty database what the catalog holds; what of it could not be made. The connection commits by itself."""
    make_all(connection, statements(catalog))
    found = read_catalog(connection)
    return tuple(str(key) for key in catalog if key.kind in _ORDER and key not in found)


def statements(catalog: Catalog) -> Iterator[str]:
    """What makes it, one statement each; tables whole, with their columns."""
    ordered = sorted((k for k in catalog if k.kind in _ORDER), key=lambda key: (_ORDER.index(key.kind), _rank(catalog, key), key))
    for key in ordered:
        attributes = catalog.objects[key]
        if key.kind is Kind.TABLE:
            yield _table(catalog, key, attributes)
        elif key.kind is Kind.DOMAIN:
            yield _domain(key, attributes)
        elif not _comes_along(catalog, key, attributes):
            text = restored(key, attributes)
            yield text.replace("CREATE SCHEMA ", "CREATE SCHEMA IF NOT EXISTS ").replace(
                "CREATE EXTENSION ", "CREATE EXTENSION IF NOT EXISTS "
            )
    for key in ordered:
        if (
            key.kind is Kind.SEQUENCE
            and catalog.objects[key].get("owned_by")
            and not _comes_along(catalog, key, catalog.objects[key])
        ):
            owner = f"{identifier(key.schema)}.{catalog.objects[key]['owned_by']}"
            yield f"ALTER SEQUENCE {identifier(key.schema, key.name)} OWNED BY {owner}"
    for key in catalog:
        if catalog.objects[key].get("comment") and (text := restored(key, catalog.objects[key], "comment")):
            yield text


def _rank(catalog: Catalog, key: Key) -> int:
    """Keys before what refers to them, tables before their parts."""
    attributes = catalog.objects[key]
    if key.kind is Kind.CONSTRAINT:
        return "puxcf".find(str(attributes.get("type")))
    return int(bool(attributes.get("partition_bound") or attributes.get("inherits"))) if key.kind is Kind.TABLE else 0


def _comes_along(catalog: Catalog, key: Key, attributes: Attributes) -> bool:
    """Whether something else makes it: an identity column its sequence, a constraint its index."""
    if key.kind is Kind.INDEX:
        return bool(attributes.get("constraint"))
    if key.kind is not Kind.SEQUENCE or not attributes.get("owned_by"):
        return False
    table, _, column = str(attributes["owned_by"]).rpartition(".")
    owner = catalog.get(Key(Kind.COLUMN, key.schema, table.replace('"', ""), column.replace('"', "")))
    return bool(owner and owner.get("identity"))


def _table(catalog: Catalog, key: Key, attributes: Attributes) -> str:
    named = identifier(key.schema, key.name)
    unlogged = "UNLOGGED " if attributes.get("persistence") == "u" else ""
    bound, parents = attributes.get("partition_bound"), texts(attributes.get("inherits"))
    if bound and len(parents) == 1:
        return f"CREATE {unlogged}TABLE {named} PARTITION OF {parents[0]} {bound}{_partitioned(attributes)}"
    columns = ", ".join(_column(column, catalog.objects[column]) for column in catalog.columns(key.schema, key.name))
    inherits = f" INHERITS ({', '.join(parents)})" if parents else ""
    return f"CREATE {unlogged}TABLE {named} ({columns}){inherits}{_partitioned(attributes)}"


def _constraints(attributes: Attributes) -> Iterable[tuple[str, str]]:
    found = attributes.get("constraints")
    return found.items() if isinstance(found, Mapping) else ()


def _domain(key: Key, attributes: Attributes) -> str:
    parts = [f"CREATE DOMAIN {identifier(key.schema, key.name)} AS {attributes.get('type')}"]
    if attributes.get("collation"):
        parts.append(f"COLLATE {attributes['collation']}")
    if attributes.get("default"):
        parts.append(f"DEFAULT {attributes['default']}")
    parts += [f"CONSTRAINT {identifier(name)} {text}" for name, text in _constraints(attributes)]
    if not attributes.get("nullable", True):
        parts.append("NOT NULL")
    return " ".join(parts)


def _partitioned(attributes: Attributes) -> str:
    return f" PARTITION BY {attributes['partition_key']}" if attributes.get("partition_key") else ""


def _column(key: Key, attributes: Attributes) -> str:
    parts = [identifier(key.name), str(attributes.get("type"))]
    if attributes.get("collation"):
        parts.append(f"COLLATE {attributes['collation']}")
    if attributes.get("expression"):
        kept = "VIRTUAL" if attributes.get("generated") == "v" else "STORED"
        parts.append(f"GENERATED ALWAYS AS ({attributes['expression']}) {kept}")
    elif attributes.get("identity"):
        parts.append(f"GENERATED {'ALWAYS' if attributes['identity'] == 'a' else 'BY DEFAULT'} AS IDENTITY")
    elif attributes.get("default"):
        parts.append(f"DEFAULT {attributes['default']}")
    if not attributes.get("nullable", True):
        parts.append("NOT NULL")
    return " ".join(parts)
