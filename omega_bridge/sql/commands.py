"""What statements say that others ask for without seeing their parse trees."""

from __future__ import annotations

from omega_bridge.sql.libpg_query import pb
from omega_bridge.sql.nodes import copied, inner, name_of, walk
from omega_bridge.sql.parser import Statement, deparse_statement, parse
from omega_bridge.tags import Tag

_QUIET = {
    pb.AT_AddColumn, pb.AT_AddConstraint, pb.AT_AddInherit, pb.AT_ChangeOwner, pb.AT_ClusterOn, pb.AT_DropCluster, pb.AT_DropInherit,
    pb.AT_ReplicaIdentity, pb.AT_ResetOptions, pb.AT_ResetRelOptions, pb.AT_SetOptions, pb.AT_SetRelOptions, pb.AT_SetStatistics,
    pb.AT_SetStorage, pb.AT_SetNotNull, pb.AT_ValidateConstraint,
}  # fmt: skip
_ENDS = {pb.TRANS_STMT_BEGIN, pb.TRANS_STMT_START, pb.TRANS_STMT_COMMIT}
CONCURRENT = {Tag.INDEX, Tag.DROP}
"""Statements that may be ``CONCURRENTLY``."""


def keeps_rows_and_names(text: str) -> bool:
    """Whether every command of an ``ALTER TABLE`` leaves rows and names as they are."""
    commands = [inner(c) for statement in parse(text) for c in statement.node.cmds]
    return bool(commands) and all(c.subtype in _QUIET for c in commands)


def relations_in(text: str) -> set[tuple[str, str]]:
    """The relations that a text names, with the schema that it says."""
    return {(r.schemaname, r.relname) for s in parse(text) for r in walk(s.node) if name_of(r) == "RangeVar"}


def set_columns(text: str) -> tuple[str, ...]:
    """The columns that an ``UPDATE`` sets, in lower case; none where its text is not just one."""
    found = parse(text)
    if len(found) != 1 or found[0].tag != Tag.UPDATE:
        return ()
    return tuple(inner(target).name.lower() for target in found[0].node.target_list)


def is_frame(statement: Statement) -> bool:
    """Whether it is a ``BEGIN`` or ``COMMIT`` around others."""
    return statement.tag == Tag.TRANSACTION and statement.node.kind in _ENDS


def at_once(statement: Statement) -> str:
    """A statement without ``CONCURRENTLY``, as a transaction takes it."""
    if statement.tag not in CONCURRENT or not statement.node.concurrent:
        return statement.text
    node = copied(statement.node)
    node.concurrent = False
    return deparse_statement(statement.tag, node)
