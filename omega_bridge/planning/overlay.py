"""Changes laid over a catalog, which stays as it is; each can be taken back to a mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from omega_bridge.catalog import Catalog, Key, Kind


class _Unset:
    """Nothing was said about the object in this world before."""


_UNSET = _Unset()


class Overlay:
    """The objects of a catalog as they would be."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.changes: dict[Key, dict[str, Any] | None] = {}
        self._names: dict[tuple[Kind, str], set[Key]] = {}
        self._owned: dict[tuple[Kind, str, str], set[Key]] = {}
        self._members: dict[tuple[str, str], set[Key]] = {}
        self._partly: set[Key] = set()
        self._journal: list[tuple[Key, dict[str, Any] | _Unset | None]] = []

    def copy(self) -> Self:
        """Another one, in which all is as it is here now."""
        other = type(self)(self.catalog)
        other.changes = dict(self.changes)
        other._names = {name: set(keys) for name, keys in self._names.items()}
        other._owned = {name: set(keys) for name, keys in self._owned.items()}
        other._members = {name: set(keys) for name, keys in self._members.items()}
        other._partly = set(self._partly)
        return other

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

    def touched(self, mark: int) -> dict[Key, dict[str, object] | None]:
        """The objects changed since the mark, as they were at the mark."""
        found: dict[Key, dict[str, Any] | None] = {}
        for key, before in self._journal[mark:]:
            if key not in found:
                found[key] = self._below(key) if isinstance(before, _Unset) else before
        return found

    def get(self, key: Key) -> Mapping[str, object] | None:
        """The attributes of an object whose schema is given, or ``None`` where there is none."""
        if key in self.changes:
            return self.changes[key]
        found = self.catalog.objects.get(key)
        if found is not None and key.table and self._is_gone(Key(Kind.TABLE, key.schema, "", key.table)):
            return None
        return found

    def _named(self, kind: Kind, name: str, table: str | None = None) -> list[Key]:
        """Keys of that kind and bare name, on that table where one is given; some may be gone in this world."""
        if kind is Kind.FUNCTION and "(" not in name:
            from_catalog = self.catalog.named(kind, name)
            return [*from_catalog, *(k for k in self._names.get((kind, name), ()) if k in self.changes)]
        if table:
            return [*self.catalog.named_on(kind, table, name), *self._owned.get((kind, table, name), ())]
        return [*self.catalog.named(kind, name), *self._names.get((kind, name), ())]

    def _below(self, key: Key) -> dict[str, Any] | None:
        before = self.catalog.get(key)
        return None if before is None else dict(before)

    def _set(self, key: Key, attributes: dict[str, Any] | None) -> None:
        before = self.changes.get(key, _UNSET)
        if attributes is not None and attributes.get("columns known") is False:
            self._partly.add(key)
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
