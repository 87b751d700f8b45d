"""Which rows a catalog or a view of it has: what it leaves out of ours, and what it may hold that ours does not.

Source: PostgreSQL's ``system_views.sql`` and ``information_schema.sql``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from omega_bridge.analysis.program import VISIBLE, Filter, Pattern
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.attributes import passes

_ROW_TYPES = (Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW)
_SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid", "oid"})
_OWN_SCHEMAS = frozenset({"information_schema", "omega_bridge"})
_INFORMATION_SCHEMA = frozenset(
    {
        "columns",
        "tables",
        "table_constraints",
        "referential_constraints",
        "views",
        "sequences",
        "routines",
        "schemata",
        "triggers",
    }
)


class Holder(Protocol):
    """What answers for single objects."""

    catalog: Catalog

    def get(self, key: Key) -> Mapping[str, object] | None:
        """The attributes of an object, or ``None`` where there is none."""


def kinds_of(pattern: Pattern) -> tuple[Kind, ...]:
    """The kinds of object that a pattern may find: a table has a type, and a composite type is a relation."""
    has = {f.attribute for f in pattern.filters}
    if pattern.scope in ("pg_type", "to_regtype"):
        return (*pattern.kinds, *_ROW_TYPES)
    if pattern.scope in ("pg_class", "to_regclass") and "relkind" not in has:
        return (*pattern.kinds, Kind.COMPOSITE)
    return pattern.kinds


def is_row(holder: Holder, scope: str, key: Key, attributes: Mapping[str, object]) -> bool | None:
    """Whether the relation that is asked has a row for an object."""
    if not holder.catalog.sees_all and (scope in _INFORMATION_SCHEMA or scope.startswith("to_")):
        return None
    match scope:
        case "columns":
            return holder.get(Key(Kind.MATERIALIZED_VIEW, key.schema, "", key.table)) is None
        case "pg_tables":
            return attributes.get("kind") != "f"
        case "table_constraints":
            return attributes.get("type") != "x"
        case "referential_constraints":
            return attributes.get("type") == "f"
        case "sequences":  # those of identity columns are left out
            return True if attributes.get("owned_by", ...) is None or "definition" in attributes else None
    return True


def passed(holder: Holder, key: Key, attributes: Mapping[str, object], test: Filter) -> bool | None:
    """Whether an object passes one filter of a guard; ``None`` where only the server can tell."""
    match test.attribute:
        case "relkind":
            return _among(_relkinds(holder, key, attributes), test)
        case "typtype":
            return _among({Kind.ENUM: "e", Kind.DOMAIN: "d"}.get(key.kind, "c"), test)
    return passes(key, attributes, test)


def _relkinds(holder: Holder, key: Key, attributes: Mapping[str, Any]) -> str:
    match key.kind:
        case Kind.TABLE:
            return str(attributes.get("kind", "rp"))
        case Kind.INDEX:
            owner = holder.get(Key(Kind.TABLE, key.schema, "", str(attributes.get("table", "")))) or {}
            return {"p": "I", "r": "i"}.get(str(owner.get("kind")), "iI")
    return {Kind.VIEW: "v", Kind.MATERIALIZED_VIEW: "m", Kind.SEQUENCE: "S"}.get(key.kind, "c")


def _among(letters: str, test: Filter) -> bool | None:
    """Whether a letter, one of several that it may be, is among those that a filter takes."""
    if test.operator not in ("=", "in", "!=", "not in"):
        return None
    found = {letter in test.values for letter in letters}
    return None if len(found) > 1 else found.pop() == (test.operator in ("=", "in"))


def may_be_hidden(catalog: Catalog, relation: str, name: str | None) -> bool:
    """Whether the server may have something of that name that our catalog leaves out."""
    if name is None:
        return False
    return (relation, name) in catalog.hidden or name.startswith("pg_") or (relation == "pg_class" and name == "alembic_version")


def is_shadowed(catalog: Catalog, pattern: Pattern) -> bool:
    """Whether a name without a schema may mean something that our catalog leaves out: a temporary one, or one of the system's."""
    if pattern.schema != VISIBLE:
        return False
    if pattern.table is None and pattern.scope == "to_regtype":
        return may_be_hidden(catalog, "pg_type", pattern.name)
    return may_be_hidden(catalog, "pg_class", pattern.table or pattern.name)


_CATALOG_OF = {Kind.FUNCTION: "pg_proc", Kind.ENUM: "pg_type", Kind.DOMAIN: "pg_type", Kind.COMPOSITE: "pg_type"}


def may_mean_another(catalog: Catalog, key: Key) -> bool:
    """Whether a name in a statement may mean something that our catalog leaves out."""
    if key.schema.startswith("pg_") or key.schema in _OWN_SCHEMAS:
        return True
    name = key.table or key.name.partition("(")[0]
    return may_be_hidden(catalog, _CATALOG_OF.get(key.kind, "pg_class"), name)


def is_complete(catalog: Catalog, pattern: Pattern) -> bool:
    """Whether what our catalog does not hold cannot be found by a pattern either."""
    scope, name, table = pattern.scope, pattern.name, pattern.table
    if pattern.schema and scope.startswith("to_") and not catalog.sees_all:  # a schema that may not be used is an error
        return False
    if may_be_hidden(catalog, "pg_class", table):
        return False
    match scope:
        case "pg_type" | "to_regtype":
            return not may_be_hidden(catalog, "pg_type", name)
        case "pg_proc" | "routines":
            return not may_be_hidden(catalog, "pg_proc", name)
        case "pg_constraint":
            if name is None:
                return any(f.attribute == "type" and _is_within(f, "pufcx") for f in pattern.filters)
            return not may_be_hidden(catalog, "pg_constraint", name)
        case "table_constraints":
            if any(f.attribute == "constraint_type" and _is_within(f, _PLAIN_CONSTRAINTS) for f in pattern.filters):
                return True
            return name is not None and not name.endswith("_not_null") and not may_be_hidden(catalog, "pg_constraint", name)
        case "referential_constraints":
            return not may_be_hidden(catalog, "pg_constraint", name)
        case "pg_trigger" | "triggers":
            return name is not None and not may_be_hidden(catalog, "pg_trigger", name)
        case "pg_policies":
            return table is not None or not may_be_hidden(catalog, "pg_policy", name)
        case "pg_attribute":
            return name is not None and table is not None and name not in _SYSTEM_COLUMNS
        case "columns":
            return table is not None
        case "pg_namespace" | "schemata" | "to_regnamespace":
            return not may_be_hidden(catalog, "", name) and name not in _OWN_SCHEMAS
        case "pg_extension":
            return True
    return not may_be_hidden(catalog, "pg_class", name)


_PLAIN_CONSTRAINTS = ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY")


def _is_within(test: Filter, known: str | tuple[str, ...]) -> bool:
    return test.operator in ("=", "in") and all(isinstance(value, str) and value and value in known for value in test.values)
