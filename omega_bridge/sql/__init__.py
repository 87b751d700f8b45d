"""The only home of the SQL parser: PostgreSQL's own grammar (libpg_query), through ``postgast``.

Everything else asks here for statements, canonical text, or whether two fragments mean the same; ``pb`` is the parse
tree's vocabulary (libpg_query's protobuf messages and enumerations).
"""

from omega_bridge.sql.canonical import canonical, checksum, on_one_line
from omega_bridge.sql.compare import is_of_its_column, same_expression, same_index, same_routine, same_statement, same_type
from omega_bridge.sql.fields import Fields, Known, fields, goes_beyond, known
from omega_bridge.sql.lexer import (
    comments,
    commits_within,
    ends_transaction,
    identifier,
    is_reserved,
    long_names,
    sendable,
    words,
)
from omega_bridge.sql.libpg_query import pb
from omega_bridge.sql.parser import (
    TOO_DEEP,
    Statement,
    beyond,
    deparse_expression,
    deparse_statement,
    deparse_type,
    inner,
    parse,
    parse_block,
    parse_expression,
    parse_type,
    strings,
    walk,
)
from omega_bridge.sql.swallowing import unswallowed
from omega_bridge.sql.typenames import MODIFIER, printed_argument, printed_type

__all__ = [
    "MODIFIER",
    "TOO_DEEP",
    "Fields",
    "Known",
    "Statement",
    "beyond",
    "canonical",
    "checksum",
    "comments",
    "commits_within",
    "deparse_expression",
    "deparse_statement",
    "deparse_type",
    "ends_transaction",
    "fields",
    "goes_beyond",
    "identifier",
    "inner",
    "is_of_its_column",
    "is_reserved",
    "known",
    "long_names",
    "on_one_line",
    "parse",
    "parse_block",
    "parse_expression",
    "parse_type",
    "pb",
    "printed_argument",
    "printed_type",
    "same_expression",
    "same_index",
    "same_routine",
    "same_statement",
    "same_type",
    "sendable",
    "strings",
    "unswallowed",
    "walk",
    "words",
]
