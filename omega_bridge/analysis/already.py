"""What PostgreSQL's "there already" says of a step that it rejected: that its work is done, or nothing. Pure."""

from __future__ import annotations

from omega_bridge.analysis.program import Program, Sql
from omega_bridge.tags import Tag

THERE_ALREADY = {"42701", "42710", "42P07", "42P06", "42723"}
"""duplicate_column, duplicate_object, duplicate_table, duplicate_schema, duplicate_function."""
GONE_ALREADY = {"42P01", "42703", "42883", "42704"}
"""undefined_table, undefined_column, undefined_function, undefined_object."""

_CALLS = {Tag.SELECT, Tag.CALL, Tag.DO, Tag.EXECUTE, Tag.EXPLAIN, Tag.CREATE_TABLE_AS, Tag.COPY}
"""Of what these call, the words may be meant."""


def speaks_of_its_own(program: Program, sqlstate: str | None) -> bool:
    """Whether ``sqlstate`` is "there already", and said of what the one statement of a step itself makes.

    Not where a statement calls what makes other things, writes rows, whose triggers may, or names a column of its own twice.
    """
    if sqlstate not in THERE_ALREADY or len(program) != 1 or not isinstance(program[0], Sql):
        return False
    statement = program[0]
    if statement.data or calls(program):
        return False
    return sqlstate != "42701" or statement.tag in (Tag.ALTER_TABLE, Tag.RENAME)


def calls(program: Program) -> bool:
    """Whether a step is one statement, no change of rows, that may make what its text does not say."""
    if len(program) != 1 or not isinstance(program[0], Sql) or program[0].data:
        return False
    return program[0].tag in _CALLS or not program[0].tag.is_sql
