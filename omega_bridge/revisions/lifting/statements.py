"""One function a kind of statement: what it becomes, and how that is undone."""

from __future__ import annotations

from collections.abc import Callable

from alembic.operations import ops

from omega_bridge.analysis.program import ANYTHING, Sql
from omega_bridge.catalog import Key, Kind, texts
from omega_bridge.revisions import operations as ours
from omega_bridge.revisions.lifting import alterations, native
from omega_bridge.revisions.lifting.common import Lifting, NotLifted, schema_of
from omega_bridge.sql import ParseNode, copied, deparse_statement, on_one_line, parse
from omega_bridge.sql.grammar import DropBehavior
from omega_bridge.tags import Tag

Lifter = Callable[[Sql, ParseNode, Lifting], None]


def lift_statement(s: Sql, lifting: Lifting) -> None:
    """Add the statement's operations. Raises ``NotLifted``."""
    if s.data:
        raise NotLifted("it touches rows")
    lifter = _LIFTERS.get(s.tag)
    if lifter is None or (s.opaque and s.tag not in _KNOWN_ALL_THE_SAME):
        raise NotLifted(f"{_words(s)}: no operation says it")
    (statement,) = parse(s.text)
    if lifting.attempts:
        _attempted(s, lifting)
    else:
        lifter(s, statement.node, lifting)
    lifting.apply(s)


_ATTEMPTED = (Kind.COLUMN, Kind.INDEX, Kind.CONSTRAINT, Kind.TABLE)


def _attempted(s: Sql, lifting: Lifting) -> None:
    """What asks the catalog first, in either direction, and whose error leaves all as it was: what it needs may be missing."""
    if len(s.effects) != 1 or not s.effects[0].present or s.effects[0].key.kind not in _ATTEMPTED:
        raise NotLifted(f"{_words(s)} of what nothing makes: no operation says it")
    key = s.effects[0].key
    kind, owner, schema = str(key.kind), key.table or None, schema_of(key)
    how = {"optional": True} if lifting.tolerant else {"attempt": True}
    lifting.add(
        ours.EnsureOp(kind, key.name, on_one_line(s.text), table=owner, schema=schema, **how),
        ours.EnsureAbsentOp(kind, key.name, table=owner, schema=schema),
    )


def _words(s: Sql) -> str:
    match s.tag:
        case Tag.EXECUTE_COMPUTED:
            return "EXECUTE of a computed string"
        case Tag.UNREADABLE:
            return "a text that holds variables"
    told = s.text if s.tag is Tag.UNREAD else s.tag
    return told.removesuffix("_stmt").replace("_", " ").upper()


# --- relations -------------------------------------------------------------------------------------------------


def _create_table(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    key = s.effects[0].key
    back = () if lifting.is_there(key) else (ops.DropTableOp(key.name, schema=schema_of(key), if_exists=True),)
    try:
        operation = native.create_table(node)
        native.check(operation, s.text)
        lifting.add(operation, *back)
    except native.NotNative:
        lifting.add(ours.EnsureOp("table", key.name, on_one_line(s.text), schema=schema_of(key)), *back)


def _create_index(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    key, table = s.effects[0].key, node.relation
    schema = table.schemaname or None
    back = () if lifting.is_there(key) else (ops.DropIndexOp(key.name, table.relname, schema=schema, if_exists=True),)
    leans_on_extension = any(k.kind is Kind.EXTENSION for k in s.needs)
    try:
        operation = native.create_index(node)
        native.check(operation, s.text)
        if lifting.tolerant and leans_on_extension:
            raise native.NotNative
        if node.concurrent:
            lifting.add(ours.DropInvalidIndexOp(key.name, schema=schema))
        lifting.add(operation, *back)
    except native.NotNative:
        if node.concurrent:
            raise NotLifted("CREATE INDEX CONCURRENTLY that Alembic has no words for") from None
        lifting.add(
            ours.EnsureOp(
                "index", key.name, on_one_line(s.text), schema=schema, optional=lifting.tolerant and leans_on_extension
            ),
            *back,
        )


def _create_view(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    key = s.effects[0].key
    if node.replace and lifting.is_there(key):
        lifting.no_way_back("a view was replaced, and what it was before is not known")
    _ensure(s, lifting, "view", replace=node.replace)


def _create_table_as(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    if s.effects[0].key.kind is not Kind.MATERIALIZED_VIEW:
        raise NotLifted("CREATE TABLE AS: no operation says it")
    _ensure(s, lifting, "materialized view")


# --- named things ----------------------------------------------------------------------------------------------


def _ensure(s: Sql, lifting: Lifting, kind: str, *, replace: bool = False, optional: bool = False) -> None:
    key = s.effects[0].key
    owner, schema = key.table or None, schema_of(key)
    back = () if lifting.is_there(key) else (ours.EnsureAbsentOp(kind, key.name, table=owner, schema=schema),)
    lifting.add(
        ours.EnsureOp(kind, key.name, on_one_line(s.text), table=owner, schema=schema, replace=replace, optional=optional), *back
    )


def _named(kind: str) -> Lifter:
    def lifter(s: Sql, node: ParseNode, lifting: Lifting) -> None:
        _ensure(s, lifting, kind)

    return lifter


def _create_extension(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    _ensure(s, lifting, "extension", optional=lifting.tolerant)


def _create_function(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    key = s.effects[0].key
    before = lifting.attribute(key, "definition")
    if not node.replace or before is ...:
        _ensure(s, lifting, "function", replace=node.replace)
        return
    operation = ours.EnsureOp("function", key.name, on_one_line(s.text), schema=schema_of(key), replace=True)
    if before is ANYTHING or not isinstance(before, str):
        lifting.add(operation)
        lifting.no_way_back("a function was replaced, and what it was before is not known")
    else:
        lifting.add(operation, ours.EnsureOp("function", key.name, before, schema=schema_of(key), replace=True))


def _create_trigger(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    if node.replace and lifting.is_there(s.effects[0].key):
        lifting.no_way_back("a trigger was replaced")
    _ensure(s, lifting, "trigger", replace=node.replace)


def _alter_enum(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    if node.old_val:
        raise NotLifted("ALTER TYPE ... RENAME VALUE: no operation says it")
    key = s.effects[0].key
    labels = lifting.attribute(key, "labels")
    before, after = (None, node.new_val_neighbor or None) if node.new_val_is_after else (node.new_val_neighbor or None, None)
    lifting.add(ours.EnsureEnumValueOp(key.name, node.new_val, before=before, after=after, schema=schema_of(key)))
    if labels is ... or node.new_val not in texts(labels):
        lifting.no_way_back("PostgreSQL has no way to take a value out of an enum type")


def _comment(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    key = s.effects[0].key
    wanted = node.comment or None
    before = lifting.attribute(key, "comment")
    owner, schema, kind = key.table or None, schema_of(key), str(key.kind)
    old = str(before) if before is not ... and before is not None else None
    back = () if old == wanted else (ours.EnsureCommentOp(kind, key.name, old, table=owner, schema=schema),)
    lifting.add(ours.EnsureCommentOp(kind, key.name, wanted, table=owner, schema=schema), *back)


def _rename(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    if not node.relation.inh:
        raise NotLifted("ALTER TABLE ONLY: no operation says it")
    old, new = s.effects[0].key, s.effects[1].key
    owner, schema, kind = old.table or None, schema_of(old), str(old.kind)
    lifting.add(
        ours.EnsureRenamedOp(kind, old.name, new.name, table=owner, schema=schema),
        ours.EnsureRenamedOp(kind, new.name, old.name, table=owner, schema=schema),
    )


def _grant(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    """Granting again changes nothing; the way back is the reverse, which PostgreSQL spells with the same words."""
    other = copied(node)
    other.is_grant = not node.is_grant
    other.grant_option = node.grant_option and not node.is_grant
    if not node.is_grant and node.behavior == DropBehavior.CASCADE:
        lifting.no_way_back("REVOKE ... CASCADE takes from others what they were given on")
    lifting.add(ours.RunStepOp(s.text), ours.RunStepOp(deparse_statement(Tag.GRANT, other)))


def _drop(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    if node.concurrent:
        raise NotLifted("DROP INDEX CONCURRENTLY: no operation says it")
    cascade = node.behavior == DropBehavior.CASCADE
    if len(s.effects) > 1 and not cascade and s.effects[0].key.kind is not Kind.INDEX:
        raise NotLifted("DROP of several objects, which may depend on one another: no operation says it")
    for effect in s.effects:
        key = effect.key
        if key.kind is Kind.FUNCTION:
            raise NotLifted("DROP FUNCTION: which one is not said by its name alone")
        _absent(key, lifting, cascade=cascade)


def _absent(key: Key, lifting: Lifting, *, cascade: bool) -> None:
    owner, schema = key.table or None, schema_of(key)
    if key.kind is Kind.TABLE and not cascade:
        lifting.add(ops.DropTableOp(key.name, schema=schema, if_exists=True))
    else:
        lifting.add(ours.EnsureAbsentOp(str(key.kind), key.name, table=owner, schema=schema, cascade=cascade))
    if lifting.is_there(key):
        lifting.no_way_back(f"{key} was dropped")


def _alter_table(s: Sql, node: ParseNode, lifting: Lifting) -> None:
    for index in range(len(node.cmds)):
        one = copied(node)
        del one.cmds[index + 1 :]
        del one.cmds[:index]
        text = s.text if len(node.cmds) == 1 else deparse_statement(Tag.ALTER_TABLE, one)
        alterations.lift_command(text, one, lifting)


_KNOWN_ALL_THE_SAME = {Tag.GRANT}

_LIFTERS: dict[Tag, Lifter] = {
    Tag.CREATE: _create_table,
    Tag.INDEX: _create_index,
    Tag.VIEW: _create_view,
    Tag.CREATE_TABLE_AS: _create_table_as,
    Tag.ALTER_TABLE: _alter_table,
    Tag.RENAME: _rename,
    Tag.DROP: _drop,
    Tag.CREATE_SEQ: _named("sequence"),
    Tag.CREATE_ENUM: _named("enum"),
    Tag.ALTER_ENUM: _alter_enum,
    Tag.CREATE_DOMAIN: _named("domain"),
    Tag.COMPOSITE_TYPE: _named("composite type"),
    Tag.CREATE_EXTENSION: _create_extension,
    Tag.CREATE_SCHEMA: _named("schema"),
    Tag.CREATE_FUNCTION: _create_function,
    Tag.CREATE_TRIG: _create_trigger,
    Tag.CREATE_POLICY: _named("policy"),
    Tag.COMMENT: _comment,
    Tag.GRANT: _grant,
}
