"""The least list that still differs: entries, statements, what stands around them, the start and the damage are left out one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.oracle.lists.listed import Entry, Listed

TRIES = 160


def shrink(listed: Listed, differs: Callable[[Listed], bool], tries: int = TRIES) -> Listed:
    """The smallest list found for which ``differs`` holds."""
    again = True
    while again:
        again = False
        for candidate in _smaller(listed):
            tries -= 1
            if tries < 0:
                return listed
            if differs(candidate):
                listed, again = candidate, True
                break
    return listed


def _smaller(listed: Listed) -> Iterator[Listed]:
    """Smaller lists, those that are much smaller first."""
    if listed.damage:
        yield replace(listed, damage=())
    if listed.start:
        yield replace(listed, start=())
    entries = listed.entries
    size = len(entries) // 2
    while size >= 1:
        for at in range(0, len(entries), size):
            if len(entries) > size:
                yield listed.with_entries(entries[:at] + entries[at + size :])
        size //= 2
    yield from (replace(listed, start=rest) for rest in _without_one(listed.start))
    yield from (replace(listed, damage=rest) for rest in _without_one(listed.damage))
    for at, entry in enumerate(entries):
        for simpler in _simpler(entry):
            yield listed.with_entries((*entries[:at], simpler, *entries[at + 1 :]))


def _without_one(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for at in range(len(texts)):
        yield texts[:at] + texts[at + 1 :]


def _simpler(entry: Entry) -> Iterator[Entry]:
    if len(entry.parts) > 1:
        yield from (replace(entry, parts=rest) for rest in _without_one(entry.parts))
    elif not entry.head and "; " in entry.parts[0] and "$" not in entry.parts[0]:
        yield from (replace(entry, parts=rest) for rest in _without_one(tuple(entry.parts[0].split("; "))))
    if entry.head and not entry.parts[0].startswith("PERFORM"):
        yield replace(entry, head="", tail="")
