"""Rows that the list's steps fill, and where sequences stand that steps set: whether both drivers lead to the same ones.

Who makes a value up (a clock, a die) is found by trying: where rows differ, one more database is booted, and a column that is
otherwise there than in the first is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.catalog import Key, Kind
from omega_bridge.postgres import rows
from omega_bridge.postgres.rows import Rows, Standing, Table
from omega_bridge.postgres.session import Session

Twin = Callable[[], AbstractContextManager[ScratchDatabase]]
"""Another database that was brought on by boots as the first was."""

_Side = tuple[Session, Rows]


@dataclass(frozen=True, slots=True)
class OtherRows:
    """A table whose rows differ; no more than three of each side that the other lacks, as text. Or a sequence, and where it stands."""

    key: Key
    boot: tuple[str, ...]
    alembic: tuple[str, ...]


def compared(left: ScratchDatabase, right: ScratchDatabase, twin: Twin, texts: Iterable[str] = ()) -> Iterator[OtherRows]:
    """The tables and materialized views of both whose rows differ. ``twin`` is made only where some do.

    ``texts``: those of all steps; a sequence that one of them sets to a number is compared as well.
    """
    with left.session() as one, right.session() as other:
        at, other_at = rows.sequences(one), rows.sequences(other)
        counted = at == other_at  # as many values were drawn: an id that is another one was written so
        here, there = rows.digests(one, counted=counted), rows.digests(other, counted=counted)
        differing = [table for table in here.keys() & there.keys() if _is_other(here[table], there[table])]
        standing = _moved(at, other_at, texts)
        if not differing and not standing:
            return
        with twin() as database, database.session() as third:
            again, still = rows.digests(third, counted=counted), rows.sequences(third)
            for table in sorted(differing):
                yield from _differing(table, (one, here[table]), (other, there[table]), (third, again.get(table)))
        for sequence, (left_at, right_at) in sorted(standing.items()):
            if still.get(sequence) == left_at:
                yield OtherRows(Key(Kind.SEQUENCE, sequence[0], "", sequence[1]), (str(left_at),), (str(right_at),))


_SETS = re.compile(r"\bsetval\s*\([^;]*,\s*\d+\s*[,)]|\bRESTART\b", re.IGNORECASE)
"""A step that says at what number a sequence goes on. Elsewhere a value more or less that was given to nobody is no difference."""


def _moved(
    here: Mapping[Table, Standing], there: Mapping[Table, Standing], texts: Iterable[str]
) -> dict[Table, tuple[Standing, Standing]]:
    """The sequences that stand elsewhere, if a text that sets one names them, or the table that they are of."""
    found = {name: (at, there[name]) for name, at in here.items() if name in there and at != there[name]}
    words = {word for text in texts if _SETS.search(text) for word in re.findall(r"\w+", text)} if found else set()
    return {name: both for name, both in found.items() if not words.isdisjoint({name[1], both[0].of})}


def _differing(table: Table, one: _Side, other: _Side, third: tuple[Session, Rows | None]) -> Iterator[OtherRows]:
    """What differs of a table, but for what the list itself does not decide: a third database has that otherwise than the first."""
    (first, here), (second, there), (twin, again) = one, other, third
    if again is None or again.count != here.count:
        return
    key = Key(Kind.MATERIALIZED_VIEW if here.is_view else Kind.TABLE, table[0], "", table[1])
    if here.count is None or there.count is None:
        yield OtherRows(key, (_told(here),), (_told(there),))
        return
    columns = _settled(here, there, again)
    boot, alembic = rows.only_in(first, second, table, columns)
    is_by_chance = any(rows.only_in(first, twin, table, columns)) and all(here.columns[c] == there.columns[c] for c in columns)
    if (boot or alembic) and not (is_by_chance and here.count == there.count):
        yield OtherRows(key, tuple(boot), tuple(alembic))


def _told(found: Rows) -> str:
    return "not filled" if found.count is None else f"{found.count} rows"


def _is_other(one: Rows, other: Rows) -> bool:
    both = one.columns.keys() & other.columns.keys()
    whole = one.whole != other.whole and one.columns.keys() == other.columns.keys()
    return one.count != other.count or whole or any(one.columns[c] != other.columns[c] for c in both)


def _settled(one: Rows, other: Rows, again: Rows) -> frozenset[str]:
    """The columns whose values the list itself decides."""
    return frozenset(c for c in one.columns.keys() & other.columns.keys() if again.columns.get(c) == one.columns[c])
