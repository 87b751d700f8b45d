"""Functions and triggers. A definition is compared with the one that PostgreSQL prints, as a parse tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omega_bridge.analysis.effects.columns import references
from omega_bridge.analysis.effects.naming import RELATION, TYPE, member, qualified, relation, routine
from omega_bridge.analysis.program import VISIBLE, Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import ParseNode, Statement, fields, inner, known, parse, strings
from omega_bridge.sql.grammar import FunctionParameterMode

CREATE_FUNCTION = fields(
    TYPE,
    CreateFunctionStmt=known("parameters", "is_procedure replace funcname return_type options sql_body"),
    FunctionParameter=known(
        "arg_type",
        "name defexpr",
        mode=(
            FunctionParameterMode.IN,
            FunctionParameterMode.OUT,
            FunctionParameterMode.INOUT,
            FunctionParameterMode.VARIADIC,
            FunctionParameterMode.TABLE,
            FunctionParameterMode.DEFAULT,
        ),
    ),
)
"""What the options and the body say is compared as a whole."""


def create_function(statement: Statement) -> Sql:
    """The function is there; with ``OR REPLACE``, with this definition."""
    node = statement.node
    inputs = (p for p in map(inner, node.parameters) if p.mode not in (FunctionParameterMode.OUT, FunctionParameterMode.TABLE))
    key = routine(qualified(node.funcname, Kind.FUNCTION), (p.arg_type for p in inputs))
    attributes: tuple[tuple[str, Any], ...] = (("definition", statement.text),) if node.replace else ()
    made = Effect(key, attributes=(("definition", statement.text),), made=True)
    needs = (*references(node), *_body_needs(node))
    return Sql(
        statement.text, statement.tag, (Effect(key, attributes=attributes, made=True),), (made,), needs, offset=statement.offset
    )


def _body_needs(node: ParseNode) -> Iterator[Key]:
    """What PostgreSQL looks up at once: the body of a function in SQL, written as a string."""
    options = {o.def_elem.defname: inner(o.def_elem.arg) for o in node.options}
    if "language" not in options or options["language"].sval.lower() != "sql" or "as" not in options:
        return
    try:
        statements = parse(strings(options["as"].items)[0])
    except StepSyntaxError:  # PostgreSQL will say so
        return
    for found in statements:
        yield from (k for k in references(found.node) if k.kind is Kind.TABLE)


CREATE_TRIGGER = fields(
    RELATION,
    CreateTrigStmt=known(
        "relation constrrel",
        "replace isconstraint trigname funcname args row timing events columns when_clause transition_rels deferrable initdeferred",
    ),
)


def create_trigger(statement: Statement) -> Sql:
    """The trigger is there; with ``OR REPLACE``, with this definition."""
    node = statement.node
    table = relation(node.relation)
    key = member(table, Kind.TRIGGER, node.trigname)
    parts = strings(node.funcname)
    function = Key(Kind.FUNCTION, parts[-2] if len(parts) > 1 else VISIBLE, "", parts[-1])
    whole = (("definition", statement.text), ("enabled", "O"))
    attributes: tuple[tuple[str, Any], ...] = whole if node.replace else ()
    made = Effect(key, attributes=whole)
    return Sql(
        statement.text,
        statement.tag,
        (Effect(key, attributes=attributes),),
        (made,),
        (table, function),
        offset=statement.offset,
    )
