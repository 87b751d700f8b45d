"""Look-ups as SQL: the text of a guard that asks for one object in its schema, and of nothing else.

What these write, ``guards`` reads back. Names without a schema mean the first one of the ``search_path``, in which an
unqualified ``CREATE`` makes its object.
"""

from __future__ import annotations

from dataclasses import replace

from omega_bridge.analysis.program import (
    ANY_SCHEMA,
    RELATIONS,
    TYPES,
    VISIBLE,
    All,
    AnyOf,
    Condition,
    Constant,
    Exists,
    Filter,
    Not,
    Pattern,
)
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import identifier


class Unwritable(Exception):
    """There is no text for this here."""


_COLUMN_FILTERS = {
    "data_type": "data_type",
    "udt_name": "udt_name",
    "is_nullable": "is_nullable",
    "length": "character_maximum_length",
    "default": "column_default",
    "is_identity": "is_identity",
}
_SAYS_NOTHING = frozenset({"table_type", "on table", "relkind", "table relkind", "typtype"})
"""Filters that a look-up by name in one schema can do without."""


def literal(value: object) -> str:
    """A constant as SQL."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    plain = "'" + str(value).replace("'", "''") + "'"
    return "E" + plain.replace("\\", "\\\\") if "\\" in plain else plain


def absent(key: Key) -> str:
    """The guard of the statement that creates ``key``. Raises ``Unwritable``."""
    name = key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name
    return condition(Not(Exists(Pattern((key.kind,), key.schema, key.table or None, name))))


def condition(found: Condition) -> str:
    """A condition as SQL, each look-up in its schema. Raises ``Unwritable``."""
    match found:
        case Exists(pattern):
            return _exists(pattern, there=True)
        case Not(Exists(pattern)):
            return _exists(pattern, there=False)
        case Not(other):
            return f"NOT ({condition(other)})"
        case All(several):
            return " AND ".join(f"({condition(c)})" if isinstance(c, AnyOf) else condition(c) for c in several)
        case AnyOf(several):
            return " OR ".join(f"({condition(c)})" if isinstance(c, All) else condition(c) for c in several)
        case Constant(value):
            return literal(value)
    raise Unwritable


def _exists(pattern: Pattern, *, there: bool) -> str:
    kinds, name = set(pattern.kinds), pattern.name
    schema = "" if pattern.schema == ANY_SCHEMA else pattern.schema
    filters = tuple(f for f in pattern.filters if f.attribute not in _SAYS_NOTHING)
    direct = None
    if name is not None and not filters:
        if kinds <= set(RELATIONS):
            direct = "to_regclass"
        elif kinds <= set(TYPES):
            direct = "to_regtype"
        elif kinds == {Kind.SCHEMA}:
            direct, schema = "to_regnamespace", ""
    if direct is not None:
        return f"{direct}({literal(identifier(schema, name or ''))}) IS {'NOT ' if there else ''}NULL"
    return f"{'' if there else 'NOT '}EXISTS ({_query(replace(pattern, schema=schema, filters=filters))})"


def _query(p: Pattern) -> str:
    kinds = set(p.kinds)
    schema = literal(p.schema) if p.schema != VISIBLE else "current_schema()"
    owner = f"to_regclass({literal(identifier(p.schema, p.table or ''))})"
    if kinds == {Kind.COLUMN} and p.table:
        tests = [f"table_schema = {schema}", f"table_name = {literal(p.table)}"]
        tests += [f"column_name = {literal(p.name)}"] if p.name else []
        return _select("information_schema.columns", [*tests, *(_test(f, _COLUMN_FILTERS) for f in p.filters)])
    if kinds == {Kind.CONSTRAINT} and p.table:
        if any(f.attribute == "constraint_type" for f in p.filters):
            tests = [f"table_schema = {schema}", f"table_name = {literal(p.table)}"]
            tests += [f"constraint_name = {literal(p.name)}"] if p.name else []
            tests += [_test(f, {"constraint_type": "constraint_type"}) for f in p.filters]
            return _select("information_schema.table_constraints", tests)
        tests = [f"conrelid = {owner}", *([f"conname = {literal(p.name)}"] if p.name else [])]
        return _select("pg_constraint", [*tests, *(_test(f, {"type": "contype"}) for f in p.filters)])
    if kinds == {Kind.CONSTRAINT} and p.name and not p.filters:
        return _in_schema("pg_constraint", "connamespace", "conname", p.name, schema)
    if kinds == {Kind.FUNCTION} and p.name and not p.filters:
        return _in_schema("pg_proc", "pronamespace", "proname", p.name, schema)
    if kinds == {Kind.TRIGGER} and p.table and p.name and not p.filters:
        return _select("pg_trigger", [f"tgrelid = {owner}", f"tgname = {literal(p.name)}"])
    if kinds == {Kind.POLICY} and p.table and p.name and not p.filters:
        tests = [f"schemaname = {schema}", f"tablename = {literal(p.table)}", f"policyname = {literal(p.name)}"]
        return _select("pg_policies", tests)
    if kinds <= set(TYPES) and p.name and p.filters:
        of_type = f"enumtypid = to_regtype({literal(identifier(p.schema, p.name))})"
        return _select("pg_enum", [of_type, *(_test(f, {"label": "enumlabel"}) for f in p.filters)])
    if kinds == {Kind.EXTENSION} and p.name and not p.filters:
        return _select("pg_extension", [f"extname = {literal(p.name)}"])
    raise Unwritable


def _select(source: str, tests: list[str]) -> str:
    return f"SELECT 1 FROM {source} WHERE {' AND '.join(tests)}"


def _in_schema(catalog: str, namespace: str, column: str, name: str, schema: str) -> str:
    return (
        f"SELECT 1 FROM {catalog} o JOIN pg_namespace n ON n.oid = o.{namespace} "
        f"WHERE o.{column} = {literal(name)} AND n.nspname = {schema}"
    )


def _test(found: Filter, columns: dict[str, str]) -> str:
    column = columns.get(found.attribute)
    if column is None:
        raise Unwritable
    match found.operator:
        case "null" | "not null":
            return f"{column} IS {found.operator.upper()}"
        case "=" | "!=":
            return f"{column} {'<>' if found.operator == '!=' else '='} {literal(found.value)}"
        case "<" | "<=" | ">" | ">=":
            return f"{column} {found.operator} {literal(found.value)}"
    return f"{column} {found.operator.upper()} ({', '.join(literal(v) for v in found.values)})"
