"""SQL text to statements and nodes. Relies on libpg_query's PostgreSQL 18 grammar; offsets there are bytes.

PL/pgSQL comes back as nested dictionaries, in which every inner statement and condition is text to be parsed again.
"""

from __future__ import annotations

from functools import lru_cache

from google.protobuf.message import DecodeError

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import libpg_query
from omega_bridge.sql.lexer import encoded
from omega_bridge.sql.libpg_query import pb
from omega_bridge.sql.locating import in_block
from omega_bridge.sql.nodes import ParseNode, Tree, wrapped
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

TOO_DEEP = "it nests deeper than can be read here"
"""The message about a text that is beyond what the parser, or a reader of its tree, walks through."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text as written (without the semicolon), its parse node and the node's name.

    ``offset`` is in characters from the start.
    """

    text: str
    node: ParseNode
    tag: Tag
    offset: int


@lru_cache(maxsize=16)
def parse(sql: str) -> tuple[Statement, ...]:
    """Split a text into its statements. Raises ``StepSyntaxError`` with line and column within the text.

    The nodes are shared by whoever asks for the same text: copy one before changing it.
    """
    raw = encoded(sql)
    is_ascii = len(raw) == len(sql)  # then a place in bytes is one in characters
    try:
        tree = libpg_query.parse(sql)
    except libpg_query.PgQueryError as exc:
        raise _syntax_error(sql, exc) from exc
    except DecodeError as exc:
        raise StepSyntaxError(TOO_DEEP) from exc
    found = []
    for entry in tree.stmts:
        tag = entry.stmt.WhichOneof("node")
        if tag is None:
            continue
        start = entry.stmt_location
        end = start + entry.stmt_len if entry.stmt_len else len(raw)
        chunk = raw[start:end]
        begin = start + len(chunk) - len(chunk.lstrip())
        text = chunk.strip().decode()
        offset = begin if is_ascii else len(raw[:begin].decode(errors="replace"))
        found.append(Statement(text, getattr(entry.stmt, tag), Tag(tag), offset))
    return tuple(found)


def parse_expression(text: str) -> ParseNode:
    """The node of one expression, such as a condition or a default. Raises ``StepSyntaxError``."""
    statement = parse(f"SELECT {text}")[0]
    node: ParseNode = statement.node.target_list[0].res_target.val
    return node


def parse_type(text: str) -> ParseNode:
    """The ``TypeName`` node of a type's text. Raises ``StepSyntaxError``."""
    node: ParseNode = parse_expression(f"NULL::{text}").type_cast.type_name
    return node


def parse_block(sql: str, before: str = "") -> Tree:
    """The PL/pgSQL tree of a ``DO`` statement's block. Raises ``StepSyntaxError``.

    ``before`` is what stands in front of the statement, so that lines are those of the whole text.
    """
    try:
        (function,) = libpg_query.parse_plpgsql(sql)
    except libpg_query.PgQueryError as exc:
        offset = in_block(sql, exc.message)
        raise _syntax_error(before + sql, exc, None if offset is None else len(before) + offset) from exc
    except RecursionError as exc:
        raise StepSyntaxError(TOO_DEEP) from exc
    except ValueError as exc:
        raise StepSyntaxError(f"the PL/pgSQL block cannot be read: {exc}") from exc
    block: Tree = function["PLpgSQL_function"]
    return block


def deparse_statement(tag: Tag, node: ParseNode) -> str:
    """The SQL text of a statement's node."""
    tree = pb.ParseResult()
    getattr(tree.stmts.add().stmt, tag).CopyFrom(node)
    return libpg_query.deparse(tree)


def deparse_expression(node: ParseNode) -> str:
    """The SQL text of an expression node."""
    result = pb.ParseResult()
    target = result.stmts.add().stmt.select_stmt.target_list.add().res_target
    target.val.CopyFrom(node if isinstance(node, pb.Node) else wrapped(node))
    return libpg_query.deparse(result).removeprefix("SELECT ")


def deparse_type(node: ParseNode) -> str:
    """The SQL text of a ``TypeName`` node, such as ``varchar(32)[]``."""
    plain = pb.TypeName()
    plain.CopyFrom(node)
    plain.ClearField("location")
    for modifier in plain.typmods:
        if modifier.WhichOneof("node") == "a_const":
            modifier.a_const.ClearField("location")
    return _deparsed_type(plain.SerializeToString())


@lru_cache(maxsize=1024)
def _deparsed_type(serialized: bytes) -> str:
    """A list has few types in many places."""
    node = pb.TypeName.FromString(serialized)
    result = pb.ParseResult()
    cast = result.stmts.add().stmt.select_stmt.target_list.add().res_target.val.type_cast
    cast.arg.a_const.isnull = True
    cast.type_name.CopyFrom(node)
    return libpg_query.deparse(result).removeprefix("SELECT ").removeprefix("NULL::").removeprefix("CAST(NULL AS ")


def _syntax_error(sql: str, exc: libpg_query.PgQueryError, offset: int | None = None) -> StepSyntaxError:
    line = column = None
    if offset is None and exc.cursorpos:
        offset = exc.cursorpos - 1  # in characters, unlike the offsets of the tree
    if offset is not None:
        before = sql[:offset]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    where = f" (line {line}, column {column} of the step)" if line else ""
    if "<<<<<<<" in sql and ">>>>>>>" in sql:
        hint = "The text holds merge markers (<<<<<<<, >>>>>>>): resolve the merge."
    else:
        hint = "Correct the statement; psql shows the same message."
    from omega_bridge.redaction import without_literal

    return StepSyntaxError(f"{without_literal(exc.message)}{where}", hint=hint, line=line, column=column)
