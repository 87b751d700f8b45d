"""When did what last change, while a list is worked through? A moment is a number that grows with each step that changes something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TypeAlias

from omega_bridge.catalog import Difference, Key, Kind
from omega_bridge.values import dataclass

Changes: TypeAlias = Mapping[Key, frozenset[str]]
"""Objects, each with the names in it."""


@dataclass(slots=True)
class Clock:
    """When names last changed: rows or schema."""

    now: int = 0
    schema: int = 0
    """When the schema last changed."""
    added: dict[str, int] = field(default_factory=dict)
    """Names that a step made something of, or changed."""
    changed: dict[str, int] = field(default_factory=dict)
    """Names of what a step changed or took away, and did not only add."""
    schemas: int = 0
    """When a schema last came or went: it may be one of the ``search_path``."""
    defaults: int = 0
    """When privileges by default last changed."""
    rows: dict[str, int] = field(default_factory=dict)
    """Names in the text of a step that changed rows."""
    any_rows: int = 0
    """When a step last changed rows of which its text does not tell the table."""

    def tick(self, differences: tuple[Difference, ...], beyond: Changes | None = None) -> None:
        """A step changed something. ``beyond``: what else of the database it changed than the catalog shows."""
        self.now += 1
        if differences or beyond:
            self.schema = self.now
        for key, names in (beyond or {}).items():
            self.added.update(dict.fromkeys(names, self.now))
            self.changed.update(dict.fromkeys(names, self.now))
            if key.kind is Kind.DEFAULT_PRIVILEGES:
                self.defaults = self.now
        for d in differences:
            if d.key.kind is Kind.SCHEMA and not d.attribute:
                self.schemas = self.now
            for name in (d.key.table, d.key.name.partition("(")[0]):
                if name:
                    self.added[name] = self.now
                    if d.left is not None:
                        self.changed[name] = self.now

    def met(self, names: Iterable[str]) -> None:
        """At this moment these names may mean another thing than before."""
        for times in (self.added, self.changed):
            times.update(dict.fromkeys(names, self.now))

    def wrote(self, names: Iterable[str], *, is_told: bool) -> None:
        """At this moment a step changed rows. ``names``: those in its text; ``is_told``: the tables are among them."""
        self.rows.update(dict.fromkeys(names, self.now))
        if not is_told:
            self.any_rows = self.now

    def is_added(self, key: Key, since: int) -> bool:
        """Whether somebody made an object of this name since that moment."""
        return self.added.get(key.name.partition("(")[0], 0) > since
