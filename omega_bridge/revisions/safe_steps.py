"""DDL in the form in which a list can hold it: guarded, one lock at a time, and the long work apart from the lock that stops writers.

Each function gives the texts of steps, in their order. Where all is there, none of them takes a lock. Names follow the ``search_path``
where no schema is given. PostgreSQL's manual: "ALTER TABLE", notes on ``NOT VALID`` and on ``SET NOT NULL``.
"""

from __future__ import annotations

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

    ``filled``: an expression that rows without a value get first.
    """
    owner, name = identifier(table, schema), identifier(column)
    check = _cut(f"{table}_{column}_is_there")
    is_open = (
        f"EXISTS (SELECT FROM pg_attribute WHERE attrelid = {regclass(table, schema)} AND attname = {literal(column)} "
        "AND NOT attnotnull AND NOT attisdropped)"
    )
    there = f"EXISTS (SELECT FROM pg_constraint WHERE conrelid = {regclass(table, schema)} AND conname = {literal(check)})"
    fill = (f"UPDATE {owner} SET {name} = {filled} WHERE {name} IS NULL",) if filled is not None else ()
    return (
        *fill,
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


def renamed(table: str, old: str, new: str, schema: str | None = None) -> str:
    """The column by its new name, with the rows' values, where it has the old one and there is none of the new name."""
    has_old, has_new = (guards.is_there("column", name, table, schema) for name in (old, new))
    return _where(f"{has_old} AND NOT {has_new}", guards.rename("column", old, new, table, schema))


def _where(condition: str, *statements: str) -> str:
    """A block that runs the statements where the condition holds."""
    body = ";\n        ".join(statements)
    text = f" BEGIN\n    IF {condition} THEN\n        {body};\n    END IF;\nEND "
    return f"DO {guards.tagged(text)}"


def _cut(name: str) -> str:
    """A name as long as PostgreSQL lets it be."""
    return name.encode()[:_LONGEST].decode(errors="ignore")
