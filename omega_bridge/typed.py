"""Types that signatures name, and the shapes of what is kept as JSON; its lists are tuples here where their length is known.

Type checkers alone read this module: nothing imports it when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import psycopg
    from alembic.runtime.migration import MigrationContext, MigrationStep
    from psycopg.rows import TupleRow

    Connection: TypeAlias = psycopg.Connection[TupleRow]
    """psycopg's own, under a session or under SQLAlchemy's connection."""

    Migrations: TypeAlias = Callable[[tuple[str, ...], MigrationContext], Iterable[MigrationStep]]
    """What a command of Alembic's runs, by the revisions at which the database stands."""

JsonObject: TypeAlias = dict[str, object]
"""What is written as an object of JSON: of JSON's types alone, by names."""

Value: TypeAlias = object
"""An attribute's value, as the catalog has it."""


class StepFlags(TypedDict, total=False):
    """The flags of a step that a configuration may set."""

    repeat: str
    destructive: bool
    optional: bool


class KeptStep(TypedDict):
    """A step of the list that a start ran, as its state keeps it."""

    id: str
    checksum: str
    additive: bool
    elsewhere: NotRequired[list[tuple[str, int, str]]]
    settled: NotRequired[bool]
    """It was seen to have nothing to do in the schema as it was recorded."""


class KeptError(TypedDict):
    """What the server said."""

    sqlstate: str | None
    message: str


class KeptStanding(TypedDict):
    """A step that stands failed, refused or without effect. Of a failed one all that is needed to try it again is kept, too."""

    id: str
    outcome: str
    reason: str
    kind: NotRequired[str]
    checksum: NotRequired[str]
    place: NotRequired[tuple[str | None, int | None]]
    title: NotRequired[str | None]
    optional: NotRequired[bool]
    error: NotRequired[KeptError | None]
    in_place: NotRequired[bool]
    sql: NotRequired[str | None]


class KeptData(TypedDict):
    """A data step that a start with nothing else to do runs."""

    id: str
    checksum: str
    place: tuple[str | None, int | None]
    statements: list[str]
    lookahead: str | None
    context: Sequence[str] | None


class KeptTable(TypedDict):
    """What a start found of a critical table."""

    table: str
    state: str
    lacks: list[str]
