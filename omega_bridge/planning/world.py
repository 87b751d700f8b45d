"""A catalog with changes laid over it: what a step would find after the statements before it.

Answers have three values: yes, no, and ``None`` where only the server can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from omega_bridge.analysis.program import (
    ANY_SCHEMA,
    ANYTHING,
    RELATIONS,
    VISIBLE,
    All,
    AnyOf,
    Condition,
    Constant,
    Effect,
    Exists,
    Not,
    Pattern,
    Unknown,
)
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.planning.attributes import passes, same

_TABLE_LIKE = (Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW)
_TYPES = (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE)
_OF_ONE_KIND = frozenset({Kind.COLUMN, Kind.CONSTRAINT, Kind.TRIGGER, Kind.POLICY, Kind.INDEX, Kind.SEQUENCE})
"""A name of these means nothing else. Most look-ups are for them, so they are done without going round."""


class _Unset:
    """Nothing was said about the object in this world before."""


_UNSET = _Unset()


class World:
    """The catalog as it would be. The catalog below is never changed; every change can be taken back to a mark."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.changes: dict[Key, dict[str, Any] | None] = {}
        self._names: dict[tuple[Kind, str], set[Key]] = {}
        self._owned: dict[tuple[Kind, str, str], set[Key]] = {}
        self._members: dict[tuple[str, str], set[Key]] = {}
        self._journal: list[tuple[Key, dict[str, Any] | _Unset | None]] = []

    def mark(self) -> int:
        """A place to come back to."""
        return len(self._journal)

    def rollback(self, mark: int) -> None:
        """Take back every change since the mark."""
        while len(self._journal) > mark:
            key, before = self._journal.pop()
            if isinstance(before, _Unset):
                del self.changes[key]
            else:
                self.changes[key] = before

    def touched(self, mark: int) -> dict[Key, dict[str, Any] | None]:
        """The objects changed since the mark, as they were at the mark."""
        found: dict[Key, dict[str, Any] | None] = {}
        for key, before in self._journal[mark:]:
            if key not in found:
                found[key] = self._below(key) if isinstance(before, _Unset) else before
        return found

    # --- looking -----------------------------------------------------------------------------------------------

    def get(self, key: Key) -> Mapping[str, Any] | None:
        """The attributes of an object whose schema is given, or ``None`` where there is none."""
        if key in self.changes:
            return self.changes[key]
        found = self.catalog.objects.get(key)
        if found is not None and key.table and self._is_gone(Key(Kind.TABLE, key.schema, "", key.table)):
            return None
        return found

    def find(self, key: Key) -> Key | None:
        """The object that a name in a statement means: the kind taken loosely, the schema along the search_path."""
        kind, schema, table, name = key
        if kind in _OF_ONE_KIND:
            return self._find_one(key)
        if kind is Kind.SCHEMA or kind is Kind.EXTENSION:
            return key if self.get(key) is not None else None
        if kind is Kind.FUNCTION:
            return next((k for k in self._functions(key) if self.get(k) is not None), None)
        kinds = _TABLE_LIKE if kind is Kind.TABLE else _TYPES if kind in _TYPES else (kind,)
        for place in self.catalog.search_path if schema == VISIBLE else (schema,):
            for one in kinds:
                candidate = Key(one, place, table, name)
                if self.get(candidate) is not None:
                    return candidate
        return None

    def _find_one(self, key: Key) -> Key | None:
        if key.schema != VISIBLE:
            return key if self.get(key) is not None else None
        found = self._first(key)
        return found if found is not None and self.get(found) is not None else None

    def _first(self, key: Key) -> Key | None:
        """Along the search_path: where it is, or else where its table is."""
        kind, _, table, name = key
        for schema in self.catalog.search_path:
            candidate = Key(kind, schema, table, name)
            if self.get(candidate) is not None:
                return candidate
            if table and self._is_relation(schema, table):
                return candidate
        return None

    def _is_relation(self, schema: str, name: str) -> bool:
        return self.get(Key(Kind.TABLE, schema, "", name)) is not None or any(
            self.get(Key(kind, schema, "", name)) is not None for kind in _TABLE_LIKE[1:]
        )

    def place(self, key: Key) -> Key:
        """Where an object of that name is, or would be created."""
        kind, schema, table, name = key
        if table and schema == VISIBLE and kind in _OF_ONE_KIND and (found := self._first(key)) is not None:
            return found
        found = self.find(key)
        if found is not None:
            return found
        if schema == VISIBLE and kind is not Kind.SCHEMA and kind is not Kind.EXTENSION:
            owner = self.find(Key(Kind.TABLE, VISIBLE, "", table)) if table else None
            schema = owner.schema if owner else (self.catalog.search_path or ("public",))[0]
        return Key(kind, schema, table, name)

    def has(self, key: Key) -> bool | None:
        """Whether what a statement needs is there; ``None`` for a column of a table whose columns are not known."""
        if self.find(key) is not None:
            return True
        if key.kind is Kind.COLUMN:
            owner = self.find(Key(Kind.TABLE, key.schema, "", key.table))
            attributes = self.get(owner) if owner else None
            if owner and (owner.kind is not Kind.TABLE or (attributes or {}).get("columns known") is False):
                return None
        return False

    def holds(self, effect: Effect) -> bool | None:
        """Whether an effect is already true."""
        found = self.find(effect.key)
        if not effect.present:
            return found is None
        if found is None:
            return False
        attributes = self.get(found) or {}
        answers = [same(found, name, attributes, value) for name, value in effect.attributes]
        return _all(answers)

    def answer(self, condition: Condition) -> bool | None:
        """What a guard evaluates to."""
        match condition:
            case Constant(value):
                return value
            case Unknown():
                return None
            case Not(other):
                answer = self.answer(other)
                return None if answer is None else not answer
            case All(several):
                return _all([self.answer(c) for c in several])
            case AnyOf(several):
                answers = [self.answer(c) for c in several]
                return True if True in answers else None if None in answers else False
            case Exists(pattern):
                return self._exists(pattern)

    def _exists(self, pattern: Pattern) -> bool | None:
        answers: list[bool | None] = []
        for key in self._matching(pattern):
            attributes = self.get(key)
            if attributes is not None:
                answers.append(_all([passes(key, attributes, f) for f in pattern.filters]))
        return True if True in answers else None if None in answers else False

    def _matching(self, pattern: Pattern) -> Iterable[Key]:
        if pattern.schema == VISIBLE and (pattern.table or pattern.name):
            kinds = _TABLE_LIKE if pattern.table else pattern.kinds
            owner = next(
                (k for kind in kinds if (k := self.find(Key(kind, VISIBLE, "", pattern.table or pattern.name or "")))),
                None,
            )
            schema = owner.schema if owner else ""
        else:
            schema = pattern.schema
        for kind in pattern.kinds:
            keys = (
                self._named(kind, pattern.name, pattern.table)
                if pattern.name is not None
                else [k for k in (*self.catalog.objects, *self.changes) if k.kind is kind]
            )
            for key in keys:
                if schema not in (ANY_SCHEMA, key.schema) or pattern.table not in (None, key.table):
                    continue
                yield key

    def _named(self, kind: Kind, name: str, table: str | None = None) -> list[Key]:
        """Keys of that kind and bare name, on that table where one is given; some may be gone in this world."""
        if kind is Kind.FUNCTION and "(" not in name:
            from_catalog = self.catalog.named(kind, name)
            return [*from_catalog, *(k for k in self._names.get((kind, name), ()) if k in self.changes)]
        if table:
            return [*self.catalog.named_on(kind, table, name), *self._owned.get((kind, table, name), ())]
        return [*self.catalog.named(kind, name), *self._names.get((kind, name), ())]

    def _functions(self, key: Key) -> Iterable[Key]:
        """Functions of that name, some of which may be gone, along the search_path."""
        for schema in self.catalog.search_path if key.schema == VISIBLE else (key.schema,):
            for k in self._named(key.kind, key.name.partition("(")[0]):
                if k.schema == schema and _same_function(k, key):
                    yield k

    # --- changing ----------------------------------------------------------------------------------------------

    def apply(self, effect: Effect) -> None:
        """Make an effect true."""
        key = self.place(effect.key)
        if not effect.present:
            self._set(key, None)
            if key.kind is Kind.TABLE:
                for changed in list(self._members.get((key.schema, key.name), ())):
                    self._set(changed, None)
            return
        attributes = dict(self.get(key) or {})
        if key.kind is Kind.TABLE and self.changes.get(key, attributes) is None:
            attributes["made anew"] = True
        for name, value in effect.attributes:
            if name == "label":
                attributes["labels"] = [*attributes.get("labels", []), value]
            elif name == "no label":
                attributes["labels"] = [label for label in attributes.get("labels", []) if label != value]
            else:
                attributes[name] = value
        self._set(key, attributes)

    def differs_since(self, mark: int) -> bool:
        """Whether anything is other than at the mark, as far as we can compare."""
        return any(not _is_as_before(key, then, self.changes.get(key)) for key, then in self.touched(mark).items())

    def surely_differs_since(self, mark: int) -> bool:
        """Whether something is other than at the mark beyond doubt."""
        return any(_is_other(key, then, self.changes.get(key)) for key, then in self.touched(mark).items())

    def _below(self, key: Key) -> dict[str, Any] | None:
        before = self.catalog.get(key)
        return None if before is None else dict(before)

    def _set(self, key: Key, attributes: dict[str, Any] | None) -> None:
        before = self.changes.get(key, _UNSET)
        self._journal.append((key, before))
        self.changes[key] = attributes
        if before is not _UNSET:
            return
        name = key.name.partition("(")[0] if key.kind is Kind.FUNCTION else key.name
        self._names.setdefault((key.kind, name), set()).add(key)
        if key.table:
            self._members.setdefault((key.schema, key.table), set()).add(key)
            self._owned.setdefault((key.kind, key.table, name), set()).add(key)

    def _is_gone(self, table: Key) -> bool:
        """Whether a table of the catalog was dropped in this world (and perhaps made anew)."""
        return table in self.changes and (self.changes[table] is None or bool((self.changes[table] or {}).get("made anew")))


def _is_as_before(key: Key, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    if then is None or now is None:
        return then is None and now is None
    return all(same(key, name, then, value) is True for name, value in now.items() if then.get(name) != value)


def _is_other(key: Key, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    if then is None or now is None:
        return (then is None) != (now is None)
    return any(same(key, name, then, value) is False for name, value in now.items() if then.get(name) != value)


def relation_kinds() -> tuple[Kind, ...]:
    """The kinds that share one name space in a schema."""
    return RELATIONS


def _same_function(one: Key, other: Key) -> bool:
    """A bare name means any; with argument types, spellings of one type are one (``int``, ``integer``)."""
    if "(" not in other.name or one.name == other.name:
        return True
    return same(one, "arguments", {"arguments": one.name.partition("(")[2]}, other.name.partition("(")[2]) is True


def _all(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def is_anything(value: object) -> bool:
    """Whether an attribute's value is one that only the server knows."""
    return value is ANYTHING
