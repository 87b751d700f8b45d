"""The meaning of a list: the naive loop, run until nothing changes.

One connection a pass, each entry on its own in autocommit, errors forgotten. Unlike the loop that services run, an entry that
only changes rows and has succeeded is not sent again: ``n = n + 1`` would have no end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import psycopg

from tests.oracle.lists.listed import Entry, Rows
from tests.oracle.lists.place import Place

PASSES = 8
NAMED = re.compile(r"(?:(?! kind |: | owner | in ).)*", re.DOTALL)
"""What a line of a picture begins with: the object's name."""
PLACED = re.compile(r"(column .*?) \d+ ")
"""A column stands at another place when one before it is gone."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Where the loop ended, and after how many passes; ``settles`` is false where it did not end."""

    picture: frozenset[str]
    passes: int
    settles: bool


def loop(
    place: Place,
    label: str,
    entries: tuple[Entry, ...],
    *,
    without: frozenset[int] = frozenset(),
    never: frozenset[int] = frozenset(),
    held: Mapping[int, int] = MappingProxyType({}),
    repeats: bool = False,
) -> Settled:
    """Run the list on a database until a pass changes nothing. The entries ``without`` are sent until they have worked once, those
    of ``never`` not at all, those ``held`` not in their first so many passes. With ``repeats``, data is sent in every pass, as
    services do it.
    """
    done = set(never)
    before: frozenset[str] | None = None
    for number in range(1, PASSES + 1):
        late = {entry for entry, passes in held.items() if number <= passes} - done
        tried = done | late
        taken = one_pass(place, label, entries, tried)[1]
        done |= (without & taken) | (set() if repeats else tried - late)
        now = place.picture(label)
        if now == before:
            return Settled(now, number, True)
        before = now
    return Settled(before or frozenset(), PASSES, False)


def undone(place: Place, label: str, entries: tuple[Entry, ...]) -> frozenset[int]:
    """The entries that made an object which a later one has taken away by the end of the first pass."""
    made: dict[str, int] = {}
    before = names(place.picture(label))
    with place.connection(label) as conn:
        for number, entry in enumerate(entries):
            try:
                conn.execute(entry.text.encode())
            except psycopg.Error:
                if conn.closed:
                    break
                conn.rollback()
            after = names(place.picture(label))
            made.update(dict.fromkeys(after - before, number))
            before = after
    return frozenset(number for name, number in made.items() if name not in before)


def names(picture: frozenset[str]) -> frozenset[str]:
    """The objects of a picture without what is said about them."""
    return frozenset(
        found[0]
        for line in picture
        if not line.startswith("row of ") and (found := NAMED.match(PLACED.sub(r"\1 ", line, count=1)))
    )


def one_pass(place: Place, label: str, entries: tuple[Entry, ...], done: set[int]) -> tuple[list[str], frozenset[int]]:
    """Send the list once; what PostgreSQL said of the entries that it rejected, and which it took.

    ``done`` holds the entries of rows alone that have succeeded, and takes in those that do.
    """
    rejected, taken = [], set()
    with place.connection(label) as conn:
        for number, entry in enumerate(entries):
            if number in done:
                continue
            try:
                conn.execute(entry.text.encode())
            except psycopg.Error as error:
                rejected.append(error.diag.message_primary or str(error))
                if conn.closed:
                    break
                conn.rollback()
            else:
                taken.add(number)
                if entry.rows is Rows.ONLY:
                    done.add(number)
    return rejected, frozenset(taken)
