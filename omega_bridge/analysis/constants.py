"""What an expression says for certain: a constant, a name, a plain call. Whatever else stands there makes it none of the known forms.

Every field of the parse tree has to be one that is read here: one that is set and that nobody looks at (``only``) makes the whole
none of them, so that what a later grammar adds falls on the safe side.
"""

from __future__ import annotations

from omega_bridge.analysis.program import VISIBLE
from omega_bridge.errors import StepSyntaxError
from omega_bridge.regexes import regex
from omega_bridge.sql import ParseNode, beyond, inner, name_of, parse_type, strings

NAME_BYTES = 63


class NotRecognised(Exception):
    """This is none of the known forms."""


def only(node: ParseNode, *fields: str) -> None:
    """Raise ``NotRecognised`` where a node says more than its reader looks at."""
    if beyond(node, fields):
        raise NotRecognised


def operator_of(test: ParseNode) -> str:
    """The operator's name. One with a schema may be anything."""
    parts = strings(test.name)
    if len(parts) != 1:
        raise NotRecognised
    return parts[0]


def called(node: ParseNode) -> str:
    """The name of a plain call of one of PostgreSQL's own functions."""
    only(node, "funcname", "args", "funcformat")
    parts = strings(node.funcname)
    if len(parts) > 2 or (len(parts) == 2 and parts[0] != "pg_catalog"):
        raise NotRecognised
    return parts[-1]


def target_of(query: ParseNode) -> ParseNode:
    """The one thing that a query selects."""
    if len(query.target_list) != 1:
        raise NotRecognised
    target = query.target_list[0].res_target
    only(target, "val", "name")
    return inner(target.val)


_TEXTS = {"text", "name", "varchar", "regclass", "sql_identifier", "character_data"}


def value_of(node: ParseNode) -> object:
    """A constant. A cast that may change it is none."""
    node = uncast(node)
    if name_of(node) != "A_Const":
        raise NotRecognised
    match node.WhichOneof("val"):
        case "sval":
            return node.sval.sval
        case "ival":
            return node.ival.ival
        case "boolval":
            return node.boolval.boolval
    raise NotRecognised


def text_of(node: ParseNode) -> str:
    """A constant text."""
    value = value_of(node)
    if not isinstance(value, str):
        raise NotRecognised
    return value


_PART = regex(r'\s*(?:"((?:[^"]|"")+)"|([A-Za-z_][A-Za-z0-9_$]*))\s*(\.|\Z)')


def name_in(text: str) -> tuple[str, str]:
    """``schema.name`` as PostgreSQL reads it in ``regclass``; unqualified is ``VISIBLE``."""
    parts, position = [], 0
    while True:
        found = _PART.match(text, position)
        if found is None:
            raise NotRecognised
        quoted, plain, following = found.groups()
        parts.append(quoted.replace('""', '"') if quoted else plain.lower())
        position = found.end()
        if not following:
            break
    if len(parts) > 2 or any(len(p.encode()) > NAME_BYTES for p in parts):
        raise NotRecognised
    return (parts[0] if len(parts) > 1 else VISIBLE), parts[-1]


def named_in(pseudo_type: str, text: str) -> tuple[str, str]:
    """The name in a constant of ``regclass`` and its like. The grammar has words of its own for types."""
    schema, name = name_in(text)
    if pseudo_type == "regtype" and not schema and '"' not in text:
        try:
            if beyond(parse_type(text), ("names", "typemod")) or len(parse_type(text).names) > 1:
                raise NotRecognised
        except StepSyntaxError:
            raise NotRecognised from None
    return schema, name


def uncast(node: ParseNode, *, arrays: bool = False) -> ParseNode:
    """The node within casts that leave a name or a text as it is."""
    node = inner(node)
    while node is not None and name_of(node) == "TypeCast":
        only(node, "arg", "type_name")
        only(node.type_name, "names", "typemod", *(("array_bounds",) if arrays else ()))
        parts = strings(node.type_name.names)
        is_own = len(parts) == 1 or parts[0] in ("pg_catalog", "information_schema")
        if parts[-1] not in _TEXTS or not is_own or parts[-1] == "regclass":
            raise NotRecognised
        node = inner(node.arg)
    if node is None:
        raise NotRecognised
    return node
