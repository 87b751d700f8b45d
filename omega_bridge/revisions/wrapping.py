"""Plain DDL, as one would type it into psql, in the form in which a list can hold it: each statement guarded, in its safe form.

A statement of which no such form is known is an error that says so: it is never written as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.analysis.effects import read
from omega_bridge.analysis.effects.naming import generated
from omega_bridge.analysis.lookup_text import Unwritable, absent
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.planning.renames import NOT_NULL, Along
from omega_bridge.revisions import guards, safe_steps
from omega_bridge.sql import (
    ParseNode,
    Statement,
    copied,
    deparse_expression,
    deparse_statement,
    deparse_type,
    inner,
    parse,
    printed_type,
)
from omega_bridge.sql.grammar import AlterTableType, ConstrType, ObjectType
from omega_bridge.steps import Step
from omega_bridge.tags import Tag

_UNLESS_THERE = (Tag.CREATE, Tag.CREATE_SEQ, Tag.CREATE_EXTENSION, Tag.CREATE_SCHEMA)
_AS_IT_IS = (Tag.DO, Tag.COMMENT, Tag.UPDATE, Tag.CREATE_FUNCTION, Tag.GRANT)

_RENAMED = {
    ObjectType.TABCONSTRAINT: ("constraint", True),
    ObjectType.INDEX: ("index", False),
    ObjectType.SEQUENCE: ("sequence", False),
}
"""Kind, and whether its name is one of a table's."""


def wrapped(text: str) -> tuple[Step, ...]:
    """Steps for the statements of a text. Raises ``StepSyntaxError``, ``ConfigurationInvalid`` for one that has no guarded form."""
    return tuple(Step(sql, title=" ".join(s.text.split())[:80]) for s in parse(text) for sql in _forms(s))


def _forms(s: Statement) -> Iterator[str]:
    node = copied(s.node)
    if s.tag in _UNLESS_THERE:
        node.if_not_exists = True
        yield deparse_statement(s.tag, node)
    elif s.tag == Tag.INDEX:
        if not node.idxname:
            raise _no_form(s.text, "an index needs a name to be looked for: CREATE INDEX name ON ...")
        node.if_not_exists = node.concurrent = True
        yield deparse_statement(s.tag, node)
    elif s.tag == Tag.DROP:
        node.missing_ok = True
        yield deparse_statement(s.tag, node)
    elif s.tag == Tag.ALTER_ENUM and node.new_val and not node.old_val:
        node.skip_if_new_val_exists = True
        yield deparse_statement(s.tag, node)
    elif s.tag == Tag.VIEW:
        node.replace = True
        yield deparse_statement(s.tag, node)
    elif s.tag == Tag.RENAME and node.rename_type == ObjectType.COLUMN and node.relation_type == ObjectType.TABLE:
        table = node.relation.relname
        along = Along(NOT_NULL, *(generated(table, [name], "not_null") for name in (node.subname, node.newname)))
        yield safe_steps.renamed(table, node.subname, node.newname, node.relation.schemaname or None, [along])
    elif s.tag == Tag.RENAME and node.rename_type in _RENAMED:
        kind, is_of_table = _RENAMED[node.rename_type]
        old, table = (node.subname, node.relation.relname) if is_of_table else (node.relation.relname, "")
        yield safe_steps.renamed_alone(Along(kind, old, node.newname), table, node.relation.schemaname or None)
    elif s.tag == Tag.ALTER_TABLE and node.objtype == ObjectType.TABLE:
        for command in s.node.cmds:
            yield from _command(s, node, inner(command))
    elif s.tag in _AS_IT_IS and not read(s).again:
        yield s.text
    else:
        yield _behind_guard(s)


def _command(s: Statement, node: ParseNode, command: ParseNode) -> Iterator[str]:
    """One part of an ``ALTER TABLE``, by itself."""
    table, schema, column = node.relation.relname, node.relation.schemaname or None, command.name
    alone = copied(node)
    del alone.cmds[:]
    part = alone.cmds.add().alter_table_cmd
    part.CopyFrom(command)
    match command.subtype:
        case AlterTableType.ADD_COLUMN:
            _check_mandatory(s, _defined(command))
            part.missing_ok = True
            yield deparse_statement(s.tag, alone)
        case AlterTableType.DROP_COLUMN | AlterTableType.DROP_CONSTRAINT:
            part.missing_ok = True
            yield deparse_statement(s.tag, alone)
        case AlterTableType.ADD_CONSTRAINT:
            constraint = _defined(command)
            written = deparse_statement(s.tag, alone)
            _, named, definition = written.partition(f"ADD CONSTRAINT {guards.identifier(constraint.conname)} ")
            if not constraint.conname or not named:
                raise _no_form(s.text, "a constraint needs a name to be looked for: ADD CONSTRAINT name ...")
            yield from safe_steps.constraint(table, constraint.conname, definition.removesuffix(" NOT VALID"), schema)
        case AlterTableType.VALIDATE_CONSTRAINT:
            yield safe_steps.validated(table, column, schema)
        case AlterTableType.SET_NOT_NULL:
            yield from safe_steps.not_null(table, column, schema)
        case AlterTableType.DROP_NOT_NULL:
            yield guards.unless(guards.nullable_is(table, column, True, schema), deparse_statement(s.tag, alone))
        case AlterTableType.COLUMN_DEFAULT:
            value = _defined(command)
            wanted = deparse_expression(value) if value is not None else None
            yield guards.unless(guards.default_is(table, column, wanted, schema), deparse_statement(s.tag, alone))
        case AlterTableType.ALTER_COLUMN_TYPE:
            printed = printed_type(deparse_type(_defined(command).type_name))
            yield guards.unless(guards.type_is(table, column, printed, schema), deparse_statement(s.tag, alone))
        case _:
            raise _no_form(s.text, "it is none of the parts of ALTER TABLE that are known here")


def _defined(command: ParseNode) -> ParseNode:
    """What it sets or adds; ``def`` is a word of Python's."""
    return inner(getattr(command, "def"))


def _check_mandatory(s: Statement, column: ParseNode) -> None:
    """A column that must have a value, and comes without one, fails on a table with rows."""
    kinds = {inner(c).contype for c in column.constraints}
    given = {ConstrType.DEFAULT, ConstrType.IDENTITY, ConstrType.GENERATED}
    is_counted = str(column.type_name).count("serial") > 0
    if ConstrType.NOTNULL in kinds and not kinds & given and not is_counted:
        raise _no_form(
            s.text,
            "every row must have a value, and none is given: add the column without NOT NULL, then an UPDATE, then SET NOT NULL; "
            "or give it a DEFAULT",
        )


def _behind_guard(s: Statement) -> str:
    found = read(s)
    if len(found.effects) != 1 or not found.effects[0].present or found.opaque:
        raise _no_form(s.text, "what it makes cannot be looked for")
    try:
        guard = absent(found.effects[0].key)
    except Unwritable as error:
        raise _no_form(s.text, "what it makes cannot be looked for") from error
    return f"DO {guards.tagged(f' BEGIN IF {guard} THEN {s.text}; END IF; END ')}"


def _no_form(text: str, why: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        f"no guarded form is known of: {' '.join(text.split())[:120]}: {why}",
        hint="Write it so, or write the guarded step by hand and append it to the list.",
    )
