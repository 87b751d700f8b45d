"""Do two texts that PostgreSQL printed mean the same, where other releases print them in other words?

From 16 on a view's columns are printed without the table's name where its query has only one (``pg_get_viewdef``), but for those of the
queries inside it; from 14 on
``EXTRACT``, ``AT TIME ZONE`` and their kin as they were written and no longer as calls, and a procedure's parameters with ``IN`` (release
notes of both, and src/backend/utils/adt/ruleutils.c).
"""

from __future__ import annotations

from functools import lru_cache

from google.protobuf.message import Message

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql.libpg_query import pb
from omega_bridge.sql.nodes import ParseNode, copied, held, inner, strings, walk
from omega_bridge.sql.parser import deparse_statement, parse
from omega_bridge.tags import Tag


@lru_cache(maxsize=4096)
def same_printed(one: str, other: str) -> bool | None:
    """Whether both are the same statement or expression; ``None`` where one of them cannot be read."""
    if one == other:
        return True
    for frame in (
        "{}",
        "SELECT {}",
        "ALTER TABLE t ADD {}",
        "CREATE TABLE t (c int) PARTITION BY {}",
        "CREATE TABLE t PARTITION OF u {}",
    ):
        try:
            return _read(frame.format(one)) == _read(frame.format(other))
        except StepSyntaxError:
            continue
    return None


def _read(text: str) -> tuple[str, ...]:
    return tuple(_normal(s.tag, s.node) for s in parse(text.rstrip().removesuffix(";")))


def _normal(tag: Tag, node: ParseNode) -> str:
    plain = copied(node)
    source = _only_source(plain)
    for column in _columns_of(plain) if source else ():
        if len(column.fields) == 2 and inner(column.fields[0]).sval == source and type(inner(column.fields[1])) is pb.String:
            del column.fields[0]
    for found in walk(plain):
        if type(found) is pb.FuncCall:
            _as_call(found)
        elif type(found) is pb.FunctionParameter and found.mode == pb.FUNC_PARAM_DEFAULT:
            found.mode = pb.FUNC_PARAM_IN
        elif type(found) is pb.ResTarget and type(inner(found.val)) is pb.ColumnRef and found.name == _last(inner(found.val)):
            found.name = ""
    return deparse_statement(tag, plain)


def _only_source(query: ParseNode) -> str:
    """The name of what a query takes its columns from, where that is one thing; queries inside it have names of their own, and keep them."""
    if type(query) is not pb.SelectStmt or len(query.from_clause) != 1:
        return ""
    source = inner(query.from_clause[0])
    if type(source) is pb.RangeTableSample:
        source = inner(source.relation)
    if type(source) is pb.RangeVar and not source.HasField("alias"):
        return str(source.relname)
    return str(source.alias.aliasname) if type(source) in _SOURCES and source.HasField("alias") else ""


_SOURCES = (pb.RangeVar, pb.RangeSubselect, pb.RangeFunction, pb.RangeTableFunc, pb.JsonTable)
"""What a query may take its columns from; a join is more than one."""


def _columns_of(query: ParseNode) -> list[ParseNode]:
    """The columns that a query itself speaks of, and not one inside it: there one of its own may be that of the outer one."""
    found: list[ParseNode] = []
    waiting = [query]
    while waiting:
        node = held(waiting.pop())
        if node is None:
            continue
        if type(node) is pb.ColumnRef:
            found.append(node)
        elif node is query or type(node) is not pb.SelectStmt:
            for field, value in node.ListFields():
                if field.message_type is not None:
                    waiting.extend([value] if isinstance(value, Message) else value)
    return found


def _as_call(call: ParseNode) -> None:
    """A function in the form of a plain call, by its older name."""
    name = strings(call.funcname)[-1]
    if strings(call.funcname)[:-1] not in ((), ("pg_catalog",)):
        return
    del call.funcname[:]
    call.funcname.append(pb.Node(string=pb.String(sval="date_part" if name == "extract" else name)))
    call.funcformat = pb.COERCE_EXPLICIT_CALL
    if name not in ("date_part", "extract") or not call.args:
        return
    part = inner(call.args[0])
    if type(part) is pb.TypeCast and type(inner(part.arg)) is pb.A_Const:
        constant = pb.A_Const()
        constant.CopyFrom(inner(part.arg))
        call.args[0].a_const.CopyFrom(constant)


def _last(column: ParseNode) -> str:
    last = inner(column.fields[-1])
    return str(last.sval) if type(last) is pb.String else ""
