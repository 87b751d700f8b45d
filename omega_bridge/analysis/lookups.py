"""Which catalogs a guard reads, how they are joined, and what their columns mean in our catalog's terms.

Source: PostgreSQL's manual, chapters "System Catalogs" and "The Information Schema". A column that is not listed is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from omega_bridge.analysis.program import RELATIONS
from omega_bridge.catalog import Kind

Tie = frozenset[str]
"""Two columns that have to be equal, such as ``pg_class.relnamespace`` and ``pg_namespace.oid``."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One catalog, or several joined ones.

    ``columns``: by relation, what each column means. ``ties``: the sets of equations of which one has to stand in the query;
    without them rows that have nothing to do with each other are paired. ``scope``: the relation whose rows are counted.
    ``own``: the type of the pseudo-constant that stands for an ``oid`` of it.
    """

    scope: str
    kinds: tuple[Kind, ...]
    columns: Mapping[str, Mapping[str, str]]
    ties: tuple[frozenset[Tie], ...] = (frozenset(),)
    own: str = ""


_TYPES = (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE)
_SCHEMA = {"table_schema": "schema", "table_name": "name"}

_VIEWS: tuple[tuple[str, tuple[Kind, ...], Mapping[str, str]], ...] = (
    (
        "columns", (Kind.COLUMN,),
        {
            "table_schema": "schema", "table_name": "table", "column_name": "name", "data_type": "data_type", "udt_name": "udt_name",
            "is_nullable": "is_nullable", "column_default": "default", "character_maximum_length": "length",
            "is_identity": "is_identity",
        },
    ),
    ("tables", (Kind.TABLE, Kind.VIEW), {**_SCHEMA, "table_type": "table_type"}),
    (
        "table_constraints", (Kind.CONSTRAINT,),
        {
            "constraint_schema": "schema", "table_schema": "schema", "table_name": "table", "constraint_name": "name",
            "constraint_type": "constraint_type",
        },
    ),
    ("referential_constraints", (Kind.CONSTRAINT,), {"constraint_schema": "schema", "constraint_name": "name"}),
    ("views", (Kind.VIEW,), _SCHEMA),
    ("sequences", (Kind.SEQUENCE,), {"sequence_schema": "schema", "sequence_name": "name"}),
    ("routines", (Kind.FUNCTION,), {"routine_schema": "schema", "routine_name": "name"}),
    ("schemata", (Kind.SCHEMA,), {"schema_name": "name"}),
    (
        "triggers", (Kind.TRIGGER,),
        {"trigger_name": "name", "event_object_table": "table", "trigger_schema": "schema", "event_object_schema": "schema"},
    ),
    ("pg_tables", (Kind.TABLE,), {"schemaname": "schema", "tablename": "name"}),
    ("pg_views", (Kind.VIEW,), {"schemaname": "schema", "viewname": "name"}),
    ("pg_matviews", (Kind.MATERIALIZED_VIEW,), {"schemaname": "schema", "matviewname": "name"}),
    ("pg_indexes", (Kind.INDEX,), {"schemaname": "schema", "tablename": "on table", "indexname": "name"}),
    ("pg_sequences", (Kind.SEQUENCE,), {"schemaname": "schema", "sequencename": "name"}),
    ("pg_policies", (Kind.POLICY,), {"schemaname": "schema", "tablename": "table", "policyname": "name"}),
    ("pg_extension", (Kind.EXTENSION,), {"extname": "name"}),
)  # fmt: skip

_NAMESPACE = {"nspname": "schema"}
_OF_CLASS = {"relname": "name", "relnamespace": "schema oid", "relkind": "relkind", "oid": "oid"}
_OF_TABLE = {"relname": "table", "relnamespace": "schema oid", "relkind": "table relkind", "oid": "table oid"}
_CATALOGS: tuple[tuple[str, tuple[Kind, ...], Mapping[str, str], str, str], ...] = (
    (
        "pg_constraint", (Kind.CONSTRAINT,),
        {
            "conname": "name", "conrelid": "table oid", "contype": "type", "connamespace": "schema oid", "convalidated": "validated",
        },
        "conrelid", "connamespace",
    ),
    (
        "pg_attribute", (Kind.COLUMN,),
        {
            "attname": "name", "attrelid": "table oid", "attisdropped": "always false", "attnum": "attnum", "attnotnull": "not null",
        },
        "attrelid", "",
    ),
    ("pg_trigger", (Kind.TRIGGER,), {"tgname": "name", "tgrelid": "table oid", "tgisinternal": "always false"}, "tgrelid", ""),
)  # fmt: skip
"""What belongs to a table: the columns that tie it to the table and to its own schema."""

_CLASS_IN_SCHEMA = frozenset({"pg_class.relnamespace", "pg_namespace.oid"})


def _lookups() -> Iterator[tuple[Iterable[str], Lookup]]:
    for name, kinds, columns in _VIEWS:
        yield (name,), Lookup(name, kinds, {name: columns})
    for name, kinds, columns, table, schema in _CATALOGS:
        of_table = frozenset({f"{name}.{table}", "pg_class.oid"})
        in_schema = frozenset({f"{name}.{schema}", "pg_namespace.oid"})
        both = [frozenset({of_table, _CLASS_IN_SCHEMA}), *([frozenset({of_table, in_schema})] if schema else [])]
        yield (name,), Lookup(name, kinds, {name: columns})
        yield (
            (name, "pg_class"),
            Lookup(name, kinds, {name: columns, "pg_class": _OF_TABLE}, (frozenset({of_table}),), "regclass"),
        )
        yield (
            (name, "pg_class", "pg_namespace"),
            Lookup(name, kinds, {name: columns, "pg_class": _OF_TABLE, "pg_namespace": _NAMESPACE}, tuple(both), "regclass"),
        )
        if schema:
            yield (
                (name, "pg_namespace"),
                Lookup(name, kinds, {name: columns, "pg_namespace": _NAMESPACE}, (frozenset({in_schema}),)),
            )
    yield ("pg_class",), Lookup("pg_class", RELATIONS, {"pg_class": _OF_CLASS}, own="regclass")
    yield (
        ("pg_class", "pg_namespace"),
        Lookup(
            "pg_class", RELATIONS, {"pg_class": _OF_CLASS, "pg_namespace": _NAMESPACE},
            (frozenset({_CLASS_IN_SCHEMA}),), "regclass",
        ),
    )  # fmt: skip
    of_type = {"typname": "name", "typnamespace": "schema oid", "typtype": "typtype", "oid": "oid"}
    in_schema = frozenset({"pg_type.typnamespace", "pg_namespace.oid"})
    yield ("pg_type",), Lookup("pg_type", _TYPES, {"pg_type": of_type}, own="regtype")
    yield (
        ("pg_type", "pg_namespace"),
        Lookup("pg_type", _TYPES, {"pg_type": of_type, "pg_namespace": _NAMESPACE}, (frozenset({in_schema}),), "regtype"),
    )
    label, of_enum = {"enumlabel": "label", "enumtypid": "type oid"}, frozenset({"pg_enum.enumtypid", "pg_type.oid"})
    yield ("pg_enum",), Lookup("pg_enum", (Kind.ENUM,), {"pg_enum": label})
    yield ("pg_enum", "pg_type"), Lookup("pg_enum", (Kind.ENUM,), {"pg_enum": label, "pg_type": of_type}, (frozenset({of_enum}),), "regtype")  # fmt: skip
    yield (
        ("pg_enum", "pg_type", "pg_namespace"),
        Lookup(
            "pg_enum", (Kind.ENUM,), {"pg_enum": label, "pg_type": of_type, "pg_namespace": _NAMESPACE},
            (frozenset({of_enum, in_schema}),), "regtype",
        ),
    )  # fmt: skip
    yield ("pg_namespace",), Lookup("pg_namespace", (Kind.SCHEMA,), {"pg_namespace": {"nspname": "name"}})
    of_proc = {"proname": "name", "pronamespace": "schema oid"}
    proc_schema = frozenset({"pg_proc.pronamespace", "pg_namespace.oid"})
    yield ("pg_proc",), Lookup("pg_proc", (Kind.FUNCTION,), {"pg_proc": of_proc})
    yield (
        ("pg_proc", "pg_namespace"),
        Lookup("pg_proc", (Kind.FUNCTION,), {"pg_proc": of_proc, "pg_namespace": _NAMESPACE}, (frozenset({proc_schema}),)),
    )


LOOKUPS: Mapping[frozenset[str], Lookup] = {frozenset(names): lookup for names, lookup in _lookups()}
"""By the names of the relations that a guard reads."""

TIES = frozenset(column for lookup in LOOKUPS.values() for ties in lookup.ties for tie in ties for column in tie)
"""Every column that ties catalogs together."""
