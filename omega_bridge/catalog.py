"""A frozen picture of the live schema: keys, attributes, difference, digest.

Everything in the schema is an object with a ``Key`` and a flat mapping of attributes, as PostgreSQL itself spells
them (``format_type``, ``pg_get_constraintdef`` ...), so that comparing two catalogs is comparing two mappings.
The reader is ``omega_bridge.postgres.catalog_reader``; the attributes stand in ``omega_bridge.kinds``, a room a kind.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, cast

from omega_bridge.values import dataclass


class Kind(StrEnum):
    """What kinds of object a catalog holds."""

    SCHEMA = "schema"
    EXTENSION = "extension"
    TABLE = "table"
    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    SEQUENCE = "sequence"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized view"
    ENUM = "enum"
    DOMAIN = "domain"
    COMPOSITE = "composite type"
    FUNCTION = "function"
    TRIGGER = "trigger"
    POLICY = "policy"
    RULE = "rule"
    STATISTICS = "statistics"
    PUBLICATION = "publication"
    SUBSCRIPTION = "subscription"
    DEFAULT_PRIVILEGES = "default privileges"
    EVENT_TRIGGER = "event trigger"
    CAST = "cast"
    COLLATION = "collation"
    CONVERSION = "conversion"
    RANGE = "range type"
    BASE_TYPE = "base type"
    LANGUAGE = "language"
    OPERATOR = "operator"
    OPERATOR_CLASS = "operator class"
    OPERATOR_FAMILY = "operator family"
    ACCESS_METHOD = "access method"
    TRANSFORM = "transform"
    FOREIGN_DATA_WRAPPER = "foreign data wrapper"
    FOREIGN_SERVER = "foreign server"
    USER_MAPPING = "user mapping"
    TEXT_SEARCH_CONFIGURATION = "text search configuration"
    TEXT_SEARCH_DICTIONARY = "text search dictionary"
    TEXT_SEARCH_PARSER = "text search parser"
    TEXT_SEARCH_TEMPLATE = "text search template"
    SECURITY_LABEL = "security label"
    SETTING = "setting"
    ROLE = "role"
    DATABASE = "database"

    __hash__ = str.__hash__  # Enum's own is written in Python, and keys are hashed by the ten thousand


class Key(NamedTuple):
    """The name of one object.

    ``schema`` is empty for what lies in none; ``table`` is set for columns, constraints, triggers, policies and rules
    and empty otherwise. A function's name is followed by its argument types: ``touch(integer, text)``.
    """

    kind: Kind
    schema: str
    table: str
    name: str

    def __str__(self) -> str:
        parts = [p for p in (self.schema, self.table, self.name) if p]
        return f"{self.kind} {'.'.join(parts)}"


Attributes: TypeAlias = Mapping[str, object]
"""By name: ``None``, truths, numbers, texts, and lists and mappings of them."""


def _position(attributes: Attributes) -> int:
    found = attributes.get("position")
    return found if isinstance(found, int) else 0


def texts(value: object) -> tuple[str, ...]:
    """What a list among the attributes holds; nothing where there is none."""
    return tuple([str(one) for one in value]) if isinstance(value, list | tuple) else ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two catalogs do not share. ``attribute`` is empty when the whole object is on one side only."""

    key: Key
    attribute: str
    left: object
    right: object

    def __str__(self) -> str:
        if not self.attribute:
            return f"{self.key}: {'missing on the right' if self.right is None else 'missing on the left'}"
        return f"{self.key}: {self.attribute} is {self.left!r} on the left, {self.right!r} on the right"


@dataclass(frozen=True)
class Catalog:
    """Objects by key, the session's resolved ``search_path``, and the server's version number (``180003``).

    ``hidden``: what the server has by a name that was looked for, and we leave out: its catalog, and the name there.
    ``sees_all``: whether the information schema shows the role all that is here.
    """

    objects: Mapping[Key, Attributes]
    search_path: tuple[str, ...] = ("public",)
    server_version: int = 0
    hidden: frozenset[tuple[str, str]] = frozenset()
    sees_all: bool = True
    _held: dict[Key, Attributes] = field(init=False, repr=False, compare=False)
    """What ``objects`` shows; never changed either."""

    def __post_init__(self) -> None:
        held = dict(self.objects)
        object.__setattr__(self, "_held", held)
        object.__setattr__(self, "objects", MappingProxyType(held))

    def __contains__(self, key: object) -> bool:
        return key in self.objects

    def __iter__(self) -> Iterator[Key]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    def get(self, key: Key) -> Attributes | None:
        """The attributes of the object, or ``None`` where there is none."""
        return self.objects.get(key)

    def named(self, kind: Kind, name: str) -> Sequence[Key]:
        """Every object of that kind and name, in any schema and on any table; functions whatever their arguments."""
        return self._index.get((kind, name), ())

    def named_on(self, kind: Kind, table: str, name: str) -> Sequence[Key]:
        """Every object of that kind and name that belongs to a table of that name, in any schema."""
        return self._index.get((kind, table, name), ())

    @cached_property
    def relations(self) -> frozenset[str]:
        """The names of all tables and views, in any schema."""
        return frozenset(k.name for k in self.objects if k.kind in (Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW))

    def concerned(self, names: Iterable[str]) -> frozenset[Key]:
        """What a reader that looks for ``names`` would find of what is here."""
        return frozenset(key for name in (_ALWAYS, *names) for key in self._index.get(name, ()))

    def patched(self, fresh: Catalog, names: Collection[str]) -> Catalog:
        """This catalog with what was read anew for ``names`` in the place of what it held for them."""
        objects = dict(self._held)
        gone = {key: objects.pop(key) for key in self.concerned(names) | (fresh.objects.keys() & objects.keys())}
        objects.update(fresh._held)
        hidden = fresh.hidden.union(h for h in self.hidden if h[1] not in names)
        patched = Catalog(objects, fresh.search_path, fresh.server_version, hidden, self.sees_all and fresh.sees_all)
        object.__setattr__(patched, "_index", _moved(self._index, gone, fresh.objects))
        return patched

    def columns(self, schema: str, table: str) -> list[Key]:
        """The columns of one table in their order."""
        found = [k for k in self._index.get(table, ()) if k.kind is Kind.COLUMN and k.schema == schema and k.table == table]
        return sorted(found, key=lambda k: _position(self.objects[k]))

    @cached_property
    def _index(self) -> _Index:
        index: defaultdict[str | tuple[str, ...], list[Key]] = defaultdict(list)
        for key, attributes in self._held.items():
            for entry in _entries(key, attributes):
                index[entry].append(key)
        return dict(index)

    def digest(self) -> str:
        """SHA-256 over everything but the order of columns: equal for catalogs that mean the same."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self._text).hexdigest()

    def text(self) -> bytes:
        """All that the digest is over: JSON, one row an object."""
        return self._text

    @cached_property
    def _text(self) -> bytes:
        return _end_of(self._written())

    def _written(self) -> Generator[None, None, bytes]:
        keys, parts = sorted(self.objects), []
        for start in range(0, len(keys), _PART):
            rows = [[*key, _meant(self.objects[key])] for key in keys[start : start + _PART]]
            parts.append(json.dumps(rows, sort_keys=True, default=str)[1:-1])
            yield
        return f"[{', '.join(parts)}]".encode()

    def summed_up(self) -> Iterator[None]:
        """Work out ``text`` and ``digest``, a part at a time."""
        if "_text" not in self.__dict__:
            self.__dict__["_text"] = yield from self._written()
        yield
        _ = self._digest


_PART = 200
"""Objects whose text is worked out at a time: it takes half a millisecond."""


def _end_of(work: Generator[None, None, bytes]) -> bytes:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast("bytes", end.value)


_Index: TypeAlias = "dict[str | tuple[str, ...], list[Key]]"
"""Keys by ``(kind, name)``, by ``(kind, table, name)``, and by each name that lets a reader find them. Shared between
catalogs: a list is replaced, and never changed."""

_ALWAYS = ""
"""Under this are what every reader finds: schemas and extensions."""


BY_TABLE = frozenset({Kind.COLUMN, Kind.POLICY, Kind.RULE, Kind.TRIGGER})
"""Kinds that a reader finds by the name of their table alone. Something else may bear theirs, as a trigger's function often does."""


def _entries(key: Key, attributes: Attributes) -> tuple[str | tuple[str, ...], ...]:
    """Under what a key stands in the index."""
    kind, _, table, name = key
    if kind in BY_TABLE:  # most of what there is
        return (kind, name), (kind, table, name), table
    if kind is Kind.FUNCTION:
        name = name.partition("(")[0]
    own: tuple[str | tuple[str, ...], ...] = ((kind, name), (kind, table, name)) if table else ((kind, name),)
    if kind is Kind.SCHEMA or kind is Kind.EXTENSION:
        return (*own, _ALWAYS)
    owner = table or str(attributes.get("table") or "")
    if kind is Kind.SEQUENCE:
        owner = str(attributes.get("owned_by") or "").partition(".")[0].strip('"')
    return (*own, name, owner) if owner and owner != name else (*own, name)


def _moved(index: _Index, gone: Mapping[Key, Attributes], come: Mapping[Key, Attributes]) -> _Index:
    """The index without the keys that have gone, and with those that have come."""
    moved = dict(index)
    before = {key: tuple(_entries(key, attributes)) for key, attributes in gone.items()}
    after = {key: tuple(_entries(key, attributes)) for key, attributes in come.items()}
    for key, entries in before.items():
        if after.get(key) != entries:
            for entry in entries:
                moved[entry] = [k for k in moved[entry] if k != key]
    for key, entries in after.items():
        if before.get(key) != entries:
            for entry in entries:
                moved[entry] = [*moved.get(entry, ()), key]
    return moved


def _meant(attributes: Attributes) -> dict[str, Any]:
    """What counts of them in a digest."""
    meant = dict(attributes)
    meant.pop("position", None)
    return meant


def diff(
    left: Catalog,
    right: Catalog,
    *,
    ignore: frozenset[str] = frozenset({"position"}),
    among: Collection[str] | None = None,
) -> tuple[Difference, ...]:
    """Everything that two catalogs do not share, in key order; attributes named in ``ignore`` are left out.

    ``among``: only what a reader that looks for these names would find.
    """
    if left is right:
        return ()
    keys = left.objects.keys() | right.objects.keys() if among is None else left.concerned(among) | right.concerned(among)
    found: list[Difference] = []
    for key in sorted(keys):
        one, other = left.get(key), right.get(key)
        if one is other:
            continue
        if one is None or other is None:
            found.append(Difference(key, "", dict(one) if one is not None else None, dict(other) if other is not None else None))
            continue
        for attribute in sorted((one.keys() | other.keys()) - ignore):
            if one.get(attribute) != other.get(attribute):
                found.append(Difference(key, attribute, one.get(attribute), other.get(attribute)))
    return tuple(found)
