"""The shape of a room: what the bridge has to know of one kind of object. Plain values; nothing here asks a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from omega_bridge.catalog import Kind
from omega_bridge.kinds.counted import Counted
from omega_bridge.kinds.statements import Statements
from omega_bridge.values import dataclass


class Stored(NamedTuple):
    """Where PostgreSQL keeps objects of a kind (its manual, chapter "System Catalogs").

    ``catalog``: without its schema. ``name``: the column with the object's name, or an expression that tells it apart.
    ``namespace``, ``table``: the columns with the oid of its schema, or of the relation that it belongs to. ``owner``, ``acl``:
    the columns with its owner and its privileges. The row itself is ``x``, its schema ``s``, the relation that it belongs to ``t``.
    ``parts``: a catalog whose rows are parts of it, and the column there with its oid.
    """

    catalog: str
    name: str
    namespace: str = ""
    table: str = ""
    owner: str = ""
    acl: str = ""
    parts: tuple[str, str] | None = None

    @property
    def column(self) -> str:
        """The column with the object's name."""
        return self.name.removeprefix("x.")


class Since(NamedTuple):
    """An attribute that PostgreSQL has from a version on, such as ``150000``; before, it is ``otherwise``."""

    version: int
    sql: str
    otherwise: str = "NULL"


class Compared(StrEnum):
    """How an attribute that PostgreSQL prints is held against what a statement says."""

    TYPE = "type"
    CONSTRAINT = "constraint"
    INDEX = "index"
    ROUTINE = "routine"


class Asked(NamedTuple):
    """How a revision asks for an object, in SQL, and takes it away. Names follow the session's ``search_path``.

    ``there`` holds where the object exists; ``gone`` is the ``DROP``; ``comment`` gives its comment, and ``renamed`` gives it the
    name ``{new}``, where an operation says so. Words: ``{name}``, ``{object}`` (with its schema) and ``{owner}`` (the relation that
    it belongs to) as statements write them, ``{literal}`` and ``{text}`` the first two as string constants, ``{of}`` the oid of the
    third; ``{routine}`` and ``{routine_text}`` an object whose name carries the types of its arguments.
    """

    there: str
    gone: str
    comment: str = ""
    renamed: str = ""


class Guards(NamedTuple):
    """Where guards look for an object, and what each column there means (the manual's chapters "System Catalogs", "System Views"
    and "The Information Schema"). What is not listed is not read: the guard is left to the server.

    ``columns``: of its own catalog, beside those that ``Stored`` tells; ``None`` where guards on that are not read.
    ``part_columns``: of the catalog with its parts. ``views``: by the name of a view. ``letters``: what ``relkind`` is of it.
    """

    columns: Mapping[str, str] | None = None
    letters: str = ""
    part_columns: Mapping[str, str] = MappingProxyType({})
    views: Mapping[str, Mapping[str, str]] = MappingProxyType({})


OF_TYPE = "of its type"
"""What the columns mean that are read by ``format_type(atttypid, atttypmod)`` alone."""
NO_GUARDS = Guards()


@dataclass(frozen=True, slots=True)
class Room:
    """One kind of object.

    ``attributes``: the name and the SQL of each, beside owner, privileges and comment. ``rows``: from where the rows are taken,
    where that is not simply the catalog; ``joins``: what the attributes read beside them; ``only``: which rows are meant.
    ``named``: how statements name an object, such as ``COLUMN {table}.{name}``; ``again``: the statement that makes it from
    its attributes, ``alter``: the one that sets a single attribute (``{value}``). ``is_common``: the reader takes it along
    wherever it looks for names; others are read with the whole schema alone.
    """

    kind: Kind
    stored: Stored
    attributes: Mapping[str, str | Since] = field(default_factory=dict)
    rows: str = ""
    joins: str = ""
    only: str = ""
    comment: str | None = None
    """SQL of its comment, where it is not simply the one of the row; empty where there is none."""
    place: tuple[str, str] | None = None
    """SQL of its schema and of the relation that it belongs to, where ``stored`` does not tell it."""
    named: str = ""
    again: str = ""
    alter: Mapping[str, str] = field(default_factory=dict)
    is_common: bool = False
    is_of_server: bool = False
    """Whether it lies in the server, and not in one database: read where it is expected, by its name, and a part of no proof."""
    compared: Mapping[str, Compared] = field(default_factory=dict)
    """Of attributes whose text may differ and mean the same; others are compared as they are, or left to the server."""
    guards: Guards = NO_GUARDS
    asked: Asked | None = None
    """``None`` for what no operation of a revision makes: its steps are carried verbatim."""
    statements: Statements = field(kw_only=True)
    counted: tuple[Counted, ...] = field(kw_only=True)
    """The catalogs that count as a whole, where what a list does in them is known by no name; none where every row is found in
    ``pg_class``, ``pg_attribute``, ``pg_constraint``, ``pg_type`` or ``pg_proc``."""

    def __post_init__(self) -> None:
        for verb, part in (("create", "there"), ("drop", "gone"), ("comment", "comment"), ("rename", "renamed")):
            if self.statements.read(verb) and not (self.asked and getattr(self.asked, part)):
                raise TypeError(f"its {verb.upper()} is read, and a revision has to know it: Asked lacks '{part}'")
