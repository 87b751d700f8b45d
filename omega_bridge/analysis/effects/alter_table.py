"""``ALTER TABLE`` command by command, and ``RENAME``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field
from typing import Any

from omega_bridge.analysis.effects.columns import COLUMN, CONSTRAINT, column, columns_in, default, references, table_constraint
from omega_bridge.analysis.effects.naming import RELATION, TYPE, NotRead, member, relation
from omega_bridge.analysis.effects.targets import RENAMED
from omega_bridge.analysis.program import DOUBT, Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.kinds import ROOMS
from omega_bridge.sql import Fields, Statement, deparse_type, fields, goes_beyond, inner, known, pb, strings
from omega_bridge.values import dataclass


@dataclass(slots=True)
class _Found:
    effects: list[Effect] = field(default_factory=list)
    implied: list[Effect] = field(default_factory=list)
    needs: list[Key] = field(default_factory=list)
    destroys: list[Key] = field(default_factory=list)
    opaque: bool = False
    cascade: bool = False


_SWITCHES = {
    pb.AT_EnableRowSecurity: ("row_security", True),
    pb.AT_DisableRowSecurity: ("row_security", False),
    pb.AT_ForceRowSecurity: ("force_row_security", True),
    pb.AT_NoForceRowSecurity: ("force_row_security", False),
}


ALTER_TABLE = fields(RELATION, AlterTableStmt=known("relation", "cmds objtype missing_ok"))
"""Its commands are looked at one by one."""

_BEHAVIOUR = {"behavior": (pb.DROP_RESTRICT, pb.DROP_CASCADE)}
_PLAIN = fields(AlterTableCmd=known("", "subtype name missing_ok", **_BEHAVIOUR))
_DEFINING = fields(AlterTableCmd=known("def", "subtype name missing_ok", **_BEHAVIOUR))
COMMANDS: dict[int, Fields] = {
    **dict.fromkeys(
        (
            pb.AT_DropColumn,
            pb.AT_SetNotNull,
            pb.AT_DropNotNull,
            pb.AT_DropIdentity,
            pb.AT_DropConstraint,
            pb.AT_ValidateConstraint,
        ),
        _PLAIN,
    ),
    **dict.fromkeys(_SWITCHES, _PLAIN),
    pb.AT_AddColumn: fields(_DEFINING, COLUMN),
    pb.AT_ColumnDefault: fields(AlterTableCmd=known("", "subtype name def", **_BEHAVIOUR)),
    pb.AT_AlterColumnType: fields(_DEFINING, TYPE, ColumnDef=known("type_name", "colname raw_default coll_clause")),
    pb.AT_AddIdentity: fields(_DEFINING, Constraint=known("", "contype options", generated_when=("a", "d"))),
    pb.AT_AddConstraint: fields(_DEFINING, CONSTRAINT),
}


def alter_table(statement: Statement) -> Sql:
    """Every command's effects together; a command that is not known makes the statement opaque."""
    node = statement.node
    if node.objtype != pb.OBJECT_TABLE:
        return Sql(statement.text, statement.tag, opaque=True, offset=statement.offset)
    table = relation(node.relation)
    found = _Found(needs=[] if node.missing_ok else [table])
    commands = _in_order([inner(c) for c in node.cmds])
    added = {member(table, Kind.COLUMN, inner(getattr(c, "def")).colname) for c in commands if c.subtype == pb.AT_AddColumn}
    for command in commands:
        is_later = _pass(command) > _LATER[pb.AT_AddColumn]
        made = {e.key for e in found.effects if e.present} if is_later else set()
        _add(found, table, command, added if command.subtype == pb.AT_AddColumn else made)
    if _contradicts_itself(found.effects):
        found.opaque = True
    if node.missing_ok:  # nothing is promised about a table that may be missing
        found.implied, found.effects = [*found.effects, *found.implied], []
        found.opaque = True
    return Sql(
        statement.text,
        statement.tag,
        tuple(found.effects),
        tuple(found.implied),
        tuple(found.needs),
        tuple(found.destroys),
        opaque=found.opaque,
        cascade=found.cascade,
        offset=statement.offset,
    )


_LATER = {pb.AT_AlterColumnType: 1, pb.AT_AddColumn: 2}
_FIRST = (pb.AT_DropColumn, pb.AT_DropConstraint, pb.AT_DropNotNull, pb.AT_DropIdentity)


def _pass(command: Any) -> int:
    """When PostgreSQL carries a command out: not in the order of the text. Source: ``ATPrepCmd`` in its ``tablecmds.c``."""
    if command.subtype in _FIRST or (command.subtype == pb.AT_ColumnDefault and not command.HasField("def")):
        return 0
    return _LATER.get(command.subtype, 3)


def _in_order(commands: list[Any]) -> list[Any]:
    """As PostgreSQL carries them out; as they are written where each is about a thing of its own."""
    names = [c.name or inner(getattr(c, "def")).colname for c in commands if c.name or c.subtype == pb.AT_AddColumn]
    return commands if len(set(names)) == len(names) == len(commands) else sorted(commands, key=_pass)


def _contradicts_itself(effects: list[Effect]) -> bool:
    """Whether one statement says two things of an object, other than taking it away before it is made."""
    said: dict[tuple[Key, str], object] = {}
    for effect in effects:
        for name, value in (("present", effect.present), *effect.attributes):
            earlier = said.get((effect.key, name), value)
            if earlier != value and not (name == "present" and value is True):
                return True
            said[effect.key, name] = value
    return False


def _add(found: _Found, table: Key, command: Any, made: Collection[Key]) -> None:
    """A command that is not read to its last field is left to the server, and what it is about is in doubt. ``made``: by those that
    come before it, or beside it.
    """
    known_of_it = COMMANDS.get(command.subtype)
    one = _Found()
    try:
        if known_of_it is None:
            raise NotRead
        _command(one, table, command)
    except NotRead:
        found.opaque = True
        return
    found.destroys.extend(one.destroys)
    found.cascade = found.cascade or one.cascade
    if goes_beyond(command, known_of_it):
        found.opaque = True
        found.implied.extend(Effect(e.key, attributes=((DOUBT, True),)) for e in (*one.effects, *one.implied))
        return
    found.effects.extend(one.effects)
    found.implied.extend(one.implied)
    found.needs.extend(key for key in one.needs if key not in made)


def _command(found: _Found, table: Key, command: Any) -> None:
    definition = inner(getattr(command, "def"))
    this = member(table, Kind.COLUMN, command.name)
    match command.subtype:
        case pb.AT_AddColumn:
            parts = column(table, definition)
            found.effects.append(Effect(parts.effects[0].key))
            found.implied.extend(parts.effects)
            found.needs.extend(parts.needs)
        case pb.AT_DropColumn:
            found.effects.append(Effect(this, present=False))
            found.destroys.append(this)
            if not command.missing_ok:
                found.needs.append(this)
            found.cascade = command.behavior == pb.DROP_CASCADE
        case pb.AT_ColumnDefault:
            wanted = default(definition) if definition is not None else None
            found.effects.append(Effect(this, attributes=(("default", wanted),)))
            found.needs.extend((this, *(references(definition) if definition is not None else ())))
        case pb.AT_SetNotNull | pb.AT_DropNotNull:
            found.effects.append(Effect(this, attributes=(("nullable", command.subtype == pb.AT_DropNotNull),)))
            found.needs.append(this)
        case pb.AT_AlterColumnType:
            collation = ".".join(strings(definition.coll_clause.collname)) if definition.HasField("coll_clause") else None
            wanted_type = deparse_type(definition.type_name)
            found.effects.append(Effect(this, attributes=(("type", wanted_type), ("collation", collation))))
            found.needs.extend((this, *references(definition), *columns_in(table, definition)))
        case pb.AT_AddIdentity:
            found.effects.append(Effect(this, attributes=(("identity", definition.generated_when),)))
            found.needs.append(this)
        case pb.AT_DropIdentity:
            found.effects.append(Effect(this, attributes=(("identity", ""),)))
        case pb.AT_AddConstraint:
            parts = table_constraint(table, definition, is_added=True)
            told = parts.effects[0].attributes if not (definition.conname or definition.indexname) else ()
            found.effects.append(Effect(parts.effects[0].key, attributes=tuple(a for a in told if a[0] == "definition")))
            found.implied.extend(parts.effects)
            found.needs.extend(parts.needs)
        case pb.AT_DropConstraint:
            found.effects.append(Effect(member(table, Kind.CONSTRAINT, command.name), present=False))
            if not command.missing_ok:
                found.needs.append(member(table, Kind.CONSTRAINT, command.name))
            found.cascade = command.behavior == pb.DROP_CASCADE
        case pb.AT_ValidateConstraint:
            found.effects.append(Effect(member(table, Kind.CONSTRAINT, command.name), attributes=(("validated", True),)))
        case subtype:
            found.effects.append(Effect(table, attributes=(_SWITCHES[subtype],)))


RENAME = fields(
    RELATION,
    RenameStmt=known("relation", "rename_type relation_type subname newname missing_ok", **_BEHAVIOUR),
)


def rename(statement: Statement) -> Sql:
    """The old name is gone and the new one is there."""
    node = statement.node
    kind = RENAMED.get(node.rename_type)
    if kind is None or (kind is Kind.COLUMN and node.relation_type != pb.OBJECT_TABLE):
        return Sql(statement.text, statement.tag, opaque=True, offset=statement.offset)
    old = member(relation(node.relation), kind, node.subname) if ROOMS[kind].stored.table else relation(node.relation, kind)
    new = Key(old.kind, old.schema, old.table, node.newname)
    effects = (Effect(old, present=False), Effect(new))
    return Sql(
        statement.text,
        statement.tag,
        effects,
        (),
        () if node.missing_ok else (old,),
        opaque=node.missing_ok,
        offset=statement.offset,
    )
