"""What PostgreSQL says of a statement that makes an object which is there already.

What a ``CREATE`` says is in its kind's room. Source: PostgreSQL's manual, appendix "PostgreSQL Error Codes".
"""

from __future__ import annotations

from collections.abc import Iterator

from omega_bridge.kinds import READ
from omega_bridge.sql import ParseNode, Statement, inner
from omega_bridge.sql.grammar import AlterTableType, ConstrType
from omega_bridge.tags import Tag

_OF_A_CONSTRAINT = {
    ConstrType.PRIMARY: ("invalid_table_definition",),
    ConstrType.UNIQUE: ("duplicate_table",),
    ConstrType.EXCLUSION: ("duplicate_table",),
}


def errors_again(statement: Statement) -> Iterator[str]:
    """The names of the errors that a statement's second run raises; none of one that may be repeated."""
    node: ParseNode = statement.node
    said = READ.get(statement.tag)
    if said is not None and said.twice:
        if not (said.unless and getattr(node, said.unless)):
            yield said.twice
    elif statement.tag == Tag.ALTER_ENUM and not node.skip_if_new_val_exists:
        yield "invalid_parameter_value" if node.old_val else "duplicate_object"
    elif statement.tag == Tag.ALTER_TABLE:
        for command in map(inner, node.cmds):
            if command.subtype == AlterTableType.ADD_COLUMN and not command.missing_ok:
                yield "duplicate_column"
            elif command.subtype == AlterTableType.ADD_IDENTITY or (
                command.subtype == AlterTableType.DROP_IDENTITY and not command.missing_ok
            ):
                yield "object_not_in_prerequisite_state"
            elif command.subtype == AlterTableType.ADD_CONSTRAINT:
                constraint = inner(getattr(command, "def"))
                yield from _OF_A_CONSTRAINT.get(constraint.contype, ("duplicate_object",))
