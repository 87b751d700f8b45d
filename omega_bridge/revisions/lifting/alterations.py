"""``ALTER TABLE``, one command at a time."""

from __future__ import annotations

from alembic.operations import ops

from omega_bridge.analysis.effects.columns import table_constraint
from omega_bridge.analysis.effects.naming import member, relation
from omega_bridge.catalog import Key, Kind
from omega_bridge.revisions import operations as ours
from omega_bridge.revisions.lifting import native
from omega_bridge.revisions.lifting.common import Lifting, NotLifted, schema_of
from omega_bridge.sql import ParseNode, deparse_expression, deparse_type, inner, on_one_line
from omega_bridge.sql.grammar import AlterTableType, DropBehavior

_SWITCHES = {
    AlterTableType.ENABLE_ROW_SECURITY: ("enabled", "row_security", True),
    AlterTableType.DISABLE_ROW_SECURITY: ("enabled", "row_security", False),
    AlterTableType.FORCE_ROW_SECURITY: ("forced", "force_row_security", True),
    AlterTableType.NO_FORCE_ROW_SECURITY: ("forced", "force_row_security", False),
}

_PASSED_DOWN = {
    AlterTableType.DROP_COLUMN,
    AlterTableType.COLUMN_DEFAULT,
    AlterTableType.SET_NOT_NULL,
    AlterTableType.DROP_NOT_NULL,
    AlterTableType.ALTER_COLUMN_TYPE,
    AlterTableType.DROP_CONSTRAINT,
}
"""What is said anew by an operation, and would be done in tables that inherit, too."""


def lift_command(text: str, node: ParseNode, lifting: Lifting) -> None:
    """The one command of ``node``; ``text`` is its statement. Raises ``NotLifted``."""
    command = inner(node.cmds[0])
    table = relation(node.relation)
    schema, definition = schema_of(table), inner(getattr(command, "def"))
    cascade = command.behavior == DropBehavior.CASCADE
    if not node.relation.inh and command.subtype in _PASSED_DOWN:
        raise NotLifted("ALTER TABLE ONLY: no operation says it")
    match command.subtype:
        case AlterTableType.ADD_COLUMN:
            _add_column(text, node, definition, lifting)
        case AlterTableType.DROP_COLUMN:
            if cascade or not lifting.is_there(table):  # IF EXISTS is about the column: Alembic's own needs the table
                lifting.add(ours.EnsureAbsentOp("column", command.name, table=table.name, schema=schema, cascade=cascade))
            else:
                lifting.add(ops.DropColumnOp(table.name, command.name, schema=schema, if_exists=True))
            if lifting.is_there(member(table, Kind.COLUMN, command.name)):
                lifting.no_way_back(f"column {table.name}.{command.name} was dropped")
        case AlterTableType.COLUMN_DEFAULT:
            _default(table, command, definition, lifting)
        case AlterTableType.SET_NOT_NULL | AlterTableType.DROP_NOT_NULL:
            _nullable(table, command, lifting)
        case AlterTableType.ALTER_COLUMN_TYPE:
            _type(table, command, definition, lifting)
        case AlterTableType.ADD_CONSTRAINT:
            _add_constraint(text, table, definition, lifting)
        case AlterTableType.DROP_CONSTRAINT:
            _drop_constraint(table, command, lifting, cascade=cascade)
        case AlterTableType.VALIDATE_CONSTRAINT:
            lifting.add(ours.RunStepOp(text))  # PostgreSQL looks itself whether there is anything to validate
        case subtype if subtype in _SWITCHES:
            _switch(table, _SWITCHES[subtype], lifting)
        case _:
            raise NotLifted("ALTER TABLE with a command that no operation says")


def _add_column(text: str, node: ParseNode, definition: ParseNode, lifting: Lifting) -> None:
    table = relation(node.relation)
    key = member(table, Kind.COLUMN, definition.colname)
    back = () if lifting.is_there(key) else (ops.DropColumnOp(table.name, key.name, schema=schema_of(table), if_exists=True),)
    try:
        operation = native.add_column(node.relation, definition)
        native.check(operation, text)
        lifting.add(operation, *back)
    except native.NotNative:
        lifting.add(ours.EnsureOp("column", key.name, on_one_line(text), table=table.name, schema=schema_of(table)), *back)


def _default(table: Key, command: ParseNode, definition: ParseNode, lifting: Lifting) -> None:
    wanted = deparse_expression(definition) if definition is not None else None
    before = lifting.attribute(member(table, Kind.COLUMN, command.name), "default")
    column = (table.name, command.name)
    operation = ours.EnsureColumnOp(*column, default=wanted, schema=schema_of(table))
    if not (before is None or isinstance(before, str)):  # not known, or only to the server
        lifting.add(operation)
        lifting.no_way_back(f"the default that {table.name}.{command.name} had before is not known")
    else:
        back = () if before == wanted else (ours.EnsureColumnOp(*column, default=before, schema=schema_of(table)),)
        lifting.add(operation, *back)


def _nullable(table: Key, command: ParseNode, lifting: Lifting) -> None:
    wanted = command.subtype == AlterTableType.DROP_NOT_NULL
    before = lifting.attribute(member(table, Kind.COLUMN, command.name), "nullable")
    column = (table.name, command.name)
    operation = ours.EnsureColumnOp(*column, nullable=wanted, schema=schema_of(table))
    back = () if before is wanted else (ours.EnsureColumnOp(*column, nullable=not wanted, schema=schema_of(table)),)
    lifting.add(operation, *back)


def _type(table: Key, command: ParseNode, definition: ParseNode, lifting: Lifting) -> None:
    if definition.HasField("coll_clause"):
        raise NotLifted("ALTER COLUMN TYPE with a collation: no operation says it")
    if lifting.attribute(member(table, Kind.COLUMN, command.name), "collation") not in (None, ...):
        raise NotLifted("ALTER COLUMN TYPE of a column with a collation of its own: it is taken away, too")
    wanted = deparse_type(definition.type_name)
    using = deparse_expression(definition.raw_default) if definition.raw_default.WhichOneof("node") else None
    before = lifting.attribute(member(table, Kind.COLUMN, command.name), "type")
    column = (table.name, command.name)
    operation = ours.EnsureColumnOp(*column, type_=wanted, using=using, schema=schema_of(table))
    if not isinstance(before, str) or using is not None:
        lifting.add(operation)
        told = "its values were converted" if using else "the type it had before is not known"
        lifting.no_way_back(f"{table.name}.{command.name}: {told}")
    else:
        lifting.add(operation, ours.EnsureColumnOp(*column, type_=before, schema=schema_of(table)))


def _add_constraint(text: str, table: Key, definition: ParseNode, lifting: Lifting) -> None:
    key = table_constraint(table, definition).effects[0].key
    back = () if lifting.is_there(key) else (ops.DropConstraintOp(key.name, table.name, schema=schema_of(table), if_exists=True),)
    lifting.add(ours.EnsureOp("constraint", key.name, on_one_line(text), table=table.name, schema=schema_of(table)), *back)


def _drop_constraint(table: Key, command: ParseNode, lifting: Lifting, *, cascade: bool) -> None:
    schema = schema_of(table)
    if cascade or not lifting.is_there(table):
        lifting.add(ours.EnsureAbsentOp("constraint", command.name, table=table.name, schema=schema, cascade=cascade))
    else:
        lifting.add(ops.DropConstraintOp(command.name, table.name, schema=schema, if_exists=True))
    if lifting.is_there(member(table, Kind.CONSTRAINT, command.name)):
        lifting.no_way_back(f"constraint {command.name} of {table.name} was dropped")


def _switch(table: Key, switch: tuple[str, str, bool], lifting: Lifting) -> None:
    argument, attribute, wanted = switch
    before = lifting.attribute(table, attribute)
    old = False if before is ... or before is None else bool(before)
    back = () if old is wanted else (ours.EnsureRowSecurityOp(table.name, schema=schema_of(table), **{argument: old}),)
    lifting.add(ours.EnsureRowSecurityOp(table.name, schema=schema_of(table), **{argument: wanted}), *back)
