"""The only home of the SQL parser: PostgreSQL's own grammar (libpg_query), through ``postgast``.

Everything else asks here for statements, canonical text, or whether two fragments mean the same. Who reads a statement is given
its node (``ParseNode``), with PostgreSQL's names for nodes (``name_of``), fields and values (``grammar``); the parser's own messages
and enumerations do not leave this folder.
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
    may_commit,
    sendable,
    words,
)
from omega_bridge.sql.nodes import ParseNode, Tree, beyond, copied, held, inner, name_of, strings, walk
from omega_bridge.sql.parser import (
    TOO_DEEP,
    Statement,
    deparse_expression,
    deparse_statement,
    deparse_type,
    parse,
    parse_block,
    parse_expression,
    parse_type,
)
from omega_bridge.sql.swallowing import unswallowed
from omega_bridge.sql.typenames import MODIFIER, as_printed, printed_argument, printed_type

__all__ = [
    "MODIFIER",
    "TOO_DEEP",
    "Fields",
    "Known",
    "ParseNode",
    "Statement",
    "Tree",
    "as_printed",
    "beyond",
    "canonical",
    "checksum",
    "comments",
    "commits_within",
    "copied",
    "deparse_expression",
    "deparse_statement",
    "deparse_type",
    "ends_transaction",
    "fields",
    "goes_beyond",
    "held",
    "identifier",
    "inner",
    "is_of_its_column",
    "is_reserved",
    "known",
    "long_names",
    "may_commit",
    "name_of",
    "on_one_line",
    "parse",
    "parse_block",
    "parse_expression",
    "parse_type",
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
