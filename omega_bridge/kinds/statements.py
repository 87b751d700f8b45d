"""What a room says of its kind's statements: for each verb, how it is read, or why it is sent as it stands. Plain values.

Statements go by libpg_query's names for them (``index_stmt``), and the objects that a ``DROP`` or ``COMMENT`` is about by its
``ObjectType``. A reader is a function in ``omega_bridge.analysis.effects``, which is made of what stands here. Named tuples: a
dataclass takes a millisecond to define.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from omega_bridge.catalog import Kind


class Read(NamedTuple):
    """A statement of which certain things are known.

    ``reader``: module and function, such as ``objects.create_enum``; the fields that it knows are the constant of the function's
    name in capitals, or ``known``. ``objects``: what it is about here, where a statement is one of many kinds. ``leaves``: catalogs
    that show the parts of it that are not read, beside the rows of what it names; ``None`` where they may be anywhere.
    ``twice``: the error of its second run (the manual's appendix "PostgreSQL Error Codes"), ``unless`` this field is set in it.
    ``lock``: of the tables that it is about ("Explicit Locking"). ``is_additive``: a program that does not know what it makes goes on.
    ``is_batched``: many of them share a transaction, on tables that are new.
    """

    tag: str
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
    def tags(self) -> tuple[str, ...]:
        """The same for a loop over what is read and what is opaque."""
        return (self.tag,)


class Opaque(NamedTuple):
    """Statements that are sent as they stand, and of which nothing is claimed: ``because`` says why.

    ``leaves``: the catalogs that show what they did, beside the rows of what they name; ``None`` where it may be anywhere.
    ``names_tables``: without the tables in their text they fail.
    """

    because: str
    tags: tuple[str, ...] = ()
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


def unnamed(*tags: str, leaves: tuple[str, ...] | None = None, names_tables: bool = False) -> Opaque:
    """Statements about what is looked at with the whole schema alone."""
    return Opaque(_NO_NAME, tags, leaves, names_tables)


def dropped(*objects: str) -> Read:
    """``DROP`` is read."""
    return Read("drop_stmt", "drops.drop", objects=objects, lock="ACCESS EXCLUSIVE")


def commented(*objects: str) -> Read:
    """``COMMENT ON`` is read."""
    return Read("comment_stmt", "objects.comment", objects=objects, leaves=("pg_description",), is_additive=True, is_batched=True)


def renamed(*objects: str) -> Read:
    """``ALTER ... RENAME`` is read."""
    return Read("rename_stmt", "alter_table.rename", objects=objects, lock="ACCESS EXCLUSIVE")


def altered(*leaves: str) -> Read:
    """``ALTER TABLE`` is read, command by command."""
    return Read(
        "alter_table_stmt", "alter_table.alter_table", leaves=leaves, lock="ACCESS EXCLUSIVE", is_additive=True, is_batched=True
    )


def altered_unread(*leaves: str) -> Opaque:
    """A form of ``ALTER TABLE`` that is not read: what it names shows it, and ``leaves``."""
    return Opaque("the attributes that it sets are compared in the catalog, not promised", ("alter_table_stmt",), leaves)


CREATE_TABLE_AS = Read("create_table_as_stmt", "tables.create_table_as", twice="duplicate_table", unless="if_not_exists")

DROP = unnamed("drop_stmt")
COMMENT = Opaque("the comment is compared in the catalog, not promised", ("comment_stmt",), leaves=("pg_description",))
RENAME = Opaque("what else goes by the old name is not in its text", ("rename_stmt",))
OWNER = Opaque("the owner is compared in the catalog, not promised", ("alter_owner_stmt",))
RELATION_OWNER = Opaque("the owner is compared in the catalog, not promised", ("alter_table_stmt",), leaves=())
GRANT = Opaque("privileges are compared in the catalog, not promised", ("grant_stmt",), names_tables=True)
SHARED = "the catalogs of the whole server are asked by the names in their text"
SET_SCHEMA = Opaque("what moves along is not in its text", ("alter_object_schema_stmt",))

_SAME_SCHEMA = "it leaves the catalog as it is"

OF_NO_KIND: tuple[Said, ...] = (
    Read("insert_stmt", "data.insert", lock="ROW EXCLUSIVE", is_additive=True),
    Read("update_stmt", "data.update", lock="ROW EXCLUSIVE"),
    Read("delete_stmt", "data.delete", lock="ROW EXCLUSIVE"),
    Read("merge_stmt", "data.other", "MERGE"),
    Read("copy_stmt", "data.other", "COPY"),
    Read("truncate_stmt", "drops.truncate", lock="ACCESS EXCLUSIVE"),
    Read("select_stmt", "data.select", is_additive=True),
    Read("call_stmt", "data.call"),
    Read("refresh_mat_view_stmt", "data.call", "REFRESH", leaves=()),
    Read("lock_stmt", "data.nothing", "LOCK"),
    Read("variable_show_stmt", "data.nothing", "SHOW"),
    Read("explain_stmt", "data.explain"),
    Opaque(_SAME_SCHEMA, ("vacuum_stmt", "cluster_stmt"), leaves=(), names_tables=True),
    Opaque(_SAME_SCHEMA, ("reindex_stmt",), leaves=()),
)
"""What belongs to no kind of object: rows, queries, maintenance."""
