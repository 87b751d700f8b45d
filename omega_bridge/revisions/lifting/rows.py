"""Statements of the schema that the rows which are there may make fail: where a handler lets that pass, an operation would not."""

from __future__ import annotations

from omega_bridge.analysis.program import Sql
from omega_bridge.sql import ParseNode, inner, parse
from omega_bridge.sql.grammar import AlterTableType, ConstrType
from omega_bridge.tags import Tag

_CHECKED = {
    ConstrType.CHECK,
    ConstrType.EXCLUSION,
    ConstrType.FOREIGN,
    ConstrType.GENERATED,
    ConstrType.NOTNULL,
    ConstrType.PRIMARY,
    ConstrType.UNIQUE,
}
_CHECKING = {
    AlterTableType.ALTER_COLUMN_TYPE,
    AlterTableType.ATTACH_PARTITION,
    AlterTableType.SET_NOT_NULL,
    AlterTableType.VALIDATE_CONSTRAINT,
}


def hangs_on_rows(s: Sql) -> bool:
    """Whether PostgreSQL looks at, or computes with, the rows of a table that is there before it does what is said."""
    if s.tag not in _BY_ROWS:
        return False
    (statement,) = parse(s.text)
    return _BY_ROWS[s.tag](statement.node)


def _index(node: ParseNode) -> bool:
    return node.unique or node.HasField("where_clause") or any(not inner(p).name for p in node.index_params)


def _alter_table(node: ParseNode) -> bool:
    return any(map(_command, map(inner, node.cmds)))


def _command(command: ParseNode) -> bool:
    definition = inner(getattr(command, "def"))
    if command.subtype == AlterTableType.ADD_CONSTRAINT:
        return not definition.skip_validation
    if command.subtype == AlterTableType.ADD_COLUMN:
        said = {inner(c).contype for c in definition.constraints}
        has_value = not said.isdisjoint({ConstrType.DEFAULT, ConstrType.IDENTITY})
        return not said.isdisjoint(_CHECKED - {ConstrType.NOTNULL} if has_value else _CHECKED)
    return command.subtype in _CHECKING


def _materialized_view(node: ParseNode) -> bool:
    return not node.into.skip_data


_BY_ROWS = {Tag.INDEX: _index, Tag.ALTER_TABLE: _alter_table, Tag.CREATE_TABLE_AS: _materialized_view}
