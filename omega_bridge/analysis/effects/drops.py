"""``DROP`` and ``TRUNCATE``: what is gone afterwards, and which rows may go with it."""

from __future__ import annotations

from omega_bridge.analysis.effects.naming import NAME, RELATION, TYPE, member, qualified, relation, routine, split
from omega_bridge.analysis.program import Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import Statement, fields, inner, known, pb, strings

_PLAIN = {
    pb.OBJECT_TABLE: Kind.TABLE,
    pb.OBJECT_VIEW: Kind.VIEW,
    pb.OBJECT_MATVIEW: Kind.MATERIALIZED_VIEW,
    pb.OBJECT_INDEX: Kind.INDEX,
    pb.OBJECT_SEQUENCE: Kind.SEQUENCE,
}
_OWNED = {pb.OBJECT_TRIGGER: Kind.TRIGGER, pb.OBJECT_POLICY: Kind.POLICY}
_BARE = {pb.OBJECT_SCHEMA: Kind.SCHEMA, pb.OBJECT_EXTENSION: Kind.EXTENSION}

_BEHAVIOUR = {"behavior": (pb.DROP_RESTRICT, pb.DROP_CASCADE)}

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
    for target in map(inner, node.objects):
        if node.remove_type in _PLAIN:
            key = qualified(target.items, _PLAIN[node.remove_type])
        elif node.remove_type in _OWNED:
            *owner, name = strings(target.items)
            schema, table = split(tuple(owner))
            key = member(Key(Kind.TABLE, schema, "", table), _OWNED[node.remove_type], name)
        elif node.remove_type in _BARE:
            key = Key(_BARE[node.remove_type], "", "", target.sval)
        elif node.remove_type in (pb.OBJECT_TYPE, pb.OBJECT_DOMAIN):
            key = qualified(target.names, Kind.DOMAIN if node.remove_type == pb.OBJECT_DOMAIN else Kind.ENUM)
        elif node.remove_type in (pb.OBJECT_FUNCTION, pb.OBJECT_PROCEDURE):
            key = qualified(target.objname, Kind.FUNCTION)
            if not target.args_unspecified:
                key = routine(key, map(inner, target.objargs))
                opaque = opaque or any(inner(p).mode == pb.FUNC_PARAM_OUT for p in target.objfuncargs)
        else:
            opaque = True
            continue
        effects.append(Effect(key, present=False))
    cascade = node.behavior == pb.DROP_CASCADE
    takes_rows = node.remove_type in (pb.OBJECT_TABLE, pb.OBJECT_SCHEMA) or cascade
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
    cascade = statement.node.behavior == pb.DROP_CASCADE
    return Sql(statement.text, statement.tag, needs=tables, destroys=tables, data=True, cascade=cascade, offset=statement.offset)
