"""``ALTER TABLE`` command by command, and ``RENAME``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field

from omega_bridge.analysis.effects.columns import COLUMN, CONSTRAINT, column, columns_in, default, references, table_constraint
from omega_bridge.analysis.effects.naming import RELATION, TYPE, NotRead, member, relation
from omega_bridge.analysis.effects.targets import RENAMED
from omega_bridge.analysis.program import ANYTHING, DOUBT, Effect, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.kinds import ROOMS
from omega_bridge.sql import Fields, ParseNode, Statement, deparse_type, fields, goes_beyond, inner, known, strings
from omega_bridge.sql.grammar import AlterTableType, DropBehavior, ObjectType
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
    AlterTableType.ENABLE_ROW_SECURITY: ("row_security", True),
    AlterTableType.DISABLE_ROW_SECURITY: ("row_security", False),
    AlterTableType.FORCE_ROW_SECURITY: ("force_row_security", True),
    AlterTableType.NO_FORCE_ROW_SECURITY: ("force_row_security", False),
}


ALTER_TABLE = fields(RELATION, AlterTableStmt=known("relation", "cmds objtype missing_ok"))
"""Its commands are looked at one by one."""

_BEHAVIOUR = {"behavior": (DropBehavior.RESTRICT, DropBehavior.CASCADE)}
_PLAIN = fields(AlterTableCmd=known("", "subtype name missing_ok", **_BEHAVIOUR))
_DEFINING = fields(AlterTableCmd=known("def", "subtype name missing_ok", **_BEHAVIOUR))
COMMANDS: dict[int, Fields] = {
    **dict.fromkeys(
        (
            AlterTableType.DROP_COLUMN,
            AlterTableType.SET_NOT_NULL,
            AlterTableType.DROP_NOT_NULL,
            AlterTableType.DROP_IDENTITY,
            AlterTableType.DROP_CONSTRAINT,
            AlterTableType.VALIDATE_CONSTRAINT,
        ),
        _PLAIN,
    ),
    **dict.fromkeys(_SWITCHES, _PLAIN),
    AlterTableType.ADD_COLUMN: fields(_DEFINING, COLUMN),
    AlterTableType.COLUMN_DEFAULT: fields(AlterTableCmd=known("", "subtype name def", **_BEHAVIOUR)),
    AlterTableType.ALTER_COLUMN_TYPE: fields(_DEFINING, TYPE, ColumnDef=known("type_name", "colname raw_default coll_clause")),
    AlterTableType.ADD_IDENTITY: fields(_DEFINING, Constraint=known("", "contype options", generated_when=("a", "d"))),
    AlterTableType.ADD_CONSTRAINT: fields(_DEFINING, CONSTRAINT),
}


def alter_table(statement: Statement) -> Sql:
    """Every command's effects together; a command that is not known makes the statement opaque."""
    node = statement.node
    if node.objtype != ObjectType.TABLE:
        return Sql(statement.text, statement.tag, opaque=True, offset=statement.offset)
    table = relation(node.relation)
    found = _Found(needs=[] if node.missing_ok else [table])
    commands = _in_order([inner(c) for c in node.cmds])
    added = {
        member(table, Kind.COLUMN, inner(getattr(c, "def")).colname) for c in commands if c.subtype == AlterTableType.ADD_COLUMN
    }
    for command in commands:
        is_later = _pass(command) > _LATER[AlterTableType.ADD_COLUMN]
        made = {e.key for e in found.effects if e.present} if is_later else set()
        _add(found, table, command, added if command.subtype == AlterTableType.ADD_COLUMN else made)
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


_LATER = {AlterTableType.ALTER_COLUMN_TYPE: 1, AlterTableType.ADD_COLUMN: 2}
_FIRST = (AlterTableType.DROP_COLUMN, AlterTableType.DROP_CONSTRAINT, AlterTableType.DROP_NOT_NULL, AlterTableType.DROP_IDENTITY)


def _pass(command: ParseNode) -> int:
    """When PostgreSQL carries a command out: not in the order of the text. Source: ``ATPrepCmd`` in its ``tablecmds.c``."""
    if command.subtype in _FIRST or (command.subtype == AlterTableType.COLUMN_DEFAULT and not command.HasField("def")):
        return 0
    return _LATER.get(command.subtype, 3)


def _in_order(commands: list[ParseNode]) -> list[ParseNode]:
    """As PostgreSQL carries them out; as they are written where each is about a thing of its own."""
    names = [c.name or inner(getattr(c, "def")).colname for c in commands if c.name or c.subtype == AlterTableType.ADD_COLUMN]
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


def _add(found: _Found, table: Key, command: ParseNode, made: Collection[Key]) -> None:
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


def _command(found: _Found, table: Key, command: ParseNode) -> None:
    definition = inner(getattr(command, "def"))
    this = member(table, Kind.COLUMN, command.name)
    match command.subtype:
        case AlterTableType.ADD_COLUMN:
            parts = column(table, definition)
            found.effects.append(Effect(parts.effects[0].key))
            found.implied.extend(parts.effects)
            found.needs.extend(parts.needs)
        case AlterTableType.DROP_COLUMN:
            found.effects.append(Effect(this, present=False))
            found.destroys.append(this)
            if not command.missing_ok:
                found.needs.append(this)
            found.cascade = command.behavior == DropBehavior.CASCADE
        case AlterTableType.COLUMN_DEFAULT:
            wanted = default(definition) if definition is not None else None
            if definition is not None and wanted is None:
                wanted = ANYTHING  # SET DEFAULT NULL: of varchar(9) it is kept as NULL::character varying, of text it is none
            found.effects.append(Effect(this, attributes=(("default", wanted),)))
            found.needs.extend((this, *(references(definition) if definition is not None else ())))
        case AlterTableType.SET_NOT_NULL | AlterTableType.DROP_NOT_NULL:
            found.effects.append(Effect(this, attributes=(("nullable", command.subtype == AlterTableType.DROP_NOT_NULL),)))
            found.needs.append(this)
        case AlterTableType.ALTER_COLUMN_TYPE:
            collation = ".".join(strings(definition.coll_clause.collname)) if definition.HasField("coll_clause") else None
            wanted_type = deparse_type(definition.type_name)
            found.effects.append(Effect(this, attributes=(("type", wanted_type), ("collation", collation))))
            found.needs.extend((this, *references(definition), *columns_in(table, definition)))
        case AlterTableType.ADD_IDENTITY:
            found.effects.append(Effect(this, attributes=(("identity", definition.generated_when),)))
            found.needs.append(this)
        case AlterTableType.DROP_IDENTITY:
            found.effects.append(Effect(this, attributes=(("identity", ""),)))
        case AlterTableType.ADD_CONSTRAINT:
            parts = table_constraint(table, definition, is_added=True)
            told = parts.effects[0].attributes if not (definition.conname or definition.indexname) else ()
            found.effects.append(Effect(parts.effects[0].key, attributes=tuple(a for a in told if a[0] == "definition")))
            found.implied.extend(parts.effects)
            found.needs.extend(parts.needs)
        case AlterTableType.DROP_CONSTRAINT:
            found.effects.append(Effect(member(table, Kind.CONSTRAINT, command.name), present=False))
            if not command.missing_ok:
                found.needs.append(member(table, Kind.CONSTRAINT, command.name))
            found.cascade = command.behavior == DropBehavior.CASCADE
        case AlterTableType.VALIDATE_CONSTRAINT:
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
    if kind is None or (kind is Kind.COLUMN and node.relation_type != ObjectType.TABLE):
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
