"""How large tables are: read from a database, kept in a file, and laid in the balance with what the rules say."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


SMALL_ROWS, SMALL_BYTES = 10_000, 8 * 1024 * 1024
"""Up to this a table is read or written anew in a moment."""

GROWS = frozenset(
    {
        "blocking-index",
        "constraint-not-validated-in-two",
        "data-with-schema",
        "not-null-reads-table",
        "type-change-rewrites",
        "unique-builds-index",
        "volatile-default",
    }
)
"""Rules about work that takes the longer the larger the table is."""


@dataclass(frozen=True, slots=True)
class Size:
    """One table. ``rows``: as estimated, ``None`` where nothing is known; ``bytes`` with its indexes."""

    schema: str
    table: str
    rows: int | None
    bytes: int

    @property
    def is_small(self) -> bool:
        """Whether work on all its rows is done in a moment."""
        return self.bytes <= SMALL_BYTES and (self.rows is None or self.rows <= SMALL_ROWS)

    def __str__(self) -> str:
        rows = "rows not counted" if self.rows is None else f"about {self.rows:,} rows"
        return f"{self.table}: {rows}, {_told(self.bytes)}"

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return asdict(self)


def _told(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def as_text(sizes: Iterable[Size]) -> str:
    """The file of a database's sizes."""
    return json.dumps({"tables": [size.as_dict() for size in sizes]}, indent=1) + "\n"


def from_text(text: str) -> tuple[Size, ...]:
    """The sizes that ``as_text`` wrote. Raises ``ValueError`` for another text."""
    try:
        return tuple(
            Size(str(t["schema"]), str(t["table"]), None if t["rows"] is None else int(t["rows"]), int(t["bytes"]))
            for t in json.loads(text)["tables"]
        )
    except (KeyError, TypeError) as exc:
        raise ValueError(f"no file of sizes: {exc}") from exc


def by_table(sizes: Iterable[Size]) -> dict[str, Size]:
    """By the table's name; of tables of one name in several schemas, the largest."""
    found: dict[str, Size] = {}
    for size in sizes:
        if size.table not in found or size.bytes > found[size.table].bytes:
            found[size.table] = size
    return found
