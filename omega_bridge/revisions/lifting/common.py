"""What the lifting of one statement collects: operations, their way back, and the world it happens in."""

from __future__ import annotations

from dataclasses import dataclass, field

from alembic.operations.ops import MigrateOperation

from omega_bridge.analysis.program import VISIBLE, Effect, Sql
from omega_bridge.catalog import Key
from omega_bridge.planning import World


class NotLifted(Exception):
    """This text is carried verbatim; the message says why, to a reader of the revision."""


@dataclass(slots=True)
class Lifting:
    """Under construction. ``tolerant``: an exception handler around it lets every error pass. ``attempts``: what a statement needs may
    be missing where it runs.
    """

    world: World
    operations: list[MigrateOperation] = field(default_factory=list)
    reverse: list[MigrateOperation] = field(default_factory=list)
    irreversible: str = ""
    tolerant: bool = False
    attempts: bool = False

    def way_back(self) -> tuple[MigrateOperation, ...] | None:
        """What undoes the operations, last first; ``None`` where nothing does."""
        return None if self.irreversible else tuple(self.reverse)

    def add(self, operation: MigrateOperation, *back: MigrateOperation) -> None:
        """One more operation, and what undoes it."""
        self.operations.append(operation)
        self.reverse[:0] = back

    def no_way_back(self, why: str) -> None:
        """Say that the statement cannot be undone."""
        self.irreversible = self.irreversible or why

    def is_there(self, key: Key) -> bool:
        """Whether the schema before this statement has the object already."""
        return self.world.find(key) is not None

    def attribute(self, key: Key, name: str) -> object:
        """An object's attribute before this statement; ``...`` where it is not known."""
        found = self.world.find(key)
        return (self.world.get(found) or {}).get(name, ...) if found else ...

    def apply(self, s: Sql) -> None:
        """Go on in the world after the statement: one that finds what it makes, such as ``CREATE TABLE IF NOT EXISTS``, has done nothing."""
        if s.effects and not (s.opaque or s.data) and all(self.world.holds(effect) is True for effect in s.effects):
            return
        for effect in (*s.effects, *s.implied):
            self.world.apply(effect)


def schema_of(key: Key) -> str | None:
    """The schema that a statement gives, or ``None``."""
    return key.schema if key.schema != VISIBLE else None


def made_by(s: Sql) -> Effect:
    """The first effect: the statement's object."""
    return s.effects[0]
