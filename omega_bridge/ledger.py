"""The ledger: append-only entries, each sealed with the hash of the one before. Pure; the store talks to PostgreSQL.

A hash covers every field of its entry and the hash before it, so an entry that was changed, removed or put in between
breaks the chain at its place. The format's tag (``l1``) is part of the hash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


from omega_bridge.values import dataclass

FORMAT = "l1"
GENESIS = "genesis"
compact = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""A value as JSON, always the same for the same value."""


def new_run() -> str:
    """A random UUID (version 4, RFC 9562) for what one run writes. Made here: loading ``uuid`` takes as long as ten modules of ours."""
    number = int.from_bytes(os.urandom(16)) & ~(0xF << 76 | 0x3 << 62) | (0x4 << 76 | 0x2 << 62)
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Driver(StrEnum):
    """Who acted."""

    BOOT = "boot"
    ALEMBIC = "alembic"


class Event(StrEnum):
    """What an entry is about."""

    STEP = "step"
    STATEMENT = "statement"
    BOOT = "boot"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    STAMP = "stamp"


class Outcome(StrEnum):
    """What became of a step."""

    __hash__ = str.__hash__  # Enum's own is written in Python

    APPLIED = "applied"
    ALREADY_THERE = "already-there"
    SKIPPED = "skipped"
    FAILED = "failed"
    NO_EFFECT = "no-effect"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a place in the chain. ``subject`` is a step's id or a revision; ``run`` groups entries."""

    driver: Driver
    event: Event
    run: str
    subject: str
    checksum: str
    outcome: str
    detail: Mapping[str, object] = field(default_factory=dict)


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A sealed entry. ``at`` is in UTC; ``seq`` counts from 1 without gaps."""

    seq: int
    at: datetime
    draft: Draft
    previous: str
    hash: str

    @property
    def told(self) -> str:
        """What it is about, in words: what was made and changed, or else why."""
        detail = self.draft.detail
        made = [*_listed(detail.get("created")), *_listed(detail.get("changes"))]
        return ", ".join(map(str, made)) or str(detail.get("reason") or detail.get("outcomes") or "")

    @property
    def reached(self) -> str:
        """The revision that a start or a stamp found the database at; empty where it says nothing."""
        if self.draft.event == Event.BOOT:
            return str(self.draft.detail.get("revision") or "")
        return self.draft.subject if self.draft.event == Event.STAMP else ""

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        told = self.draft
        return {
            "seq": self.seq,
            "at": self.at.isoformat(),
            "driver": str(told.driver),
            "event": str(told.event),
            "run": told.run,
            "subject": told.subject,
            "checksum": told.checksum,
            "outcome": told.outcome,
            "detail": told.detail,
            "previous": self.previous,
            "hash": self.hash,
        }


@dataclass(frozen=True, slots=True)
class Tip:
    """The end of the chain: what the next entry follows. ``by``: who will write it; it goes into the entry's detail.

    ``moved``: the entries go on beyond the end that is kept beside them. ``is_cut``: they end before it.
    """

    seq: int = 0
    hash: str = GENESIS
    by: Mapping[str, str] = field(default_factory=dict, compare=False)
    moved: bool = field(default=False, compare=False)
    is_cut: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.seq} {self.hash}"


NO_END = Tip(-1, "")
"""Where there is a place for the end of the chain, and no end in it."""


def seal(tip: Tip, draft: Draft, at: datetime, detail: str | None = None) -> Entry:
    """Give a draft its place after the tip. ``detail``: the draft's, as ``compact`` text, where the caller has it."""
    seq = tip.seq + 1
    return Entry(seq, at, draft, tip.hash, _hash(seq, at, draft, tip.hash, detail))


def first_broken(entries: Iterable[Entry]) -> int | None:
    """The ``seq`` of the first entry that does not follow from the one before; ``None`` when the chain holds.

    ``entries`` are in order and start with the first one.
    """
    tip = Tip()
    for entry in entries:
        whole = entry.seq == tip.seq + 1 and entry.previous == tip.hash
        if not whole or entry.hash != _hash(entry.seq, entry.at, entry.draft, entry.previous):
            return min(entry.seq, tip.seq + 1)
        tip = Tip(entry.seq, entry.hash)
    return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the record is whole: the ``seq`` of the first entry that is not what it was or is gone, and what is the matter."""

    first_broken: int | None = None
    told: str = ""

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return self.first_broken is None


UNSEEN = (
    "not seen: a record that its owner wrote anew together with the end that is kept beside it; "
    "each start that wrote logs the end of the chain, to be compared with"
)


def judge(entries: Sequence[Entry], end: Tip | None = None, witness: str = "") -> Verdict:
    """Hold the entries against each other, and against what is kept beside them.

    ``end``: of the chain, as the database keeps it, where it does. ``witness``: what says, outside the ledger, that there was
    one; such as ``alembic_version is at 3f2a``.
    """
    broken = first_broken(entries)
    if broken is not None:
        return Verdict(broken, f"entry {broken} does not follow from the one before")
    last = entries[-1].seq if entries else 0
    if end is not None and end.seq < 0:
        return Verdict(last + 1, "the end of the chain, which is kept beside the ledger, is gone")
    if end is not None and end.seq > last:
        gone = f"entry {end.seq} is" if end.seq == last + 1 else f"entries {last + 1} to {end.seq} are"
        return Verdict(last + 1, f"{gone} gone")
    if end is not None and end.seq > 0 and entries[end.seq - 1].hash != end.hash:
        return Verdict(end.seq, f"entry {end.seq} is not the one that was written")
    if not entries and witness:
        return Verdict(1, f"the ledger is gone: {witness}")
    return Verdict()


def clean(value: object, codec: str = "utf-8") -> object:
    """A detail as ``jsonb`` can hold it: no NUL, no lone surrogate, nothing that the database's encoding (``codec``) lacks."""
    match value:
        case str():
            if value.isascii() and value.isprintable():
                return value
            return value.replace("\x00", "\\u0000").encode(codec, "backslashreplace").decode(codec)
        case Mapping():
            return {clean(str(k), codec): clean(v, codec) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [clean(v, codec) for v in value]
        case None | bool() | int() | float():
            return value
    return clean(str(value), codec)


def written(value: object, codec: str = "utf-8") -> str:
    """``compact`` of the ``clean`` value; made once where JSON holds it as it is, in ASCII and without an escape by number."""
    try:
        text = compact(value)
        if text.isascii() and "\\u" not in text:
            return text
    except (TypeError, ValueError):
        pass
    return compact(clean(value, codec))


_word = lru_cache(maxsize=64)(compact)
"""What many entries have in common."""


def _hash(seq: int, at: datetime, draft: Draft, previous: str, detail: str | None = None) -> str:
    fields = (
        _word(FORMAT),
        str(seq),
        compact(at.isoformat(timespec="microseconds")),
        *map(_word, (draft.driver, draft.event, draft.run)),
        *map(compact, (draft.subject, draft.checksum)),
        _word(draft.outcome),
        compact(draft.detail) if detail is None else detail,
        compact(previous),
    )  # the text of one list, put together from what is there: an encoder for the whole takes three times as long
    text = f"[{','.join(fields)}]"
    return f"{FORMAT}:{hashlib.sha256(text.encode()).hexdigest()}"
