"""Tables, columns and indexes as Alembic's own operations. Each is compiled again and compared with what it came from.

What Alembic cannot say exactly raises ``NotNative``: then the author's statement goes into ``op.ensure``.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations, ops
from alembic.runtime.migration import MigrationContext

from omega_bridge.analysis import read_program, statements
from omega_bridge.analysis.effects.naming import generated, index_columns
from omega_bridge.analysis.program import Effect
from omega_bridge.catalog import Kind
from omega_bridge.errors import StepSyntaxError
from omega_bridge.revisions.guards import identifier
from omega_bridge.revisions.sqltypes import Type, sqlalchemy_type
from omega_bridge.sql import (
    ParseNode,
    copied,
    deparse_expression,
    deparse_statement,
    fields,
    goes_beyond,
    inner,
    known,
    name_of,
    parse,
    same_statement,
    same_type,
    strings,
)
from omega_bridge.sql import same_expression as same_expression_
from omega_bridge.sql.grammar import CoercionForm, ConstrType, OnCommitAction, SortByDir, SortByNulls
from omega_bridge.tags import Tag

_SERIAL = {"serial": sa.Integer, "serial4": sa.Integer, "bigserial": sa.BigInteger, "serial8": sa.BigInteger}
_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


_RELATION = fields(RangeVar=known("", "schemaname relname inh", relpersistence=("p",)))
COLUMN = fields(
    _RELATION,
    ColumnDef=known("type_name constraints", "colname is_local"),
    TypeName=known("", "names typmods typemod array_bounds"),
    Constraint=known(
        "pktable",
        "conname is_enforced initially_valid raw_expr keys fk_attrs pk_attrs fk_upd_action fk_del_action",
        contype=(
            ConstrType.NULL,
            ConstrType.NOTNULL,
            ConstrType.DEFAULT,
            ConstrType.PRIMARY,
            ConstrType.UNIQUE,
            ConstrType.CHECK,
            ConstrType.FOREIGN,
        ),
        fk_matchtype=("s",),
    ),
)
CREATE_TABLE = fields(
    COLUMN, CreateStmt=known("relation table_elts constraints", "if_not_exists", oncommit=(OnCommitAction.NOOP,))
)
CREATE_INDEX = fields(
    _RELATION,
    IndexStmt=known(
        "relation index_params index_including_params", "idxname access_method where_clause unique concurrent if_not_exists"
    ),
    IndexElem=known("", "name expr opclass ordering nulls_ordering"),
)
"""What Alembic's operations carry of a statement; another field would be lost on the way."""


class NotNative(Exception):
    """Alembic's own operations cannot say this exactly."""


def create_table(node: ParseNode) -> ops.CreateTableOp:
    """``CREATE TABLE`` as ``op.create_table``. Raises ``NotNative``."""
    if goes_beyond(node, CREATE_TABLE):
        raise NotNative
    elements = [inner(e) for e in (*node.table_elts, *node.constraints)]
    definitions = [e for e in elements if name_of(e) == "ColumnDef"]
    tables = [e for e in elements if name_of(e) == "Constraint"]
    keys = {c for e in tables if e.contype == ConstrType.PRIMARY for c in strings(e.keys)}
    keys |= {d.colname for d in definitions for c in map(inner, d.constraints) if c.contype == ConstrType.PRIMARY}
    parts: list[Any] = []
    for definition in definitions:
        parts.append(_column(definition, keys))
        parts.extend(_constraint(c, (definition.colname,)) for c in map(inner, definition.constraints) if _is_own(c))
    parts.extend(_constraint(c, ()) for c in tables)
    table = node.relation
    # Alembic 1.16 renders foreign keys by the schema of this MetaData, and breaks without one.
    return ops.CreateTableOp(
        table.relname, parts, schema=table.schemaname or None, if_not_exists=True, _namespace_metadata=sa.MetaData()
    )


def add_column(relation: ParseNode, definition: ParseNode) -> ops.AddColumnOp:
    """``ADD COLUMN`` as ``op.add_column``. Raises ``NotNative``: a column with a constraint of its own is one unit."""
    if (
        not relation.inh
        or goes_beyond(relation, COLUMN)
        or goes_beyond(definition, COLUMN)
        or any(map(_is_own, map(inner, definition.constraints)))
    ):
        raise NotNative
    return ops.AddColumnOp(relation.relname, _column(definition, set()), schema=relation.schemaname or None, if_not_exists=True)


def create_index(node: ParseNode) -> ops.CreateIndexOp:
    """``CREATE INDEX`` as ``op.create_index``. Raises ``NotNative``."""
    if goes_beyond(node, CREATE_INDEX) or not node.relation.inh:  # SQLAlchemy knows NULLS NOT DISTINCT from 2.0.16 on
        raise NotNative
    columns: list[Any] = []
    classes: dict[str, str] = {}
    for element in map(inner, node.index_params):
        columns.append(_index_element(element, classes))
    name = node.idxname or generated(node.relation.relname, index_columns(node), "idx")
    options: dict[str, Any] = {}
    if node.access_method not in ("", "btree"):
        options["postgresql_using"] = node.access_method
    if classes:
        options["postgresql_ops"] = classes
    if node.index_including_params:
        options["postgresql_include"] = [inner(p).name for p in node.index_including_params]
    if node.where_clause.WhichOneof("node"):
        options["postgresql_where"] = _text(deparse_expression(node.where_clause))
    if node.concurrent:
        options["postgresql_concurrently"] = True
    return ops.CreateIndexOp(
        name, node.relation.relname, columns, schema=node.relation.schemaname or None, unique=node.unique, if_not_exists=True,
        **options,
    )  # fmt: skip


def _index_element(element: ParseNode, classes: dict[str, str]) -> Any:
    if len(element.opclass) > 1:
        raise NotNative
    order = {SortByDir.ASC: " ASC", SortByDir.DESC: " DESC"}.get(element.ordering, "")
    order += {SortByNulls.NULLS_FIRST: " NULLS FIRST", SortByNulls.NULLS_LAST: " NULLS LAST"}.get(element.nulls_ordering, "")
    opclass = strings(element.opclass)
    if element.name:
        if opclass and order:
            raise NotNative
        if opclass:
            classes[element.name] = opclass[0]
        return _text(identifier(element.name) + order) if order else element.name
    if opclass:
        raise NotNative
    text = deparse_expression(element.expr)
    return _text((text if name_of(inner(element.expr)) == "FuncCall" else f"({text})") + order)


def _column(definition: ParseNode, keys: set[str]) -> sa.Column[Any]:
    name = definition.colname
    options: dict[str, Any] = {"nullable": name not in keys}
    for constraint in map(inner, definition.constraints):
        match constraint.contype:
            case ConstrType.NOTNULL if not constraint.conname:
                options["nullable"] = False
            case ConstrType.NULL:
                options["nullable"] = True
            case ConstrType.DEFAULT:
                options["server_default"] = _text(_default(constraint.raw_expr))
            case _ if not _is_own(constraint):
                raise NotNative
    written = strings(definition.type_name.names)[-1].lower()
    if written in _SERIAL and not definition.type_name.array_bounds:
        if keys == {name}:
            return sa.Column(name, _SERIAL[written](), autoincrement=True, nullable=False)
        return sa.Column(name, Type(written.upper()), nullable=False)
    if name in keys:
        options["autoincrement"] = False
    return sa.Column(name, sqlalchemy_type(definition.type_name), **options)


_BARE_DEFAULTS = ("A_Const", "FuncCall", "TypeCast", "SQLValueFunction", "A_ArrayExpr", "ColumnRef")


def _default(expression: ParseNode) -> str:
    """A default's text; an operator in it needs the parentheses that the parser forgets."""
    text = deparse_expression(expression)
    node = inner(expression)
    is_bare = name_of(node) in _BARE_DEFAULTS and not (
        name_of(node) == "FuncCall" and node.funcformat != CoercionForm.EXPLICIT_CALL
    )
    return text if is_bare else f"({text})"


def _is_own(constraint: ParseNode) -> bool:
    """Whether it is a constraint with a row of its own in ``pg_constraint``, written beside a column."""
    return constraint.contype in (ConstrType.PRIMARY, ConstrType.UNIQUE, ConstrType.FOREIGN, ConstrType.CHECK)


def _constraint(constraint: ParseNode, columns: tuple[str, ...]) -> Any:
    name = constraint.conname or None
    match constraint.contype:
        case ConstrType.PRIMARY:
            return sa.PrimaryKeyConstraint(*(strings(constraint.keys) or columns), name=name)
        case ConstrType.UNIQUE:
            return sa.UniqueConstraint(*(strings(constraint.keys) or columns), name=name)
        case ConstrType.CHECK:
            return sa.CheckConstraint(_text(deparse_expression(constraint.raw_expr)), name=name)
        case ConstrType.FOREIGN:
            return _foreign_key(constraint, columns, name)
    raise NotNative


def _foreign_key(constraint: ParseNode, columns: tuple[str, ...], name: str | None) -> Any:
    target = constraint.pktable
    referred = strings(constraint.pk_attrs)
    if not referred or "." in target.relname:
        raise NotNative
    path = f"{target.schemaname}.{target.relname}" if target.schemaname else target.relname
    return sa.ForeignKeyConstraint(
        list(strings(constraint.fk_attrs) or columns),
        [f"{path}.{c}" for c in referred],
        name=name,
        ondelete=_ACTIONS.get(constraint.fk_del_action),
        onupdate=_ACTIONS.get(constraint.fk_upd_action),
    )


def _text(text: str) -> Any:
    """A fragment for ``sa.text``; what it would read as a parameter is not native."""
    if "%" in text or "\\" in text or ":" in text.replace("::", ""):
        raise NotNative
    return sa.text(text)


# --- is it the same? -------------------------------------------------------------------------------------------


def check(operation: ops.MigrateOperation, text: str) -> None:
    """Compile the operation and compare it with the statement it came from. Raises ``NotNative`` where they differ."""
    try:
        same = _same(_compiled(operation), text)
    except StepSyntaxError:
        same = False
    if not same:
        raise NotNative


def _compiled(operation: ops.MigrateOperation) -> str:
    operations, buffer = _compiler()
    buffer.seek(0)
    buffer.truncate()
    operations.invoke(operation)
    return buffer.getvalue()


@lru_cache(maxsize=1)
def _compiler() -> tuple[Operations, io.StringIO]:
    """Operations that write their SQL into the buffer; made once, as each costs a millisecond."""
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        opts={"as_sql": True, "output_buffer": buffer, "literal_binds": True},
    )
    return Operations(context), buffer


def _same(one: str, other: str) -> bool:
    left, right = parse(one), parse(other)
    if [s.tag for s in left] == [s.tag for s in right] == [Tag.INDEX]:
        return same_statement(_bare_index(left[0].node), _bare_index(right[0].node))
    mine, theirs = _meaning(one), _meaning(other)
    return (
        list(mine) == list(theirs)
        if not any(k.kind is not Kind.COLUMN for k in (*mine, *theirs))
        else set(mine) == set(theirs)
        and [k for k in mine if k.kind is Kind.COLUMN] == [k for k in theirs if k.kind is Kind.COLUMN]
    ) and all(_same_attributes(mine[key], theirs[key]) for key in mine)


def _bare_index(node: ParseNode) -> str:
    plain = copied(node)
    plain.if_not_exists = plain.concurrent = False
    plain.access_method = plain.access_method or "btree"
    plain.idxname = "i"
    return deparse_statement(Tag.INDEX, plain)


def _meaning(text: str) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for s in statements(read_program(text)):
        for effect in _effects(s.effects, s.implied):
            found.setdefault(effect.key, {}).update(effect.attributes)
    return found


def _effects(*several: Iterable[Effect]) -> Iterable[Effect]:
    return (effect for effects in several for effect in effects)


def _same_attributes(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(_same_value(name, one[name], other[name]) for name in one)


def _same_value(name: str, one: Any, other: Any) -> bool:
    if one == other:
        return True
    if one is None or other is None:
        return False
    match name:
        case "type":
            return same_type(str(one), str(other)) is True
        case "default":
            return same_expression_(str(one), str(other)) is True
        case "definition":
            return same_statement(f"ALTER TABLE t ADD {one}", f"ALTER TABLE t ADD {other}")
    return False
