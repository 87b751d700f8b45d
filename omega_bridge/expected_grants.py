"""Who may do what, as a step gives it on one server, held against what there is on another one."""

from __future__ import annotations

from dataclasses import dataclass

from omega_bridge.catalog import Attributes, Catalog, Key, Kind, texts
from omega_bridge.kinds.privileges import by_default, defaults_of, of_new, owners_loss, privileges, rights_of


def grants_of(key: Key, attributes: Attributes, role: str) -> tuple[str, ...] | None:
    """Who may do what, where ``role`` runs the list; ``None`` where nobody has said anything."""
    told = texts(attributes["grants"]) if attributes.get("grants") is not None else None
    return privileges(key.kind, told, _grantor(key, attributes, role))


def _grantor(key: Key, attributes: Attributes, role: str) -> str | None:
    """The owner, as grants name him; ``None`` for that of a schema that every database has."""
    owner = attributes.get("owner")
    return str(owner) if owner else None if key.kind is Kind.SCHEMA else role


@dataclass(frozen=True, slots=True)
class Grants:
    """Grants are compared where a step gives some. What nobody gives may come of a database's own defaults, and is no difference;
    but that the owner lacks what is his, or that a column has any, where there are no such defaults, is the work of a hand.
    """

    of_step: str
    of_here: str
    given: frozenset[tuple[str, str]]
    has_own_defaults: bool
    expected: Catalog
    found: Catalog

    @classmethod
    def of(cls, expected: Catalog, of_step: str, found: Catalog, of_here: str) -> Grants:
        """``of_step`` ran the list where it is ``expected``, ``of_here`` runs it here."""
        given = ((k.schema, k.table or k.name) for k, a in expected.objects.items() if a.get("grants") is not None)
        defaults = (k for k in found if k.kind is Kind.DEFAULT_PRIVILEGES and k not in expected)
        return cls(of_step, of_here, frozenset(given), any(defaults), expected, found)

    def differ(self, key: Key, one: Attributes, other: Attributes) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """What is expected and what is found, where a step gives grants, or the owner lacks some."""
        left, right = self._both(key, one, other)
        new = of_new(key.kind)
        if left is not None or (key.kind is Kind.COLUMN and (key.schema, key.table) in self.given):
            left, right = left if left is not None else new, right if right is not None else new
            return (left, right) if left != right and self._others(key, other, left, right) else None
        return (new, right) if right is not None and owners_loss(key.kind, right) and not self.has_own_defaults else None

    def _others(self, key: Key, other: Attributes, left: tuple[str, ...], right: tuple[str, ...]) -> bool:
        """Whether some role has otherwise than what is expected where only this database has its default privileges."""
        one, found = rights_of(left), rights_of(right)
        owner = str(other.get("owner") or self.of_here)  # as ``moved`` has named the expected ones, too
        there = self._by_default(key, self.expected, owner, self.of_step if owner == self.of_here else owner)
        here = self._by_default(key, self.found, owner, owner)
        none: frozenset[str] = frozenset()
        return any(
            one.get(role) != found.get(role)
            and (
                here.get(role) == there.get(role)
                or found.get(role, none) != (one.get(role, none) - there.get(role, none)) | here.get(role, none)
            )
            for role in {*one, *found}
        )

    def _by_default(self, key: Key, catalog: Catalog, owner: str, named: str) -> dict[str, frozenset[str]]:
        """``named``: the owner, as the grants in that catalog name him."""
        keys = defaults_of(key, owner)
        if keys is None:
            return {}
        everywhere, there = (texts(told) if (told := (catalog.get(k) or {}).get("grants")) is not None else None for k in keys)
        return by_default(key.kind, everywhere, there, named)

    def are_by_hand(self, key: Key, one: Attributes, other: Attributes) -> bool:
        """Whether there are grants that no step gives."""
        left, right = self._both(key, one, other)
        return right is not None and right != (left or of_new(key.kind))

    def _both(self, key: Key, one: Attributes, other: Attributes) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
        return grants_of(key, one, self.of_step), grants_of(key, other, self.of_here)
