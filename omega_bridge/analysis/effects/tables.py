"""``CREATE TABLE``, ``CREATE INDEX``, ``CREATE VIEW``, ``CREATE SEQUENCE``: relations that a step adds."""

from __future__ import annotations

from typing import Any

from omega_bridge.analysis.effects.columns import COLUMN, column, columns_in, references, table_constraint
from omega_bridge.analysis.effects.naming import (
    RELATION,
    NotRead,
    defined,
    generated,
    index_columns,
    is_temporary,
    made,
    member,
    relation,
)
from omega_bridge.analysis.program import ANYTHING, Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import Statement, fields, inner, known, name_of
from omega_bridge.sql.grammar import ObjectType

_TEMPORARY_TOO = fields(RangeVar=known("", "schemaname relname inh", relpersistence=("p", "u", "t")))

CREATE_TABLE = fields(
    COLUMN,
    _TEMPORARY_TOO,
    CreateStmt=known(
        "relation table_elts inh_relations constraints",
        "partbound partspec of_typename options oncommit tablespacename access_method if_not_exists",
    ),
    TableLikeClause=known("relation", "options"),
)


def create_table(statement: Statement) -> Sql:
    """A table is there, however it looks: ``IF NOT EXISTS`` means no more than that."""
    node = statement.node
    table = relation(node.relation)
    if is_temporary(node.relation):  # no catalog of ours shows it, and later statements find it
        known = (Effect(table, attributes=(("columns known", False),)),)
        return Sql(statement.text, statement.tag, (), known, opaque=True, offset=statement.offset)
    implied: list[Effect] = []
    needs: list[Key] = [relation(inner(parent)) for parent in node.inh_relations]
    has_more = bool(node.inh_relations) or node.HasField("of_typename")  # columns that are told elsewhere
    for element in map(inner, (*node.table_elts, *node.constraints)):
        try:
            if name_of(element) == "ColumnDef":
                parts = column(table, element)
            elif name_of(element) == "Constraint":
                parts = table_constraint(table, element)
            else:
                raise NotRead
        except NotRead:
            has_more = True
            needs.extend(references(element))
            continue
        implied.extend(parts.effects)
        needs.extend(k for k in parts.needs if (k.schema, k.table) != (table.schema, table.name))
    needs = [k for k in needs if k != table]
    whole = Effect(table, attributes=(("columns known", False),) if has_more else (), made=True)
    return Sql(
        statement.text,
        statement.tag,
        (Effect(table, made=True),),
        (*(() if not whole.attributes else (whole,)), *implied),
        tuple(needs),
        offset=statement.offset,
    )


CREATE_TABLE_AS = fields(
    _TEMPORARY_TOO,
    CreateTableAsStmt=known("into", "query is_select_into if_not_exists", objtype=(ObjectType.TABLE, ObjectType.MATVIEW)),
    IntoClause=known("rel", "col_names access_method options on_commit table_space_name skip_data"),
)


def create_table_as(statement: Statement) -> Sql:
    """A table or materialised view filled from a query."""
    node = statement.node
    kind = Kind.MATERIALIZED_VIEW if node.objtype == ObjectType.MATVIEW else Kind.TABLE
    target = relation(node.into.rel, kind)
    known = (Effect(target, attributes=(("columns known", False),), made=True),)
    needs = tuple(references(node.query))
    if is_temporary(node.into.rel):
        return Sql(statement.text, statement.tag, (), known, needs, opaque=True, offset=statement.offset)
    return Sql(statement.text, statement.tag, (Effect(target, made=True),), known, needs, offset=statement.offset)


CREATE_INDEX = fields(
    RELATION,
    IndexStmt=known(
        "relation index_params index_including_params",
        "idxname access_method table_space options where_clause unique nulls_not_distinct concurrent if_not_exists",
    ),
    IndexElem=known("", "name expr collation opclass opclassopts ordering nulls_ordering"),
)


def create_index(statement: Statement) -> Sql:
    """A valid index of that name is there; an INVALID one is not what the statement promises."""
    node = statement.node
    table = relation(node.relation)
    parts = [inner(p) for p in (*node.index_params, *node.index_including_params)]
    columns = (member(table, Kind.COLUMN, p.name) for p in parts if p.name)
    name = node.idxname or generated(table.name, index_columns(node), "idx")
    wanted: dict[str, Any] = {"table": table.name}
    if node.relation.inh:  # one of the parent alone is not valid until every partition has its own
        wanted["valid"] = True
    if not node.idxname:  # PostgreSQL makes one more each time: what is there counts only where it is the same
        wanted["definition"] = statement.text
    effect = Effect(Key(Kind.INDEX, table.schema, "", name), attributes=tuple(wanted.items()))
    whole = Effect(effect.key, attributes=(("unique", node.unique), ("constraint", False), ("definition", ANYTHING)))
    asked = dict.fromkeys((*columns, *columns_in(table, node)))
    needs = [k for k in (*references(node), *asked) if k.kind is not Kind.INDEX]
    return Sql(
        statement.text,
        statement.tag,
        (effect,),
        (whole,),
        tuple(needs),
        transactional=not node.concurrent,
        offset=statement.offset,
    )


CREATE_VIEW = fields(RELATION, ViewStmt=known("view", "aliases query replace options with_check_option"))


def create_view(statement: Statement) -> Sql:
    """A view is there; with ``OR REPLACE`` only the server can say whether it is the same one."""
    node = statement.node
    view = made(node.view, Kind.VIEW)
    attributes: tuple[tuple[str, Any], ...] = (("definition", ANYTHING),) if node.replace else ()
    return Sql(
        statement.text,
        statement.tag,
        (Effect(view, attributes=attributes, made=True),),
        (defined(view, statement),),
        tuple(references(node.query)),
        offset=statement.offset,
    )


CREATE_SEQUENCE = fields(RELATION, CreateSeqStmt=known("sequence", "options if_not_exists"))


def create_sequence(statement: Statement) -> Sql:
    """A sequence is there."""
    sequence = made(statement.node.sequence, Kind.SEQUENCE)
    return Sql(
        statement.text,
        statement.tag,
        (Effect(sequence, made=True),),
        (defined(sequence, statement),),
        offset=statement.offset,
    )
