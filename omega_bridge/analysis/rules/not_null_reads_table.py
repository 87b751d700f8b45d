"""``SET NOT NULL`` that reads the whole table under lock."""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge import sql
from omega_bridge.analysis.findings import Hit, Listed, Rule, Severity
from omega_bridge.analysis.lookup_text import absent
from omega_bridge.analysis.writing import unless_there
from omega_bridge.analysis.written import written
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql.grammar import AlterTableType, ConstrType, NullTestType
from omega_bridge.tags import Tag


def find(listed: Listed) -> Iterator[Hit]:
    """SET NOT NULL on tables that the step does not find empty, without a check on the column in the list that says the same."""
    is_empty = listed.meets_empty()
    checked = {(table, column) for _, step in listed.steps() for w in written(step) for table, column in _checked(w.statement)}
    for _, step in listed.steps():
        for w in written(step):
            if w.sql.tag != Tag.ALTER_TABLE or is_empty(step, w.statement.node.relation.relname):
                continue
            relation = w.statement.node.relation
            for command in map(sql.inner, w.statement.node.cmds):
                if command.subtype == AlterTableType.SET_NOT_NULL and (relation.relname, command.name) not in checked:
                    yield Hit(
                        step,
                        f"reads all rows of {relation.relname} under ACCESS EXCLUSIVE to see that {command.name} is never NULL",
                        "Add a check NOT VALID, VALIDATE it in a step of its own, then SET NOT NULL, which then reads nothing.",
                        _instead(Key(Kind.COLUMN, relation.schemaname, relation.relname, command.name)),
                        at=w.sql.text,
                    )


def _checked(statement: sql.Statement) -> Iterator[tuple[str, str]]:
    """The columns of which a check that the statement adds says that they are not NULL."""
    if statement.tag != Tag.ALTER_TABLE:
        return
    for command in map(sql.inner, statement.node.cmds):
        if command.subtype == AlterTableType.ADD_CONSTRAINT:
            added = sql.inner(getattr(command, "def"))
            if added.contype == ConstrType.NOTNULL and added.skip_validation:
                yield from ((statement.node.relation.relname, name) for name in sql.strings(added.keys))
            test = sql.inner(added.raw_expr)
            if (
                added.contype == ConstrType.CHECK
                and test is not None
                and sql.name_of(test) == "NullTest"
                and test.nulltesttype == NullTestType.IS_NOT_NULL
                and sql.name_of(column := sql.inner(test.arg)) == "ColumnRef"
            ):
                yield statement.node.relation.relname, sql.strings(column.fields)[-1]


def _instead(column: Key) -> tuple[str, ...]:
    table, name = sql.identifier(column.schema, column.table), sql.identifier(column.name)
    check = Key(Kind.CONSTRAINT, column.schema, column.table, f"{column.table}_{column.name}_is_there")
    quoted = sql.identifier(check.name)
    add = f"ALTER TABLE {table} ADD CONSTRAINT {quoted} CHECK ({name} IS NOT NULL) NOT VALID"
    return (
        unless_there(absent(check), add),
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted}",
        f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL",
    )


RULE = Rule(
    "not-null-reads-table",
    Severity.WARNING,
    "Readers wait, too. Where a validated check says the same (PostgreSQL 12), no row is read.",
    find,
)
