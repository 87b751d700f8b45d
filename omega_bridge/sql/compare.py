"""Do two fragments of SQL mean the same? Compared as parse trees, without locations and without what PostgreSQL adds.

PostgreSQL prints ``'new'`` back as ``'new'::character varying``: casts of constants are looked through.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql.libpg_query import pb
from omega_bridge.sql.nodes import PLACES, ParseNode, copied, name_of, strings, unwrapped
from omega_bridge.sql.parser import parse, parse_expression, parse_type
from omega_bridge.tags import Tag


def same_expression(printed: str, written: str) -> bool | None:
    """Whether an expression as PostgreSQL prints it is the one that was written; ``None`` when it may be."""
    try:
        left, right = _expression(printed), _expression(written)
    except StepSyntaxError:
        return None
    if _matches(left, right):
        return True
    values = _surely(left), _surely(right, is_written=True)
    return False if None not in values and type(values[0]) is type(values[1]) else None


def is_of_its_column(printed: str, written: str, column: str) -> bool:
    """Whether a default is printed with the type of its column, where a bare literal was written: it would be stored so."""
    try:
        one, other, wanted = _expression(printed), _literal(unwrapped(_expression(written))), parse_type(column)
    except StepSyntaxError:
        return True
    node = unwrapped(one)
    if other is None or other[0] is not None or other[1] != "sval" or name_of(node) != "TypeCast":
        return True
    cast = node.type_name
    return (
        not cast.typmods
        and strings(cast.names)[-1:] == strings(wanted.names)[-1:]
        and bool(cast.array_bounds) == bool(wanted.array_bounds)
    )


def _matches(printed: ParseNode, written: ParseNode) -> bool:
    """Whether an expression is printed so where it was written so: a bare literal takes the type of what it is for."""
    printed, written = unwrapped(printed), unwrapped(written)
    one, other = _literal(printed), _literal(written)
    if one is not None and other is not None:
        return _same_literal(one, other)
    if _plain_call(printed) == "now" or _plain_call(written) == "now":
        return bool(_plain(printed) == _plain(written))
    for node in (printed, written):
        if name_of(node) == "TypeCast" and _is_function_cast(node):
            return _matches(*(n.arg if n is node else n for n in (printed, written)))
    if other is not None:  # a cast of something else is none of the literal
        return False
    if name_of(printed) != name_of(written) or name_of(printed) == "TypeName":
        return bool(_plain(printed) == _plain(written))
    left = {f.name: (f, v) for f, v in printed.ListFields() if f.name not in PLACES}
    right = {f.name: (f, v) for f, v in written.ListFields() if f.name not in PLACES}
    return left.keys() == right.keys() and all(_same_field(*left[name], right[name][1]) for name in left)


def _same_field(field: Any, one: Any, other: Any) -> bool:
    if field.message_type is None:
        return bool(one == other)
    if _repeated(field):
        return len(one) == len(other) and all(_matches(a, b) for a, b in zip(one, other, strict=True))
    return _matches(one, other)


def _plain_call(node: ParseNode) -> str:
    return "now" if name_of(node) in ("SQLValueFunction", "FuncCall") and _plain(node) == ("now",) else ""


_Literal = tuple[Any, str | None, Any]
"""The type of its cast, the kind of the constant, its value."""


def _literal(node: ParseNode) -> _Literal | None:
    cast = None
    if name_of(node) == "TypeCast" and not _is_function_cast(node):
        cast, node = _plain(node.type_name), unwrapped(node.arg)
    if name_of(node) != "A_Const":
        return None
    return cast, node.WhichOneof("val"), _constant(node)


_NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8")


def _same_literal(printed: _Literal, written: _Literal) -> bool:
    if printed[2] != written[2]:
        return False
    if written[1] == "sval" and written[0] is None:
        return True
    if printed[0] == written[0]:
        return printed[1] == written[1] or printed[0] is not None
    if written[0] is None:  # a number of its own type becomes one of the column's
        return _is_of(printed[0], _NUMBERS) and written[1] in ("ival", "fval")
    if printed[0] is None:
        kinds = {"ival": ("int4",), "boolval": ("bool",), "fval": ("numeric",)}
        return _is_of(written[0], kinds.get(str(printed[1]), ()))
    return False


def _is_of(cast: ParseNode, names: tuple[str, ...]) -> bool:
    """Whether a type as it compares is one of these, without a modifier."""
    return cast is not None and any(cast == _plain(parse_type(name)) for name in names)


_TEXTS = {"text", "varchar", "bpchar"}
_INTEGERS = {"int2", "int4", "int8"}


def _surely(node: ParseNode, *, is_written: bool = False) -> str | int | bool | None:
    """The value of a constant whose type prints it as it was written: text, an integer, a truth value.

    Other types have forms of their own: ``'2024-01-31'`` prints as ``'2024-01-31 00:00:00'::timestamp without time zone``,
    ``'yes'`` as ``true``, ``'{"a":1}'`` as ``'{"a": 1}'::jsonb``.
    """
    node = unwrapped(node)
    type_name = None
    if name_of(node) == "TypeCast":
        if node.type_name.typmods or node.type_name.array_bounds:
            return None
        type_name = [n.string.sval for n in node.type_name.names][-1]
        node = unwrapped(node.arg)
    if name_of(node) != "A_Const":
        return None
    value = _constant(node)
    match node.WhichOneof("val"):
        case "sval" if type_name in _INTEGERS and re.fullmatch(r"-?[0-9]+", value):  # negative ones are printed so
            return int(value)
        case "sval" if type_name in _TEXTS or (is_written and type_name is None):
            return str(value)
        case "ival" if type_name is None or type_name in _INTEGERS:
            return int(value)
        case "boolval" if type_name is None:
            return bool(value == "true")
    return None


def same_type(one: str, other: str) -> bool | None:
    """Whether two type names are one type with the same modifiers (``int`` is ``integer``); ``None`` where they may be.

    A type's schema is printed only where it is not on the search_path.
    """
    try:
        (left, left_schema), (right, right_schema) = _type(one), _type(other)
    except StepSyntaxError:
        return True if one == other else None
    if left != right:
        return False
    return True if left_schema == right_schema else None


def same_statement(one: str, other: str) -> bool:
    """Whether two statements are one, but for white space, comments, schema-less names and spelled-out defaults."""
    try:
        left, right = parse(one), parse(other)
    except StepSyntaxError:
        return False
    return len(left) == len(right) and all(_matches(a.node, b.node) for a, b in zip(left, right, strict=True))


@lru_cache(maxsize=4096)
def _expression(text: str) -> Any:
    return parse_expression(text)


@lru_cache(maxsize=4096)
def _type(text: str) -> tuple[Any, tuple[str, ...]]:
    """A type as it compares, and its schema. Neither the sizes of an array nor a scale of nought are kept."""
    node = pb.TypeName()
    node.CopyFrom(parse_type(text))
    *schema, name = strings(node.names)
    if name == "numeric" and len(node.typmods) == 2 and unwrapped(node.typmods[1]).ival.ival == 0:
        del node.typmods[1]
    is_array = bool(node.array_bounds)
    del node.array_bounds[:]
    del node.names[:-1]
    return (_plain(node), is_array), () if schema == ["pg_catalog"] else tuple(schema)


def _plain(node: ParseNode) -> Any:
    """A node as nested tuples that compare by meaning."""
    if not hasattr(node, "DESCRIPTOR"):
        return node
    node = unwrapped(node)
    name = name_of(node)
    if name == "TypeCast":
        argument = _plain(node.arg)
        if argument[:1] == ("A_Const",) or _is_function_cast(node):
            return argument
    if name == "A_Const":
        return ("A_Const", _constant(node))
    if name == "SQLValueFunction" and node.op in (
        3,
        4,
    ):  # CURRENT_TIMESTAMP is what now() prints back as, and the reverse
        return ("now",)
    if name == "FuncCall" and [n.string.sval for n in node.funcname][-1:] == ["now"] and not node.args:
        return ("now",)
    parts = []
    for field, value in node.ListFields():
        if field.name in PLACES:
            continue
        plain = tuple(_plain(v) for v in value) if _repeated(field) else _plain(value)
        if field.name == "names" and name == "TypeName" and plain and plain[0] == ("String", (("sval", "pg_catalog"),)):
            plain = plain[1:]
        parts.append((field.name, plain))
    return (name, tuple(parts))


def _repeated(field: Any) -> bool:
    repeated = getattr(field, "is_repeated", None)
    return bool(repeated) if repeated is not None else field.label == field.LABEL_REPEATED


def _is_function_cast(node: ParseNode) -> bool:
    """``nextval('s'::regclass)`` and the like: a cast to regclass says nothing."""
    return [n.string.sval for n in node.type_name.names][-1:] == ["regclass"]


def _constant(node: ParseNode) -> Any:
    kind = node.WhichOneof("val")
    if node.isnull or kind is None:
        return None
    value = getattr(node, kind)
    match kind:
        case "ival":
            return str(value.ival)
        case "fval":
            return value.fval
        case "boolval":
            return "true" if value.boolval else "false"
        case "sval":
            return value.sval
        case _:
            return value.bsval


def same_index(printed: str, written: str) -> bool:
    """Whether two ``CREATE INDEX`` make the same index, whatever its name, and in whichever schema the table is."""
    try:
        (left,), (right,) = parse(printed), parse(written)
    except (StepSyntaxError, ValueError):
        return False
    return left.tag == right.tag == Tag.INDEX and _matches(_index(left.node), _index(right.node))


def _index(node: ParseNode) -> Any:
    plain = copied(node)
    plain.idxname = ""
    plain.if_not_exists = plain.concurrent = False
    plain.access_method = plain.access_method or "btree"
    plain.relation.schemaname = ""
    plain.relation.inh = True
    return plain


def same_routine(printed: str, written: str, home: str = "") -> bool:
    """Whether two ``CREATE FUNCTION`` or ``CREATE TRIGGER`` statements define the same thing under the same name.

    The schema of the name, ``OR REPLACE``, the order of options and those that only spell out a default say nothing. That of a
    trigger's function is printed only where it is not on the search_path; ``home`` is the schema that is taken for it then.
    """
    try:
        (left,), (right,) = parse(printed), parse(written)
    except (StepSyntaxError, ValueError):
        return False
    if left.tag != right.tag:
        return False
    if left.tag == Tag.CREATE_TRIG:
        one, other = strings(left.node.funcname)[:-1], strings(right.node.funcname)[:-1]
        is_same = one == other or (not one and other == (home,))
        return is_same and _matches(_trigger(left.node), _trigger(right.node))
    return _options(left.node) == _options(right.node) and _matches(_routine(left.node), _routine(right.node))


_DEFAULT_OPTIONS = {
    ("volatility", "volatile"),
    ("parallel", "unsafe"),
    ("security", "false"),
    ("strict", "false"),
    ("leakproof", "false"),
}
_CHEAP_LANGUAGES = ("c", "internal")
"""Functions in these cost 1 where nothing is said, all others 100."""


def _trigger(node: ParseNode) -> Any:
    plain = copied(node)
    plain.replace = False
    plain.relation.schemaname = ""
    del plain.funcname[:-1]
    return plain


def _routine(node: ParseNode) -> Any:
    plain = copied(node)
    plain.replace = False
    del plain.options[:]
    del plain.funcname[:-1]
    return plain


def _options(node: ParseNode) -> list[tuple[str, Any]]:
    """A function's options but those that say what is so without them; there may be several ``SET``."""
    told = [(o.def_elem.defname, _option(o.def_elem.arg), _plain(o.def_elem.arg)) for o in node.options]
    language = next((text for name, text, _ in told if name == "language"), "sql")
    defaults = {*_DEFAULT_OPTIONS, ("cost", "1" if language in _CHEAP_LANGUAGES else "100")}
    return sorted(((name, value) for name, text, value in told if (name, text) not in defaults), key=repr)


def _option(argument: ParseNode) -> str:
    value = dict(_plain(argument)[1])
    return str(value.get("sval", value.get("ival", value.get("boolval", "false")))).lower()
