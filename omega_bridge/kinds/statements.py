"""What a room says of its kind's statements: for each verb, how it is read, or why it is sent as it stands. Plain values.

Statements go by libpg_query's names for them (``index_stmt``), and the objects that a ``DROP`` or ``COMMENT`` is about by its
``ObjectType``. A reader is a function in ``omega_bridge.analysis.effects``, which is made of what stands here. Named tuples: a
dataclass takes a millisecond to define.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from omega_bridge.catalog import Kind
from omega_bridge.tags import Tag


class Read(NamedTuple):
    """A statement of which certain things are known.

    ``reader``: module and function, such as ``objects.create_enum``; the fields that it knows are the constant of the function's
    name in capitals, or ``known``. ``objects``: what it is about here, where a statement is one of many kinds. ``leaves``: catalogs
    that show the parts of it that are not read, beside the rows of what it names; ``None`` where they may be anywhere.
    ``twice``: the error of its second run (the manual's appendix "PostgreSQL Error Codes"), ``unless`` this field is set in it.
    ``lock``: of the tables that it is about ("Explicit Locking"). ``is_additive``: a program that does not know what it makes goes on.
    ``is_batched``: many of them share a transaction, on tables that are new.
    """

    tag: Tag
    reader: str
    known: str = ""
    objects: tuple[str, ...] = ()
    leaves: tuple[str, ...] | None = None
    twice: str = ""
    unless: str = ""
    lock: str = ""
    lock_concurrently: str = ""
    is_additive: bool = False
    is_batched: bool = False

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The same for a loop over what is read and what is opaque."""
        return (self.tag,)


class Opaque(NamedTuple):
    """Statements that are sent as they stand, and of which nothing is claimed: ``because`` says why.

    ``leaves``: the catalogs that show what they did, beside the rows of what they name; ``None`` where it may be anywhere.
    ``names_tables``: without the tables in their text they fail.
    """

    because: str
    tags: tuple[Tag, ...] = ()
    leaves: tuple[str, ...] | None = None
    names_tables: bool = False


class ReadAs(NamedTuple):
    """Statements whose text does not say that they are about this kind: they are read as those of another."""

    kind: Kind
    because: str


Said: TypeAlias = Read | Opaque | ReadAs
Verb: TypeAlias = Said | tuple[Said, ...]


class Statements(NamedTuple):
    """The statements about one kind of object. None may be left out: where PostgreSQL has no such statement, say ``NONE``."""

    create: Verb
    alter: Verb
    drop: Verb
    comment: Verb
    rename: Verb
    owner: Verb
    grant: Verb
    set_schema: Verb

    def all(self) -> tuple[Said, ...]:
        """What is said of every verb."""
        return tuple(said for verb in self for said in _each(verb))

    def read(self, verb: str) -> tuple[Read, ...]:
        """The statements of one verb that are read."""
        return tuple(said for said in _each(getattr(self, verb)) if isinstance(said, Read))


def _each(verb: Verb) -> tuple[Said, ...]:
    return (verb,) if isinstance(verb, Read | Opaque | ReadAs) else verb


NONE = Opaque("PostgreSQL has no such statement")

_NO_NAME = "objects of its kind are not looked for by their names"


def unnamed(*tags: Tag, leaves: tuple[str, ...] | None = None, names_tables: bool = False) -> Opaque:
    """Statements about what is looked at with the whole schema alone."""
    return Opaque(_NO_NAME, tags, leaves, names_tables)


def dropped(*objects: str) -> Read:
    """``DROP`` is read."""
    return Read(Tag.DROP, "drops.drop", objects=objects, lock="ACCESS EXCLUSIVE")


def commented(*objects: str) -> Read:
    """``COMMENT ON`` is read."""
    return Read(Tag.COMMENT, "objects.comment", objects=objects, leaves=("pg_description",), is_additive=True, is_batched=True)


def renamed(*objects: str) -> Read:
    """``ALTER ... RENAME`` is read."""
    return Read(Tag.RENAME, "alter_table.rename", objects=objects, lock="ACCESS EXCLUSIVE")


def altered(*leaves: str) -> Read:
    """``ALTER TABLE`` is read, command by command."""
    return Read(
        Tag.ALTER_TABLE, "alter_table.alter_table", leaves=leaves, lock="ACCESS EXCLUSIVE", is_additive=True, is_batched=True
    )


def altered_unread(*leaves: str) -> Opaque:
    """A form of ``ALTER TABLE`` that is not read: what it names shows it, and ``leaves``."""
    return Opaque("the attributes that it sets are compared in the catalog, not promised", (Tag.ALTER_TABLE,), leaves)


CREATE_TABLE_AS = Read(Tag.CREATE_TABLE_AS, "tables.create_table_as", twice="duplicate_table", unless="if_not_exists")

DROP = unnamed(Tag.DROP)
COMMENT = Opaque("the comment is compared in the catalog, not promised", (Tag.COMMENT,), leaves=("pg_description",))
RENAME = Opaque("what else goes by the old name is not in its text", (Tag.RENAME,))
OWNER = Opaque("the owner is compared in the catalog, not promised", (Tag.ALTER_OWNER,))
RELATION_OWNER = Opaque("the owner is compared in the catalog, not promised", (Tag.ALTER_TABLE,), leaves=())
GRANT = Opaque("privileges are compared in the catalog, not promised", (Tag.GRANT,), names_tables=True)
SHARED = "the catalogs of the whole server are asked by the names in their text"
SET_SCHEMA = Opaque("what moves along is not in its text", (Tag.ALTER_OBJECT_SCHEMA,))

DEPENDS = Opaque(
    "the extension that it goes with is compared in the catalog, not promised", (Tag.ALTER_OBJECT_DEPENDS,), leaves=("pg_depend",)
)

_SAME_SCHEMA = "it leaves the catalog as it is"

OF_NO_KIND: tuple[Said, ...] = (
    Read(Tag.INSERT, "data.insert", lock="ROW EXCLUSIVE", is_additive=True),
    Read(Tag.UPDATE, "data.update", lock="ROW EXCLUSIVE"),
    Read(Tag.DELETE, "data.delete", lock="ROW EXCLUSIVE"),
    Read(Tag.MERGE, "data.other", "MERGE"),
    Read(Tag.COPY, "data.other", "COPY"),
    Read(Tag.TRUNCATE, "drops.truncate", lock="ACCESS EXCLUSIVE"),
    Read(Tag.SELECT, "data.select", is_additive=True),
    Read(Tag.CALL, "data.call"),
    Read(Tag.REFRESH_MAT_VIEW, "data.refresh", "REFRESH", leaves=()),
    Read(Tag.LOCK, "data.nothing", "LOCK"),
    Read(Tag.VARIABLE_SHOW, "data.nothing", "SHOW"),
    Read(Tag.EXPLAIN, "data.explain"),
    Opaque(_SAME_SCHEMA, (Tag.VACUUM, Tag.CLUSTER), leaves=(), names_tables=True),
    Opaque(_SAME_SCHEMA, (Tag.REINDEX,), leaves=()),
)
"""What belongs to no kind of object: rows, queries, maintenance."""
