"""DDL in the form in which a list can hold it: guarded, one lock at a time, and the long work apart from the lock that stops writers.

Each function gives the texts of steps, in their order. Where all is there, none of them takes a lock. Names follow the ``search_path``
where no schema is given. PostgreSQL's manual: "ALTER TABLE", notes on ``NOT VALID`` and on ``SET NOT NULL``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from omega_bridge.planning.renames import NOT_NULL, Along
from omega_bridge.revisions import guards
from omega_bridge.revisions.guards import identifier, literal, regclass

_LONGEST = 63


def constraint(table: str, name: str, definition: str, schema: str | None = None) -> tuple[str, ...]:
    """A check or foreign key is added ``NOT VALID``, and validated in a step of its own; a unique one comes by an index made before."""
    owner = identifier(table, schema)
    there = guards.is_there("constraint", name, table, schema)
    if definition.startswith("UNIQUE ("):
        columns = definition.removeprefix("UNIQUE ").partition(") ")
        rest = f" {columns[2]}" if columns[2] else ""
        index = f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {identifier(name)} ON {owner} {columns[0].removesuffix(')')})"
        return index, guards.unless(
            there, f"ALTER TABLE {owner} ADD CONSTRAINT {identifier(name)} UNIQUE USING INDEX {identifier(name)}{rest}"
        )
    add = f"ALTER TABLE {owner} ADD CONSTRAINT {identifier(name)} {definition}"
    if not definition.startswith(("CHECK", "FOREIGN KEY")):
        return (guards.unless(there, add),)
    return guards.unless(there, f"{add} NOT VALID"), validated(table, name, schema)


def validated(table: str, name: str, schema: str | None = None) -> str:
    """``VALIDATE CONSTRAINT`` where it is not: that reads the table while others write to it."""
    waits = f"EXISTS (SELECT FROM pg_constraint WHERE conrelid = {regclass(table, schema)} AND conname = {literal(name)} AND NOT convalidated)"
    return _where(waits, f"ALTER TABLE {identifier(table, schema)} VALIDATE CONSTRAINT {identifier(name)}")


def not_null(table: str, column: str, schema: str | None = None, filled: str | None = None) -> tuple[str, ...]:
    """``SET NOT NULL`` without reading the table under its lock: by a check that was validated before, and goes then.

    ``filled``: an expression that rows without a value get first, in batches.
    """
    owner, name = identifier(table, schema), identifier(column)
    check = _cut(f"{table}_{column}_is_there")
    is_open = (
        f"EXISTS (SELECT FROM pg_attribute WHERE attrelid = {regclass(table, schema)} AND attname = {literal(column)} "
        "AND NOT attnotnull AND NOT attisdropped)"
    )
    there = f"EXISTS (SELECT FROM pg_constraint WHERE conrelid = {regclass(table, schema)} AND conname = {literal(check)})"
    return (
        *((in_batches(table, column, filled, schema, where=is_open),) if filled is not None else ()),
        _where(
            f"{is_open} AND NOT {there}",
            f"ALTER TABLE {owner} ADD CONSTRAINT {identifier(check)} CHECK ({name} IS NOT NULL) NOT VALID",
        ),
        validated(table, check, schema),
        _where(
            is_open,
            f"ALTER TABLE {owner} ALTER COLUMN {name} SET NOT NULL",
            f"ALTER TABLE {owner} DROP CONSTRAINT IF EXISTS {identifier(check)}",
        ),
    )


ROWS = 1000
"""Rows of one batch: a writer waits for a few milliseconds, and dead rows are few enough for autovacuum to keep up."""


def in_batches(table: str, column: str, filled: str, schema: str | None = None, where: str | None = None) -> str:
    """A block that gives rows without a value one, some at a time, and commits each time: no row stays locked for longer.

    Stopped anywhere it goes on where it was, since what is filled is filled. A walk through the table ends where it began, once one
    finds nothing; a row that gets no value (a trigger of the table's prevents it) ends it, too. ``where``: the condition on the catalog
    under which there may be work at all.
    """
    owner, name = identifier(table, schema), identifier(column)
    is_constant = _CONSTANT.match(filled) is not None
    text = _IN_BATCHES.format(
        where=where or "true",
        rows=ROWS,
        owner=owner,
        name=name,
        empty=f"{name} IS NULL" if is_constant else f"{name} IS NULL AND ({filled}) IS NOT NULL",
        filled=filled,
    )
    return f"DO {guards.tagged(text)}"


# Row versions by their place: PostgreSQL 14 and newer begin to read there ("TID Range Scan"), whatever key the table has.
_IN_BATCHES = """
DECLARE
    _since tid := '(0,0)';
    _batch tid[];
    _filled bigint;
BEGIN
    IF {where} THEN
        LOOP
            _batch := ARRAY(SELECT ctid FROM {owner} WHERE ctid >= _since AND {empty} LIMIT {rows} FOR NO KEY UPDATE);
            WITH done AS (UPDATE {owner} SET {name} = {filled} WHERE ctid = ANY (_batch) AND {name} IS NULL RETURNING {name})
                SELECT count({name}) INTO _filled FROM done;
            COMMIT;
            EXIT WHEN _filled = 0 AND (_since = '(0,0)' OR cardinality(_batch) > 0);
            _since := coalesce(_batch[{rows}], '(0,0)');
        END LOOP;
    END IF;
END """

_CONSTANT = re.compile(r"^(?:'(?:[^']|'')*'|[0-9.]+|true|false)(?:::[\w ]+)?$", re.I)


def renamed(table: str, old: str, new: str, schema: str | None = None, along: Iterable[Along] = ()) -> str:
    """The column by its new name, with the rows' values, where it has the old one and there is none of the new name.

    ``along``: what gets a new name in the same transaction, so that no model makes it a second time in between.
    """
    has_old, has_new = (guards.is_there("column", name, table, schema) for name in (old, new))
    parts = [(f"{has_old} AND NOT {has_new}", guards.rename("column", old, new, table, schema))]
    return _each(*parts, *(_name_along(one, table, schema) for one in along))


def renamed_alone(one: Along, table: str = "", schema: str | None = None) -> str:
    """An index, a sequence, or a constraint of ``table`` by its new name, where it has the old one and nothing has the new."""
    return _each(_name_along(one, table, schema))


def _name_along(one: Along, table: str, schema: str | None) -> tuple[str, str]:
    if one.kind in ("index", "sequence"):
        there, taken = (f"to_regclass({literal(identifier(name, schema))})" for name in (one.old, one.new))
        return f"{there} IS NOT NULL AND {taken} IS NULL", guards.rename(one.kind, one.old, one.new, table, schema)
    has_old, has_new = (guards.is_there("constraint", name, table, schema) for name in (one.old, one.new))
    if one.kind == NOT_NULL:  # before PostgreSQL 18 there is none
        has_old = f"{has_old.removesuffix(')')} AND contype = 'n')"
    return f"{has_old} AND NOT {has_new}", guards.rename("constraint", one.old, one.new, table, schema)


def numbered(table: str, column: str, kind: str, sequence: str, schema: str | None = None) -> str:
    """The column gets its values from a sequence of its own, made here, that goes on behind those that are there. ``sequence``: as SQL."""
    owner, name = identifier(table, schema), identifier(column)
    return _where(
        f"to_regclass({literal(sequence)}) IS NULL",
        f"CREATE SEQUENCE {sequence} AS {kind} OWNED BY {owner}.{name}",
        f"ALTER TABLE {owner} ALTER COLUMN {name} SET DEFAULT nextval({literal(sequence)})",
        f"PERFORM setval({literal(sequence)}, greatest(coalesce((SELECT max({name}) FROM {owner}), 0) + 1, 1), false)",
    )


def _where(condition: str, *statements: str) -> str:
    """A block that runs the statements where the condition holds."""
    return _each((condition, ";\n        ".join(statements)))


def _each(*parts: tuple[str, str]) -> str:
    """A block that runs each text where its condition holds."""
    body = "".join(f"    IF {condition} THEN\n        {text};\n    END IF;\n" for condition, text in parts)
    text = f" BEGIN\n{body}END "
    return f"DO {guards.tagged(text)}"


def _cut(name: str) -> str:
    """A name as long as PostgreSQL lets it be."""
    return name.encode()[:_LONGEST].decode(errors="ignore")
