"""Types, extensions, schemas, comments and policies."""

from __future__ import annotations

from typing import Any

from omega_bridge.analysis.effects.columns import references
from omega_bridge.analysis.effects.naming import NAME, RELATION, TYPE, NotRead, defined, made, member, qualified, relation
from omega_bridge.analysis.effects.targets import COMMENTED, target
from omega_bridge.analysis.program import ANYTHING, Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import Statement, fields, inner, known, strings
from omega_bridge.sql.grammar import RoleSpecType

CREATE_ENUM = fields(CreateEnumStmt=known("", "type_name vals"))


def create_enum(statement: Statement) -> Sql:
    """The type is there; which labels it holds comes along."""
    key = qualified(statement.node.type_name, Kind.ENUM)
    labels = Effect(key, attributes=(("labels", list(strings(statement.node.vals))),), made=True)
    return Sql(statement.text, statement.tag, (Effect(key, made=True),), (labels,), offset=statement.offset)


ALTER_ENUM = fields(AlterEnumStmt=known("", "type_name old_val new_val new_val_neighbor new_val_is_after skip_if_new_val_exists"))


def alter_enum(statement: Statement) -> Sql:
    """``ADD VALUE`` puts a label in, ``RENAME VALUE`` exchanges one."""
    node = statement.node
    key = qualified(node.type_name, Kind.ENUM)
    wanted: list[tuple[str, Any]] = [("label", node.new_val)]
    if node.old_val:
        wanted.append(("no label", node.old_val))
    # Since PostgreSQL 12 ADD VALUE runs inside a transaction, but the label cannot be used before the commit.
    return Sql(statement.text, statement.tag, (Effect(key, attributes=tuple(wanted)),), needs=(key,), offset=statement.offset)


CREATE_DOMAIN = fields(CreateDomainStmt=known("", "domainname type_name coll_clause constraints"))


def create_domain(statement: Statement) -> Sql:
    """The domain is there."""
    key = qualified(statement.node.domainname, Kind.DOMAIN)
    return Sql(
        statement.text,
        statement.tag,
        (Effect(key, made=True),),
        (defined(key, statement),),
        needs=tuple(references(statement.node.type_name)),
        offset=statement.offset,
    )


CREATE_COMPOSITE = fields(RELATION, CompositeTypeStmt=known("typevar", "coldeflist"))


def create_composite(statement: Statement) -> Sql:
    """The composite type is there."""
    key = made(statement.node.typevar, Kind.COMPOSITE)
    return Sql(
        statement.text,
        statement.tag,
        (Effect(key, made=True),),
        (defined(key, statement),),
        offset=statement.offset,
    )


CREATE_EXTENSION = fields(CreateExtensionStmt=known("", "extname if_not_exists options"))


def create_extension(statement: Statement) -> Sql:
    """The extension is installed."""
    return Sql(
        statement.text,
        statement.tag,
        (Effect(Key(Kind.EXTENSION, "", "", statement.node.extname)),),
        offset=statement.offset,
    )


CREATE_SCHEMA = fields(CreateSchemaStmt=known("", "schemaname authrole schema_elts if_not_exists"))


def create_schema(statement: Statement) -> Sql:
    """The schema is there. What is written inside it is not followed."""
    node = statement.node
    if not node.schemaname and node.authrole.roletype != RoleSpecType.CSTRING:
        raise NotRead  # it is named like the one who runs it
    name = node.schemaname or node.authrole.rolename
    return Sql(
        statement.text,
        statement.tag,
        (Effect(Key(Kind.SCHEMA, "", "", name)),),
        opaque=bool(node.schema_elts),
        offset=statement.offset,
    )


COMMENT = fields(NAME, TYPE, CommentStmt=known("object", "objtype comment"))


def comment(statement: Statement) -> Sql:
    """The object carries that comment."""
    node = statement.node
    kind = COMMENTED.get(node.objtype)
    if kind is None:
        return Sql(statement.text, statement.tag, opaque=True, offset=statement.offset)
    key = target(kind, inner(node.object))
    wanted = (("comment", node.comment or None),)
    return Sql(statement.text, statement.tag, (Effect(key, attributes=wanted),), needs=(key,), offset=statement.offset)


CREATE_POLICY = fields(RELATION, CreatePolicyStmt=known("table", "policy_name cmd_name permissive roles qual with_check"))


def create_policy(statement: Statement) -> Sql:
    """The policy is there."""
    table = relation(statement.node.table)
    key = member(table, Kind.POLICY, statement.node.policy_name)
    whole = Effect(key, attributes=(("using", ANYTHING), ("check", ANYTHING)))
    return Sql(
        statement.text,
        statement.tag,
        (Effect(key),),
        (whole,),
        (table, *references(statement.node)),
        offset=statement.offset,
    )
