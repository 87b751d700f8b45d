"""Which catalog a guard reads, and what its columns mean in our catalog's terms.

Source: PostgreSQL's manual, chapters "System Catalogs" and "The Information Schema".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from omega_bridge.analysis.program import RELATIONS
from omega_bridge.catalog import Kind


@dataclass(frozen=True, slots=True)
class Lookup:
    """One catalog, or several joined ones: the kinds it lists and what each column means."""

    kinds: tuple[Kind, ...]
    columns: Mapping[str, str]

    def attribute(self, column: str) -> str:
        """Our word for a column; columns without one are asked of the server (``unknown``)."""
        return self.columns.get(column, f"unknown {column}")


_COLUMNS = Lookup(
    (Kind.COLUMN,),
    {
        "table_schema": "schema", "table_name": "table", "column_name": "name", "data_type": "data_type",
        "udt_name": "udt_name", "is_nullable": "is_nullable", "column_default": "default",
        "character_maximum_length": "length", "is_identity": "is_identity",
    },
)  # fmt: skip
_TABLES = Lookup((Kind.TABLE, Kind.VIEW), {"table_schema": "schema", "table_name": "name", "table_type": "table_type"})
_CONSTRAINTS = Lookup(
    (Kind.CONSTRAINT,),
    {
        "constraint_schema": "schema",
        "table_schema": "schema",
        "table_name": "table",
        "constraint_name": "name",
        "constraint_type": "constraint_type",
    },
)
_CLASS = {"relname": "name", "relnamespace": "schema oid", "relkind": "relkind", "nspname": "schema", "oid": "oid"}
_OF_TABLE = {"relname": "table", "relnamespace": "schema oid", "nspname": "schema", "relkind": "unknown relkind"}
_CONSTRAINT = {
    "conname": "name",
    "conrelid": "table oid",
    "contype": "type",
    "connamespace": "schema oid",
    "convalidated": "validated",
}
_ATTRIBUTE = {
    "attname": "name",
    "attrelid": "table oid",
    "attisdropped": "attisdropped",
    "attnum": "attnum",
    "attnotnull": "not null",
}
_TYPE = {
    "typname": "name",
    "typnamespace": "schema oid",
    "nspname": "schema",
    "typtype": "unknown typtype",
    "oid": "oid",
}
_ENUM = {
    "enumlabel": "label",
    "enumtypid": "type oid",
    "typname": "name",
    "nspname": "schema",
    "typnamespace": "schema oid",
}
_TRIGGER = {"tgname": "name", "tgrelid": "table oid", "tgisinternal": "attisdropped"}
_TYPES = (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE)

FIELDS: dict[frozenset[str], Lookup] = {
    frozenset(names): lookup
    for names, lookup in (
        (("columns",), _COLUMNS),
        (("tables",), _TABLES),
        (("table_constraints",), _CONSTRAINTS),
        (("referential_constraints",), _CONSTRAINTS),
        (("views",), Lookup((Kind.VIEW,), {"table_schema": "schema", "table_name": "name"})),
        (("sequences",), Lookup((Kind.SEQUENCE,), {"sequence_schema": "schema", "sequence_name": "name"})),
        (("routines",), Lookup((Kind.FUNCTION,), {"routine_schema": "schema", "routine_name": "name"})),
        (("schemata",), Lookup((Kind.SCHEMA,), {"schema_name": "name"})),
        (
            ("triggers",),
            Lookup(
                (Kind.TRIGGER,),
                {
                    "trigger_name": "name",
                    "event_object_table": "table",
                    "trigger_schema": "schema",
                    "event_object_schema": "schema",
                },
            ),
        ),
        (("pg_tables",), Lookup((Kind.TABLE,), {"schemaname": "schema", "tablename": "name"})),
        (("pg_views",), Lookup((Kind.VIEW,), {"schemaname": "schema", "viewname": "name"})),
        (("pg_matviews",), Lookup((Kind.MATERIALIZED_VIEW,), {"schemaname": "schema", "matviewname": "name"})),
        (
            ("pg_indexes",),
            Lookup((Kind.INDEX,), {"schemaname": "schema", "tablename": "on table", "indexname": "name"}),
        ),
        (
            ("pg_policies",),
            Lookup((Kind.POLICY,), {"schemaname": "schema", "tablename": "table", "policyname": "name"}),
        ),
        (("pg_class",), Lookup(RELATIONS, _CLASS)),
        (("pg_class", "pg_namespace"), Lookup(RELATIONS, _CLASS)),
        (("pg_constraint",), Lookup((Kind.CONSTRAINT,), _CONSTRAINT)),
        (("pg_constraint", "pg_class"), Lookup((Kind.CONSTRAINT,), {**_OF_TABLE, **_CONSTRAINT})),
        (("pg_constraint", "pg_class", "pg_namespace"), Lookup((Kind.CONSTRAINT,), {**_OF_TABLE, **_CONSTRAINT})),
        (("pg_constraint", "pg_namespace"), Lookup((Kind.CONSTRAINT,), {"nspname": "schema", **_CONSTRAINT})),
        (("pg_attribute",), Lookup((Kind.COLUMN,), _ATTRIBUTE)),
        (("pg_attribute", "pg_class"), Lookup((Kind.COLUMN,), {**_OF_TABLE, **_ATTRIBUTE})),
        (("pg_attribute", "pg_class", "pg_namespace"), Lookup((Kind.COLUMN,), {**_OF_TABLE, **_ATTRIBUTE})),
        (("pg_type",), Lookup(_TYPES, _TYPE)),
        (("pg_type", "pg_namespace"), Lookup(_TYPES, _TYPE)),
        (("pg_enum",), Lookup((Kind.ENUM,), _ENUM)),
        (("pg_enum", "pg_type"), Lookup((Kind.ENUM,), _ENUM)),
        (("pg_enum", "pg_type", "pg_namespace"), Lookup((Kind.ENUM,), _ENUM)),
        (("pg_extension",), Lookup((Kind.EXTENSION,), {"extname": "name"})),
        (("pg_namespace",), Lookup((Kind.SCHEMA,), {"nspname": "name"})),
        (("pg_proc",), Lookup((Kind.FUNCTION,), {"proname": "name", "pronamespace": "schema oid"})),
        (
            ("pg_proc", "pg_namespace"),
            Lookup((Kind.FUNCTION,), {"proname": "name", "nspname": "schema", "pronamespace": "schema oid"}),
        ),
        (("pg_trigger",), Lookup((Kind.TRIGGER,), _TRIGGER)),
        (("pg_trigger", "pg_class"), Lookup((Kind.TRIGGER,), {**_OF_TABLE, **_TRIGGER})),
    )
}
"""By the names of the relations that a guard reads."""

JOIN_COLUMNS = frozenset(
    {
        "oid",
        "relnamespace",
        "conrelid",
        "attrelid",
        "tgrelid",
        "indrelid",
        "enumtypid",
        "typnamespace",
        "pronamespace",
        "connamespace",
    }
)
"""Columns that only tie the joined catalogs together."""
