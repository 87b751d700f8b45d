"""Which steps certainly take no row away, so that nobody has to watch them. A whitelist: what is not on it is watched.

Certain is a step that is read in full, drops no table and no column, touches no row, and calls no function that is not
PostgreSQL's own. An ``INSERT`` is not: a default or a trigger of its table may call anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from omega_bridge.analysis.program import conditions, is_decidable
from omega_bridge.analysis.reading import reading_of
from omega_bridge.errors import StepSyntaxError
from omega_bridge.sql import (
    ParseNode,
    Statement,
    ends_transaction,
    inner,
    name_of,
    parse,
    parse_block,
    parse_expression,
    strings,
    walk,
)
from omega_bridge.sql.grammar import AlterTableType, ExprKind, ObjectType, TransactionStmtKind
from omega_bridge.tags import Tag

_ADDING = {
    Tag.CREATE, Tag.ALTER_TABLE, Tag.CREATE_SEQ, Tag.RENAME, Tag.DROP, Tag.CREATE_ENUM, Tag.ALTER_ENUM,
    Tag.COMPOSITE_TYPE, Tag.CREATE_EXTENSION, Tag.CREATE_SCHEMA, Tag.COMMENT, Tag.SELECT, Tag.LOCK,
    Tag.VARIABLE_SHOW,
}  # fmt: skip
_ONLY_WRITTEN_DOWN = {
    Tag.CREATE_FUNCTION, Tag.CREATE_TRIG, Tag.CREATE_POLICY, Tag.CREATE_DOMAIN, Tag.VIEW, Tag.INDEX,
}  # fmt: skip
"""What they call is called later, or is IMMUTABLE as in an index: PostgreSQL lets such a function change nothing."""

_FUNCTIONS = {
    "array_agg", "array_length", "btrim", "cardinality", "clock_timestamp", "coalesce", "col_description", "concat", "count",
    "current_database", "current_schema", "current_schemas", "current_setting", "format", "format_type", "gen_random_uuid",
    "generate_series", "greatest", "has_table_privilege", "json_build_object", "jsonb_build_object", "jsonb_typeof", "least", "left", "length",
    "lower", "max", "md5", "min", "nextval", "now", "obj_description", "pg_get_constraintdef", "pg_get_expr",
    "pg_get_indexdef", "pg_sleep", "quote_ident", "quote_literal", "replace", "right", "statement_timestamp", "string_agg", "timezone",
    "to_regclass", "to_regnamespace", "to_regproc", "to_regprocedure", "to_regtype", "trim", "unnest", "upper",
}  # fmt: skip
_TYPES = {
    "bigserial", "bytea", "cidr", "date", "inet", "json", "jsonb", "name", "oid", "regclass", "serial", "serial4", "serial8",
    "smallserial", "text", "tid", "time", "timestamp", "timestamptz", "timetz", "tsvector", "uuid", "xml",
}  # fmt: skip
"""Beside those that the parser puts into ``pg_catalog``. Another one may be a domain, whose check calls anything."""

_OPERATORS = {
    "=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "^", "||", "~", "~*", "!~", "!~*", "~~", "~~*", "!~~",
    "!~~*", "->", "->>", "#>", "#>>", "@>", "<@", "?", "?|", "?&", "&&", "&", "|",
}  # fmt: skip


Enums = frozenset[tuple[str, ...]]


@lru_cache(maxsize=4096)
def keeps_rows(text: str, enums: Enums = frozenset()) -> bool:
    """Whether a step with this text certainly takes no row, no column and no table away, whatever the database holds.

    ``enums``: types that are enumerations, as the text may write their names.
    """
    return _is_certain(text, _ADDING | _ONLY_WRITTEN_DOWN, enums)


def _is_certain(text: str, quiet: set[str], enums: Enums) -> bool:
    reading = reading_of(text)
    if reading.only_sets:
        return True
    if reading.problem or not all(is_decidable(c) for c in conditions(reading.program)):
        return False
    if any(s.opaque or s.destroys or s.cascade or s.tag not in quiet for s in reading.statements):
        return False
    try:
        found = parse(text)
        executed = reading.statements if any(s.tag == Tag.DO for s in found) else ()  # a text that EXECUTE is given, too
        return all(_calls_nothing_unknown(s, enums) for s in found) and all(_is_quiet(s.text, enums) for s in executed)
    except StepSyntaxError:
        return False


def _calls_nothing_unknown(statement: Statement, enums: Enums) -> bool:
    if statement.tag == Tag.DO:
        return all(_is_quiet(query, enums) for query in queries(parse_block(statement.text)))
    if statement.tag in _ONLY_WRITTEN_DOWN:
        return True
    return all(is_known(found, enums) for found in walk(statement.node))


def queries(tree: object) -> Iterator[str]:
    """Every piece of SQL in a PL/pgSQL tree: statements, conditions, assignments, defaults of variables."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == "PLpgSQL_expr":
                yield str(value.get("query", ""))
            else:
                yield from queries(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from queries(value)


def _is_quiet(query: str, enums: Enums) -> bool:
    try:
        return all(_calls_nothing_unknown(s, enums) for s in parse(query))
    except StepSyntaxError:
        pass
    target, assigned, value = query.partition(":=")
    return all(is_known(found, enums) for found in walk(parse_expression(value if assigned else target)))


def is_known(node: ParseNode, enums: Enums = frozenset()) -> bool:
    """Whether one node of a statement, without what is below it, names nothing that may run what nobody has read."""
    match name_of(node):
        case "FuncCall":
            *schema, name = strings(node.funcname)
            return name in _FUNCTIONS and schema in ([], ["pg_catalog"])
        case "TypeName":
            *schema, name = strings(node.names)
            return schema == ["pg_catalog"] or (not schema and name in _TYPES) or (*schema, name) in enums
        case "A_Expr":
            return all(name in _OPERATORS for name in strings(node.name)) or node.kind in _SPELLED
        case "SelectStmt":
            return all(is_catalog(r) for f in node.from_clause for r in walk(f) if name_of(r) == "RangeVar")
        case "PartitionCmd" | "CallStmt":
            return False
        case "DropStmt":
            return node.remove_type not in (ObjectType.TABLE, ObjectType.SCHEMA, ObjectType.FOREIGN_TABLE)
        case "AlterTableCmd":
            return _is_quiet_command(node)
    return True


def is_catalog(relation: ParseNode) -> bool:
    """A catalog; another relation may be a view, which calls anything."""
    return relation.schemaname in ("pg_catalog", "information_schema") or (
        not relation.schemaname and relation.relname.startswith("pg_")
    )


_SPELLED = {ExprKind.BETWEEN, ExprKind.NOT_BETWEEN, ExprKind.IN, ExprKind.LIKE, ExprKind.ILIKE, ExprKind.SIMILAR}


def _is_quiet_command(command: ParseNode) -> bool:
    """A new column of an unknown type is looked at by its node; what is added without a definition says nothing."""
    definition = inner(getattr(command, "def"))
    return command.subtype != AlterTableType.ADD_COLUMN or definition is None or definition.HasField("type_name")


# --- whether it can be watched ---------------------------------------------------------------------------------


UNWATCHED = "ends its own transaction, so that nobody could see which rows it takes before they are gone"
"""Why a text that nobody can watch is refused."""


class Watched(Enum):
    """Whether somebody can see what a statement takes away before it is gone. ``NEEDLESS``: no transaction, and no row."""

    YES = "yes"
    NEEDLESS = "needless"
    NO = "no"


_OF_A_TRANSACTION = {
    TransactionStmtKind.BEGIN, TransactionStmtKind.START, TransactionStmtKind.COMMIT, TransactionStmtKind.ROLLBACK, TransactionStmtKind.SAVEPOINT,
    TransactionStmtKind.RELEASE, TransactionStmtKind.ROLLBACK_TO, TransactionStmtKind.PREPARE, TransactionStmtKind.ROLLBACK_PREPARED,
}  # fmt: skip
"""All but ``COMMIT PREPARED``: what was prepared elsewhere, nobody has watched."""

_KEEPS_ROWS_OUTSIDE = {
    Tag.VACUUM, Tag.REINDEX, Tag.CLUSTER, Tag.CREATEDB, Tag.ALTER_SYSTEM, Tag.CREATE_TABLE_SPACE, Tag.DROP_TABLE_SPACE,
    Tag.CREATE_SUBSCRIPTION, Tag.ALTER_SUBSCRIPTION, Tag.DROP_SUBSCRIPTION,
}  # fmt: skip
"""What refuses a transaction and takes no row; a tablespace is dropped only where it is empty."""

_REFUSES_A_TRANSACTION = {Tag.DROPDB}


def watched(text: str) -> Watched:
    """Of one statement, or of a text of several that belong to one transaction."""
    try:
        found = parse(text)
    except StepSyntaxError:
        return Watched.NO if ends_transaction(text) else Watched.YES
    if len(found) != 1:
        return Watched.NO if any(s.tag == Tag.TRANSACTION for s in found) else Watched.YES
    node, tag = found[0].node, found[0].tag
    if tag == Tag.TRANSACTION:
        return Watched.NEEDLESS if node.kind in _OF_A_TRANSACTION else Watched.NO
    if tag in _REFUSES_A_TRANSACTION:
        return Watched.NO
    commands = [inner(c) for c in node.cmds] if tag == Tag.ALTER_TABLE else []
    is_detach = bool(commands) and all(
        c.subtype in (AlterTableType.DETACH_PARTITION, AlterTableType.DETACH_PARTITION_FINALIZE) for c in commands
    )
    is_concurrent = tag in (Tag.DROP, Tag.INDEX) and node.concurrent
    return Watched.NEEDLESS if is_detach or is_concurrent or tag in _KEEPS_ROWS_OUTSIDE else Watched.YES


def is_script(text: str) -> bool:
    """Whether a step says itself where its transactions begin and end."""
    try:
        return any(statement.tag == Tag.TRANSACTION for statement in parse(text))
    except StepSyntaxError:
        return False
