"""What PostgreSQL says of a statement that makes an object which is there already.

Source: PostgreSQL's manual, appendix "PostgreSQL Error Codes".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omega_bridge.sql import Statement, inner, pb

_ALWAYS = {
    "create_enum_stmt": "duplicate_object",
    "create_domain_stmt": "duplicate_object",
    "composite_type_stmt": "duplicate_object",
    "create_policy_stmt": "duplicate_object",
    "create_trig_stmt": "duplicate_object",
}
_WITHOUT_IF_NOT_EXISTS = {
    "create_stmt": "duplicate_table",
    "index_stmt": "duplicate_table",
    "create_seq_stmt": "duplicate_table",
    "create_schema_stmt": "duplicate_schema",
    "create_extension_stmt": "duplicate_object",
    "create_table_as_stmt": "duplicate_table",
}
_WITHOUT_OR_REPLACE = {
    "view_stmt": "duplicate_table",
    "create_function_stmt": "duplicate_function",
}
_OF_A_CONSTRAINT = {
    pb.CONSTR_PRIMARY: ("invalid_table_definition",),
    pb.CONSTR_UNIQUE: ("duplicate_table",),
    pb.CONSTR_EXCLUSION: ("duplicate_table",),
}


def errors_again(statement: Statement) -> Iterator[str]:
    """The names of the errors that a statement's second run raises; none of one that may be repeated."""
    node: Any = statement.node
    if statement.tag in _ALWAYS and not getattr(node, "replace", False):
        yield _ALWAYS[statement.tag]
    elif statement.tag in _WITHOUT_IF_NOT_EXISTS and not node.if_not_exists:
        yield _WITHOUT_IF_NOT_EXISTS[statement.tag]
    elif statement.tag in _WITHOUT_OR_REPLACE and not node.replace:
        yield _WITHOUT_OR_REPLACE[statement.tag]
    elif statement.tag == "alter_enum_stmt" and not node.skip_if_new_val_exists:
        yield "invalid_parameter_value" if node.old_val else "duplicate_object"
    elif statement.tag == "alter_table_stmt":
        for command in map(inner, node.cmds):
            if command.subtype == pb.AT_AddColumn and not command.missing_ok:
                yield "duplicate_column"
            elif command.subtype == pb.AT_AddIdentity or (command.subtype == pb.AT_DropIdentity and not command.missing_ok):
                yield "object_not_in_prerequisite_state"
            elif command.subtype == pb.AT_AddConstraint:
                constraint = inner(getattr(command, "def"))
                yield from _OF_A_CONSTRAINT.get(constraint.contype, ("duplicate_object",))
