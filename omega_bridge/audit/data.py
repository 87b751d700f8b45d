"""Rows that the list's steps fill: whether both drivers lead to the same ones.

Who makes a value up (a clock, a die) is found by trying: where rows differ, one more database is booted, and a column that is
otherwise there than in the first is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.catalog import Key, Kind
from omega_bridge.postgres import rows
from omega_bridge.postgres.rows import Rows, Table

Twin = Callable[[], AbstractContextManager[ScratchDatabase]]
"""Another database that was brought on by boots as the first was."""


@dataclass(frozen=True, slots=True)
class OtherRows:
    """A table whose rows differ; no more than three of each side that the other lacks, as text."""

    key: Key
    boot: tuple[str, ...]
    alembic: tuple[str, ...]


def compared(left: ScratchDatabase, right: ScratchDatabase, twin: Twin) -> Iterator[OtherRows]:
    """The tables of both whose rows differ. ``twin`` is made only where some do."""
    with left.session() as one, right.session() as other:
        here, there = rows.digests(one), rows.digests(other)
        differing = [table for table in here.keys() & there.keys() if _is_other(here[table], there[table])]
        if not differing:
            return
        with twin() as database, database.session() as third:
            again = rows.digests(third)
        for table in sorted(differing):
            columns = _settled(here[table], there[table], again.get(table))
            if columns is not None:
                boot, alembic = rows.only_in(one, other, table, columns)
                if boot or alembic:
                    yield OtherRows(_key(table), tuple(boot), tuple(alembic))


def _is_other(one: Rows, other: Rows) -> bool:
    both = one.columns.keys() & other.columns.keys()
    return one.count != other.count or any(one.columns[c] != other.columns[c] for c in both)


def _settled(one: Rows, other: Rows, again: Rows | None) -> frozenset[str] | None:
    """The columns whose values the list itself decides; ``None`` where it does not even decide how many rows there are."""
    if again is None or again.count != one.count:
        return None
    return frozenset(c for c in one.columns.keys() & other.columns.keys() if again.columns.get(c) == one.columns[c])


def _key(table: Table) -> Key:
    schema, name = table
    return Key(Kind.TABLE, schema, "", name)
