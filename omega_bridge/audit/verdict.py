"""What a verification found: frozen values, their JSON keys, and the certificate. Three facts: equivalent, differences, rejected."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject, Value


PAST = "the list's past"
"""The start that lives through the exported prefixes, one after the other."""

EMPTY = "empty"
"""An empty database: a start of the list as it is today beside ``alembic upgrade head``."""

ROWS = "rows"
"""The attribute of a difference in data: the values are rows that the other lacks, as text."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """What two databases that began alike do not share: ``boot``'s value and ``alembic``'s; ``None``: not there.

    ``attribute`` is empty when only one has the object; ``pg_dump`` where only the witness sees it, ``rows`` for data.
    ``append``: a statement that, as a further step, makes both alike, where one is known.
    """

    start: str
    revision: str
    step: str
    object: str
    attribute: str
    boot: Value
    alembic: Value
    append: str = ""

    def __str__(self) -> str:
        if not self.attribute:
            return f"{self.object}: {'the history lacks it' if self.alembic is None else 'the boot lacks it'}"
        return f"{self.object}: {self.attribute} is {self.boot!r} by boot, {self.alembic!r} by the history"

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "start": self.start,
            "revision": self.revision,
            "step": self.step,
            "object": self.object,
            "attribute": self.attribute,
            "boot": self.boot,
            "alembic": self.alembic,
            "append": self.append,
        }


@dataclass(frozen=True, slots=True)
class Start:
    """From where both drivers began, and at how many prefixes of the list they were compared."""

    name: str
    prefixes: int
    since: str | None = None
    """The revision behind which the comparison began: up to there the history alone has led both."""
    kept: int = 0
    """At so many of them an earlier run has compared the very same."""

    @property
    def is_kept(self) -> bool:
        """Whether nothing of it was tried in this run."""
        return self.kept > 0 and self.kept == self.prefixes

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        since = {"since": self.since} if self.since is not None else {}
        kept = {"kept": self.kept} if self.kept else {}
        return {"start": self.name, "prefixes": self.prefixes, **since, **kept}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A step that did not work out on a scratch database: nothing is shown of it. ``told``: PostgreSQL's words, or ours."""

    start: str
    step: str
    outcome: str
    told: str

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {"start": self.start, "step": self.step, "outcome": self.outcome, "told": self.told}


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A step of which the planner ``said`` for certain what it would do, and what PostgreSQL ``did``."""

    start: str
    step: str
    said: str
    did: str

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {"start": self.start, "step": self.step, "said": self.said, "did": self.did}


@dataclass(frozen=True, slots=True)
class Predictions:
    """How often the planner was certain, and where it was wrong."""

    made: int = 0
    mistaken: tuple[Mistaken, ...] = ()

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {"made": self.made, "mistaken": [m.as_dict() for m in self.mistaken]}


NO_PREDICTIONS = Predictions()


@dataclass(frozen=True, slots=True)
class Equivalence:
    """The verdict. ``order_only``: columns that stand in another order (reported apart).

    ``not_tried``: steps that may speak to another server, or make what is the whole server's, with the reason. ``witness``: who looked at both beside our own
    reader, with its version; ``None`` where nobody did. ``predictions``: what the planner said beforehand.
    """

    starts: tuple[Start, ...]
    differences: tuple[Unlike, ...]
    order_only: tuple[Unlike, ...]
    rejected: tuple[Rejected, ...]
    not_tried: tuple[tuple[str, str], ...]
    witness: str | None
    head: str | None
    sum_hash: str
    list_digest: str
    catalog_digest: str
    server_version: int
    predictions: Predictions = NO_PREDICTIONS

    @property
    def prefixes(self) -> int:
        """At how many prefixes of the list's past the two were compared."""
        return sum(s.prefixes for s in self.starts if s.name == PAST)

    @property
    def kept(self) -> int:
        """At how many of these an earlier run has."""
        return sum(s.kept for s in self.starts if s.name == PAST)

    @property
    def equivalent(self) -> bool:
        """Whether nothing differs, from whatever start."""
        return not self.differences

    @property
    def differs_by_the_past_alone(self) -> bool:
        """Whether nothing differs but what a database is like on which starts ran the list's prefixes, one after the other."""
        return bool(self.differences) and all(d.start == PAST for d in self.differences)

    def unproven(self, allowed: Collection[str] = ()) -> tuple[str, ...]:
        """The steps that were rejected and are not ``allowed`` to be, each once."""
        return tuple(dict.fromkeys(r.step for r in self.rejected if r.step not in allowed))

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "equivalent": self.equivalent,
            "starts": [{**s.as_dict(), "equivalent": not any(d.start == s.name for d in self.differences)} for s in self.starts],
            "prefixes": self.prefixes,
            "kept": {"starts": sum(s.is_kept for s in self.starts), "prefixes": self.kept},
            "differences": [d.as_dict() for d in self.differences],
            "rejected": [r.as_dict() for r in self.rejected],
            "not_tried": [{"step": step, "reason": reason} for step, reason in self.not_tried],
            "predictions": self.predictions.as_dict(),
            "witness": self.witness,
            "column_order": [d.as_dict() for d in self.order_only],
            "head": self.head,
            "sum": self.sum_hash,
            "list": self.list_digest,
            "catalog": self.catalog_digest,
            "server_version": self.server_version,
        }

    def certificate(self) -> str:
        """The verdict as a text that is the same for the same list, history, starts, server and witness."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, default=str) + "\n"
