"""What has changed in a database since the last start that left its record, and what of a drift was right then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from omega_bridge.catalog import Catalog, Difference, Key, diff
from omega_bridge.expectation import Departure, Expectation, compare
from omega_bridge.kinds import ROOMS
from omega_bridge.postgres import catalog_store
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.catalog_store import Seen
from omega_bridge.postgres.session import Session

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


@dataclass(frozen=True, slots=True)
class Since:
    """``at``: when that start was, in ISO format. ``changes``: of what carries one of the list's names; what was then is on the left."""

    at: str
    changes: tuple[Difference, ...]

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {"at": self.at, "changes": [_told(change) for change in self.changes]}


def _told(change: Difference) -> dict[str, Any]:
    told = {"object": str(change.key), "attribute": change.attribute or None, "change": changed(change)}
    return told | {"then": change.left, "now": change.right} if change.attribute else told


def changed(change: Difference) -> str:
    """What became of it, in a word."""
    if change.attribute:
        return "changed"
    return "gone" if change.right is None else "new"


def since_last_start(session: Session) -> tuple[Seen, Since] | None:
    """What the last start saw, and what is otherwise now; ``None`` where it is not on record."""
    seen = catalog_store.recall(session.connection)
    if seen is None:
        return None
    now = read_catalog(session.connection, seen.names)
    known = (c for c in diff(seen.catalog, now) if not c.attribute or c.attribute in seen.catalog.objects[c.key])
    return seen, Since(seen.at, tuple(known))


@dataclass(frozen=True, slots=True)
class RightThen:
    """Whether the last start saw as it should be what is otherwise today."""

    wrong: Collection[tuple[Key, str]]

    @classmethod
    def of(cls, seen: Seen, expected: Expectation, found: Catalog, role: str) -> RightThen:
        """``found``: the database as it is now."""
        then = replace(seen.catalog, search_path=found.search_path, server_version=found.server_version)
        return cls(frozenset(map(_of, compare(expected, then, role).departures)))

    def __call__(self, departure: Departure) -> bool:
        """``False`` where it was not, and where that is not known: a start looks at what its list names, of the common kinds."""
        return ROOMS[departure.key.kind].is_common and _of(departure) not in self.wrong


def _of(departure: Departure) -> tuple[Key, str]:
    return departure.key, departure.attribute
