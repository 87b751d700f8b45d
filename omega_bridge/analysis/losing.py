"""Statements that lose data without dropping a table or a column: no guard refuses them, so they are told beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from omega_bridge.analysis.analysis import StepAnalysis
from omega_bridge.catalog import Kind
from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import ParseNode, Statement, deparse_type, held, identifier, inner, name_of, parse, strings, walk
from omega_bridge.sql.grammar import AlterTableType, CmdType, ObjectType
from omega_bridge.tags import Tag

_NARROW = {"smallint", "int", "integer", "date", "real", "time", "char", "varchar", "numeric", "bit", "timestamp", "bpchar"}
"""Types to which an explicit cast rounds or cuts off; of those with a length, where one is given."""
_WITH_LENGTH = {"char", "varchar", "numeric", "bit", "bpchar", "timestamp", "time"}


@dataclass(frozen=True, slots=True)
class Loss:
    """What is lost, in a clause that goes on after the step's name.

    ``forgets``: a count or a copy, no row of its own. ``is_change``: rows are changed by name, all of them.
    """

    message: str
    forgets: bool = False
    is_change: bool = False


def losses(step: StepAnalysis) -> Iterator[Loss]:
    """What the step's statements lose, those inside blocks too; nothing of one that the list allows to."""
    if step.step.destructive:
        return
    made = {(e.key.table, e.key.name) for s in step.reading.statements for e in s.effects if e.present}
    for s in step.reading.statements:
        try:
            found = parse(s.text)
        except StepSyntaxError:
            continue
        for statement in found:
            yield from _of(statement, made)
            for node in walk(statement.node):  # in a WITH, too
                yield from _of_every_row(node, made)


def _of_every_row(node: ParseNode, made: set[tuple[str, str]]) -> Iterator[Loss]:
    match name_of(node):
        case "DeleteStmt" if _takes_all(node.where_clause) and not node.using_clause:
            yield Loss(f"deletes every row of {_name(node.relation)}", is_change=True)
        case "UpdateStmt" if _takes_all(node.where_clause) and not node.from_clause:
            columns = [c for target in node.target_list if (node.relation.relname, c := inner(target).name) not in made]
            if columns:  # what the step adds itself holds nothing yet
                yield Loss(f"overwrites {', '.join(columns)} in every row of {_name(node.relation)}", is_change=True)
        case "MergeStmt" if _takes_all(node.join_condition):
            if any(inner(w).command_type == CmdType.DELETE and held(inner(w).condition) is None for w in node.merge_when_clauses):
                yield Loss(f"deletes every row of {_name(node.relation)}", is_change=True)


def _takes_all(condition: ParseNode) -> bool:
    """Whether there is none, or it is ``true``."""
    found = held(condition)
    return found is None or (name_of(found) == "A_Const" and found.boolval.boolval)


def _of(statement: Statement, made: set[tuple[str, str]]) -> Iterator[Loss]:
    node = statement.node
    match statement.tag:
        case Tag.REFRESH_MAT_VIEW if node.skip_data:
            yield Loss(f"empties {Kind.MATERIALIZED_VIEW} {_name(node.relation)}", forgets=True)
        case Tag.ALTER_TABLE:
            for command in map(inner, node.cmds):
                yield from _command(_name(node.relation), command)
        case Tag.DROP if node.remove_type in (ObjectType.MATVIEW, ObjectType.SEQUENCE):
            for target in map(inner, node.objects):
                name = strings(target.items)[-1]
                if node.remove_type == ObjectType.SEQUENCE:
                    yield Loss(f"drops sequence {name}, and with it the number it stands at", forgets=True)
                elif ("", name) not in made:
                    yield Loss(f"drops {Kind.MATERIALIZED_VIEW} {name} with the rows that it keeps", forgets=True)
        case Tag.ALTER_SEQ if any(option.def_elem.defname == "restart" for option in node.options):
            yield Loss(f"sets sequence {_name(node.sequence)} back", forgets=True)
        case Tag.SELECT:
            for call in walk(node):
                if name_of(call) == "FuncCall" and strings(call.funcname)[-1] == "setval":
                    yield Loss("sets a sequence with setval, also back to numbers that were given out", forgets=True)


def _command(table: str, command: ParseNode) -> Iterator[Loss]:
    column = identifier(command.name)
    match command.subtype:
        case AlterTableType.ALTER_COLUMN_TYPE:
            definition = inner(getattr(command, "def"))
            using = held(definition.raw_default)
            if using is not None and not _keeps(using, command.name):
                yield Loss(f"changes the type of {table}.{column} with USING: what the expression does not keep is gone")
        case AlterTableType.DROP_IDENTITY:
            yield Loss(f"drops the identity of {table}.{column}, and with it the number it stands at", forgets=True)
        case AlterTableType.DETACH_PARTITION:
            yield Loss(f"detaches a partition of {table}: its rows are in {table} no more")
        case AlterTableType.SET_UNLOGGED:
            yield Loss(f"makes {table} UNLOGGED: a crash of the server empties it")


def _keeps(using: ParseNode, column: str) -> bool:
    """Whether it is the column itself, or a cast of it that fails where it cannot keep a value."""
    if name_of(using) == "TypeCast":
        name, _, length = deparse_type(using.type_name).lower().partition("(")
        if name.strip() in _NARROW and (length or name.strip() not in _WITH_LENGTH):
            return False
        return _keeps(inner(using.arg), column)
    return name_of(using) == "ColumnRef" and strings(using.fields)[-1:] == (column,)


def _name(relation: ParseNode) -> str:
    return identifier(relation.schemaname, relation.relname)
