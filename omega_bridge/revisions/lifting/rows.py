"""Statements of the schema that the rows which are there may make fail: where a handler lets that pass, an operation would not."""

from __future__ import annotations

from typing import Any

from omega_bridge.analysis.program import Sql
from omega_bridge.sql import inner, parse, pb
from omega_bridge.tags import Tag

_CHECKED = {
    pb.CONSTR_CHECK,
    pb.CONSTR_EXCLUSION,
    pb.CONSTR_FOREIGN,
    pb.CONSTR_GENERATED,
    pb.CONSTR_NOTNULL,
    pb.CONSTR_PRIMARY,
    pb.CONSTR_UNIQUE,
}
_CHECKING = {pb.AT_AlterColumnType, pb.AT_AttachPartition, pb.AT_SetNotNull, pb.AT_ValidateConstraint}


def hangs_on_rows(s: Sql) -> bool:
    """Whether PostgreSQL looks at, or computes with, the rows of a table that is there before it does what is said."""
    if s.tag not in _BY_ROWS:
        return False
    (statement,) = parse(s.text)
    return _BY_ROWS[s.tag](statement.node)


def _index(node: Any) -> bool:
    return node.unique or node.HasField("where_clause") or any(not inner(p).name for p in node.index_params)


def _alter_table(node: Any) -> bool:
    return any(map(_command, map(inner, node.cmds)))


def _command(command: Any) -> bool:
    definition = inner(getattr(command, "def"))
    if command.subtype == pb.AT_AddConstraint:
        return not definition.skip_validation
    if command.subtype == pb.AT_AddColumn:
        said = {inner(c).contype for c in definition.constraints}
        has_value = not said.isdisjoint({pb.CONSTR_DEFAULT, pb.CONSTR_IDENTITY})
        return not said.isdisjoint(_CHECKED - {pb.CONSTR_NOTNULL} if has_value else _CHECKED)
    return command.subtype in _CHECKING


def _materialized_view(node: Any) -> bool:
    return not node.into.skip_data


_BY_ROWS = {Tag.INDEX: _index, Tag.ALTER_TABLE: _alter_table, Tag.CREATE_TABLE_AS: _materialized_view}
