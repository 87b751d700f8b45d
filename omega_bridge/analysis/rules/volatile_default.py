"""``ADD COLUMN`` with a default that is another one for each row."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.rewriting import volatile_in
from omega_bridge.analysis.written import written
from omega_bridge.sql.grammar import AlterTableType, ConstrType
from omega_bridge.tags import Tag

_SERIAL = {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"}


def find(listed: Listed) -> Iterator[Hit]:
    """New columns on tables that the step does not find empty, whose values PostgreSQL has to write into each row."""
    is_empty = listed.meets_empty()
    for _, step in listed.steps():
        for w in written(step):
            if w.sql.tag != Tag.ALTER_TABLE or is_empty(step, w.statement.node.relation.relname):
                continue
            for command in map(sql.inner, w.statement.node.cmds):
                if command.subtype != AlterTableType.ADD_COLUMN:
                    continue
                column = sql.inner(getattr(command, "def"))
                because = _because(column)
                if because:
                    table = sql.identifier(w.statement.node.relation.schemaname, w.statement.node.relation.relname)
                    yield Hit(
                        step,
                        f"adds {table}.{column.colname} with {because}, and writes the table anew",
                        "Add the column without it, set the default in a second statement, and fill the rows in batches.",
                        _instead(table, column),
                        at=w.sql.text,
                    )


def _because(column: sql.ParseNode) -> str | None:
    if sql.deparse_type(column.type_name).lower().removeprefix("pg_catalog.") in _SERIAL:
        return "a number of its own for each row (serial)"
    for constraint in map(sql.inner, column.constraints):
        if constraint.contype == ConstrType.IDENTITY:
            return "a number of its own for each row (identity)"
        if constraint.contype == ConstrType.GENERATED and constraint.generated_kind != "v":
            return "a value that is computed for each row"
        if constraint.contype == ConstrType.DEFAULT and (name := volatile_in(constraint.raw_expr)):
            return f"a value of its own for each row ({name})"
    return None


def _instead(table: str, column: sql.ParseNode) -> tuple[str, ...]:
    """Only where the default is all that the column says."""
    constraints = [sql.inner(c) for c in column.constraints]
    if len(constraints) != 1 or constraints[0].contype != ConstrType.DEFAULT:
        return ()
    name, kind = sql.identifier(column.colname), sql.deparse_type(column.type_name)
    default = sql.deparse_expression(constraints[0].raw_expr)
    return (
        f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {kind}",
        f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}",
    )


RULE = Rule(
    "volatile-default",
    Severity.WARNING,
    "A constant is kept once, in the catalog; a value for each row means that all rows are written anew under ACCESS EXCLUSIVE.",
    find,
)
