"""Where a history keeps the revision at which a database stands: Alembic's ``alembic_version``, or a table of its own."""

from __future__ import annotations

from omega_bridge.values import dataclass


@dataclass(frozen=True, slots=True)
class VersionTable:
    """``schema``: ``None`` for the one that the search path gives."""

    name: str = "alembic_version"
    schema: str | None = None

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"

    @property
    def parts(self) -> tuple[str, ...]:
        """Its name, led by its schema where one is given."""
        return (self.name,) if self.schema is None else (self.schema, self.name)

    @property
    def is_alembics(self) -> bool:
        """Whether it is what Alembic takes where nothing is said."""
        return self == VersionTable()


def named(name: str | None, schema: str | None) -> VersionTable | None:
    """What was said, in part or in full; ``None`` where nothing was."""
    return VersionTable(name or VersionTable().name, schema or None) if name or schema else None
