"""SQL text that is put together of parts of other statements, by way of the parser's own nodes."""

from __future__ import annotations

from collections.abc import Iterable

from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql.libpg_query import pb
from omega_bridge.sql.nodes import ParseNode, copied, inner, strings
from omega_bridge.sql.parser import Statement, deparse_statement, parse
from omega_bridge.tags import Tag


def asking_for_rows(target: ParseNode, others: Iterable[ParseNode], where: ParseNode) -> str:
    """The query whether a table, joined with others, has rows that a condition holds for."""
    query = pb.SelectStmt()
    query.target_list.add().res_target.val.a_const.ival.ival = 1
    query.from_clause.add().range_var.CopyFrom(target)
    query.from_clause.extend(others)
    if where.WhichOneof("node"):
        query.where_clause.CopyFrom(where)
    query.limit_option = pb.LIMIT_OPTION_DEFAULT
    query.op = pb.SETOP_NONE
    return f"SELECT EXISTS ({deparse_statement(Tag.SELECT, query)})"


def set_locally(statement: Statement) -> str:
    """A ``SET`` as ``SET LOCAL``."""
    local = copied(statement.node)
    local.is_local = True
    return deparse_statement(statement.tag, local)


def without_into(text: str) -> str:
    """A text whose ``SELECT ... INTO`` is written as ``CREATE TABLE ... AS``, which makes the same: PL/pgSQL has another meaning for ``INTO``,
    and its ``EXECUTE`` takes none (PostgreSQL's manual, "SELECT INTO"). A text that is not read stays.
    """
    if "into" not in text.lower():
        return text
    try:
        found = parse(text)
    except StepSyntaxError:
        return text
    for statement in reversed(found):
        if statement.tag == Tag.SELECT and (made := _as_table(statement.node)) is not None:
            text = text[: statement.offset] + made + text[statement.offset + len(statement.text) :]
    return text


def _as_table(select: ParseNode) -> str | None:
    query = copied(select)
    first = query
    while first.HasField("larg"):  # of a UNION, the name of the table stands in the first query
        first = first.larg
    if not first.HasField("into_clause"):
        return None
    made = pb.CreateTableAsStmt(into=first.into_clause, objtype=pb.OBJECT_TABLE)
    first.ClearField("into_clause")
    made.query.select_stmt.CopyFrom(query)
    return deparse_statement(Tag.CREATE_TABLE_AS, made)


def constraint_definition(constraint: ParseNode, columns: tuple[str, ...]) -> str:
    """A constraint's text in the form of ``pg_get_constraintdef``, to be compared as a parse tree."""
    plain = pb.Constraint()
    plain.CopyFrom(constraint)
    plain.conname = ""
    plain.ClearField("skip_validation")
    plain.initially_valid = True
    if constraint.contype == pb.CONSTR_FOREIGN and not plain.fk_attrs:
        plain.fk_attrs.extend(pb.Node(string=pb.String(sval=c)) for c in columns)
    elif constraint.contype in (pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE) and not plain.keys and not constraint.indexname:
        plain.keys.extend(pb.Node(string=pb.String(sval=c)) for c in columns)
    statement = pb.AlterTableStmt()
    statement.relation.relname = "t"
    statement.relation.inh = True
    statement.objtype = pb.OBJECT_TABLE
    command = statement.cmds.add().alter_table_cmd
    command.subtype = pb.AT_AddConstraint
    command.behavior = pb.DROP_RESTRICT
    getattr(command, "def").constraint.CopyFrom(plain)
    text = deparse_statement(Tag.ALTER_TABLE, statement)
    return text.removeprefix("ALTER TABLE t ADD ").removeprefix("ALTER TABLE ONLY t ADD ")


def index_of_constraint(table: str, constraint: ParseNode, columns: tuple[str, ...]) -> str:
    """The index of a constraint as a statement of its own."""
    made = pb.IndexStmt(
        idxname="i",
        unique=constraint.contype != pb.CONSTR_EXCLUSION,
        access_method=constraint.access_method or "btree",
        nulls_not_distinct=constraint.nulls_not_distinct,
        table_space=constraint.indexspace,
        where_clause=constraint.where_clause if constraint.HasField("where_clause") else None,
    )
    made.relation.relname, made.relation.inh, made.relation.relpersistence = table, True, "p"
    if constraint.contype == pb.CONSTR_EXCLUSION:
        made.index_params.extend(inner(pair).items[0] for pair in constraint.exclusions)
    else:
        made.index_params.extend(map(_element, columns))
    made.index_including_params.extend(map(_element, strings(constraint.including)))
    made.options.extend(constraint.options)
    return deparse_statement(Tag.INDEX, made)


def _element(column: str) -> pb.Node:
    order = {"ordering": pb.SORTBY_DEFAULT, "nulls_ordering": pb.SORTBY_NULLS_DEFAULT}
    return pb.Node(index_elem=pb.IndexElem(name=column, **order))
