"""A frozen picture of the live schema: keys, attributes, difference, digest.

Everything in the schema is an object with a ``Key`` and a flat mapping of attributes, as PostgreSQL itself spells
them (``format_type``, ``pg_get_constraintdef`` ...), so that comparing two catalogs is comparing two mappings.
The reader is ``omega_bridge.postgres.catalog_reader``; the table of attributes stands in ``queries/catalog.sql``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple


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

    __hash__ = str.__hash__  # Enum's own is written in Python, and keys are hashed by the ten thousand


class Key(NamedTuple):
    """The name of one object.

    ``schema`` is empty for schemas and extensions; ``table`` is set for columns, constraints, triggers and policies
    and empty otherwise. A function's name is followed by its argument types: ``touch(integer, text)``.
    """

    kind: Kind
    schema: str
    table: str
    name: str

    def __str__(self) -> str:
        parts = [p for p in (self.schema, self.table, self.name) if p]
        return f"{self.kind} {'.'.join(parts)}"


Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two catalogs do not share. ``attribute`` is empty when the whole object is on one side only."""

    key: Key
    attribute: str
    left: Any
    right: Any

    def __str__(self) -> str:
        if not self.attribute:
            return f"{self.key}: {'missing on the right' if self.right is None else 'missing on the left'}"
        return f"{self.key}: {self.attribute} is {self.left!r} on the left, {self.right!r} on the right"


@dataclass(frozen=True)
class Catalog:
    """Objects by key, the session's resolved ``search_path``, and the server's version number (``180003``)."""

    objects: Mapping[Key, Attributes]
    search_path: tuple[str, ...] = ("public",)
    server_version: int = 0
    _by_name: dict[tuple[Kind, str], list[Key]] = field(default_factory=dict, repr=False, compare=False)
    _by_owner: dict[tuple[Kind, str, str], list[Key]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "objects", MappingProxyType(dict(self.objects)))
        for key in self.objects:
            name = key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name
            self._by_name.setdefault((key.kind, name), []).append(key)
            if key.table:
                self._by_owner.setdefault((key.kind, key.table, name), []).append(key)

    def __contains__(self, key: object) -> bool:
        return key in self.objects

    def __iter__(self) -> Iterator[Key]:
        return iter(self.objects)

    def __len__(self) -> int:
        return len(self.objects)

    def get(self, key: Key) -> Attributes | None:
        """The attributes of the object, or ``None`` where there is none."""
        return self.objects.get(key)

    def named(self, kind: Kind, name: str) -> list[Key]:
        """Every object of that kind and name, in any schema and on any table."""
        return self._by_name.get((kind, name), [])

    def named_on(self, kind: Kind, table: str, name: str) -> list[Key]:
        """Every object of that kind and name that belongs to a table of that name, in any schema."""
        return self._by_owner.get((kind, table, name), [])

    def functions_named(self, name: str) -> list[Key]:
        """Every function of that bare name, whatever its arguments."""
        return self._by_name.get((Kind.FUNCTION, name), [])

    def patched(self, fresh: Catalog, names: Collection[str]) -> Catalog:
        """This catalog with what was read anew for ``names`` in the place of what it held for them."""
        kept = {k: v for k, v in self.objects.items() if not _concerns(k, v, names)}
        return Catalog({**kept, **fresh.objects}, fresh.search_path, fresh.server_version)

    def columns(self, schema: str, table: str) -> list[Key]:
        """The columns of one table in their order."""
        found = [k for k in self.objects if k.kind is Kind.COLUMN and k.schema == schema and k.table == table]
        return sorted(found, key=lambda k: self.objects[k].get("position", 0))

    def digest(self) -> str:
        """SHA-256 over everything but the order of columns: equal for catalogs that mean the same."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        rows = [
            [
                key.kind,
                key.schema,
                key.table,
                key.name,
                {a: v for a, v in self.objects[key].items() if a != "position"},
            ]
            for key in sorted(self.objects)
        ]
        return hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()


def _concerns(key: Key, attributes: Attributes, names: Collection[str]) -> bool:
    """Whether a reader that looks for ``names`` would have found the object."""
    if key.kind in (Kind.SCHEMA, Kind.EXTENSION):
        return True
    name = key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name
    if key.kind is Kind.COLUMN:
        return key.table in names
    owner = (
        str(attributes.get("owned_by") or "").partition(".")[0].strip('"')
        if key.kind is Kind.SEQUENCE
        else attributes.get("table", "")
    )
    return name in names or key.table in names or owner in names


def diff(left: Catalog, right: Catalog, *, ignore: frozenset[str] = frozenset({"position"})) -> tuple[Difference, ...]:
    """Everything that two catalogs do not share, in key order; attributes named in ``ignore`` are left out."""
    found: list[Difference] = []
    for key in sorted(left.objects.keys() | right.objects.keys()):
        one, other = left.get(key), right.get(key)
        if one is None or other is None:
            found.append(Difference(key, "", dict(one) if one is not None else None, dict(other) if other is not None else None))
            continue
        for attribute in sorted((one.keys() | other.keys()) - ignore):
            if one.get(attribute) != other.get(attribute):
                found.append(Difference(key, attribute, one.get(attribute), other.get(attribute)))
    return tuple(found)
