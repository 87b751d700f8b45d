"""Functions and triggers. A definition is compared with the one that PostgreSQL prints, as a parse tree."""

from __future__ import annotations

from typing import Any

from omega_bridge.analysis.effects.naming import member, qualified, relation
from omega_bridge.analysis.program import VISIBLE, Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import Statement, deparse_type, inner, pb, strings


def create_function(statement: Statement) -> Sql:
    """The function is there; with ``OR REPLACE``, with this definition."""
    node = statement.node
    name = qualified(node.funcname, Kind.FUNCTION)
    types = [
        deparse_type(p.arg_type) for p in map(inner, node.parameters) if p.mode not in (pb.FUNC_PARAM_OUT, pb.FUNC_PARAM_TABLE)
    ]
    key = Key(Kind.FUNCTION, name.schema, "", f"{name.name}({', '.join(types)})")
    attributes: tuple[tuple[str, Any], ...] = (("definition", statement.text),) if node.replace else ()
    made = Effect(key, attributes=(("definition", statement.text),))
    return Sql(statement.text, statement.tag, (Effect(key, attributes=attributes),), (made,), offset=statement.offset)


def create_trigger(statement: Statement) -> Sql:
    """The trigger is there; with ``OR REPLACE``, with this definition."""
    node = statement.node
    table = relation(node.relation)
    key = member(table, Kind.TRIGGER, node.trigname)
    parts = strings(node.funcname)
    function = Key(Kind.FUNCTION, parts[-2] if len(parts) > 1 else VISIBLE, "", parts[-1])
    attributes: tuple[tuple[str, Any], ...] = (("definition", statement.text),) if node.replace else ()
    made = Effect(key, attributes=(("definition", statement.text),))
    return Sql(
        statement.text,
        statement.tag,
        (Effect(key, attributes=attributes),),
        (made,),
        (table, function),
        offset=statement.offset,
    )
