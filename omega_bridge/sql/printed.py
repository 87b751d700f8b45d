"""Do two texts that PostgreSQL printed mean the same, where other releases print them in other words?

From 16 on a query's columns are printed without the table's name where there is only one (``pg_get_viewdef``), from 14 on
``EXTRACT`` as such and no longer as ``date_part`` (release notes of both).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from postgast import pg_query_pb2 as pb

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql.parser import deparse_statement, inner, parse, strings, walk


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


def _normal(tag: str, node: Any) -> str:
    plain = type(node)()
    plain.CopyFrom(node)
    is_alone = sum(type(found) in _SOURCES for found in walk(plain)) == 1
    for found in walk(plain):
        if type(found) is pb.ColumnRef and len(found.fields) > 1 and is_alone:
            del found.fields[:-1]
        elif type(found) is pb.FuncCall and strings(found.funcname)[-1] in ("date_part", "extract"):
            _as_extract(found)
        elif type(found) is pb.ResTarget and type(inner(found.val)) is pb.ColumnRef and found.name == _last(inner(found.val)):
            found.name = ""
    return deparse_statement(tag, plain)


_SOURCES = (pb.RangeVar, pb.RangeSubselect, pb.RangeFunction, pb.RangeTableFunc, pb.JsonTable)
"""What a query may take its columns from."""


def _as_extract(call: Any) -> None:
    part = inner(call.args[0])
    if type(part) is pb.TypeCast:
        part = inner(part.arg)
    if type(part) is not pb.A_Const:
        return
    call.ClearField("funcname")
    call.funcname.extend(pb.Node(string=pb.String(sval=name)) for name in ("pg_catalog", "extract"))
    call.funcformat = pb.COERCE_SQL_SYNTAX
    call.args[0].a_const.CopyFrom(part)


def _last(column: Any) -> str:
    last = inner(column.fields[-1])
    return str(last.sval) if type(last) is pb.String else ""
