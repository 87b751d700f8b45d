"""``DROP`` and ``TRUNCATE``: what is gone afterwards, and which rows may go with it."""

from __future__ import annotations

from omega_bridge.analysis.effects.naming import NAME, RELATION, TYPE, relation
from omega_bridge.analysis.effects.targets import DROPPED, target
from omega_bridge.analysis.program import Effect, Sql
from omega_bridge.sql import Statement, fields, inner, known, name_of
from omega_bridge.sql.grammar import DropBehavior, FunctionParameterMode, ObjectType

_BEHAVIOUR = {"behavior": (DropBehavior.RESTRICT, DropBehavior.CASCADE)}

DROP = fields(
    NAME,
    TYPE,
    DropStmt=known("objects", "remove_type missing_ok concurrent", **_BEHAVIOUR),
    ObjectWithArgs=known("objname objargs objfuncargs", "args_unspecified"),
    FunctionParameter=known("arg_type", "name mode"),
)


def drop(statement: Statement) -> Sql:
    """The objects are gone."""
    node = statement.node
    effects: list[Effect] = []
    opaque = False
    kind = DROPPED.get(node.remove_type)
    for named in map(inner, node.objects):
        if kind is None:
            opaque = True
            continue
        effects.append(Effect(target(kind, named), present=False))
        is_routine = name_of(named) == "ObjectWithArgs"
        opaque = opaque or (is_routine and any(inner(p).mode == FunctionParameterMode.OUT for p in named.objfuncargs))
    cascade = node.behavior == DropBehavior.CASCADE
    takes_rows = node.remove_type in (ObjectType.TABLE, ObjectType.SCHEMA) or cascade
    return Sql(
        statement.text,
        statement.tag,
        tuple(effects),
        needs=() if node.missing_ok else tuple(e.key for e in effects),
        destroys=tuple(e.key for e in effects) if takes_rows else (),
        opaque=opaque,
        cascade=cascade,
        transactional=not node.concurrent,
        offset=statement.offset,
    )


TRUNCATE = fields(RELATION, TruncateStmt=known("relations", "restart_seqs", **_BEHAVIOUR))


def truncate(statement: Statement) -> Sql:
    """Rows go; the schema stays."""
    tables = tuple(relation(inner(r)) for r in statement.node.relations)
    cascade = statement.node.behavior == DropBehavior.CASCADE
    return Sql(statement.text, statement.tag, needs=tables, destroys=tables, data=True, cascade=cascade, offset=statement.offset)
