"""One boot as values: what it is asked for, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from omega_bridge.background import Retrying
    from omega_bridge.outcomes import BootOutcome, Cost, CriticalTable, StepOutcome

OnError = Literal["stop", "continue"]
OnBusy = Literal["fail", "degraded"]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Two steps of a list that undo one another at every start: ``first`` and ``last`` to change ``object`` in a pass."""

    first: str
    last: str
    object: str

    def as_dict(self) -> dict[str, str]:
        """The public JSON keys."""
        return {"first": self.first, "last": self.last, "object": self.object}

    def __str__(self) -> str:
        if self.first == self.last:
            return f"step {self.first} changes {self.object} each time that it runs"
        return f"steps {self.first} and {self.last} undo one another at {self.object}"


@dataclass(frozen=True, slots=True)
class Run:
    """One boot: how it ended, what became of every step, what it cost.

    ``steps`` is empty where the probe alone answered, but for the data steps that such a start runs.
    ``misplaced`` names the steps that waited for a later one, ``unsettled`` those that undo one another. ``seconds`` are
    wall time by phase.
    """

    outcome: BootOutcome
    steps: tuple[StepOutcome, ...] = ()
    passes: int = 0
    revision: str | None = None
    catalog_digest: str | None = None
    inspection: tuple[CriticalTable, ...] = ()
    misplaced: tuple[tuple[str, str], ...] = ()
    unsettled: tuple[Unsettled, ...] = ()
    warnings: tuple[str, ...] = ()
    cost: Cost | None = field(default=None, repr=False)
    retrying: Retrying | None = field(default=None, repr=False, compare=False)

    @property
    def ready(self) -> bool:
        """Whether the service may serve: no step stopped the start, and every critical table is there."""
        return self.outcome != "failed" and all(t.state != "missing" for t in self.inspection)

    @property
    def round_trips(self) -> int:
        """Round trips after the connection stood."""
        return self.cost.round_trips if self.cost else 0

    @property
    def statements(self) -> int:
        """Statements sent in them."""
        return self.cost.statements if self.cost else 0

    @property
    def seconds(self) -> Mapping[str, float]:
        """Wall time by phase: connect, probe, lock, repair, total."""
        return self.cost.seconds if self.cost else {}

    @property
    def locks(self) -> tuple[str, ...]:
        """Tables on which statements of this boot took locks, with the mode: ``ACCESS EXCLUSIVE tenants``."""
        return tuple(self.cost.locks) if self.cost else ()

    def as_dict(self) -> dict[str, Any]:
        """The public JSON keys."""
        return {
            "outcome": str(self.outcome),
            "passes": self.passes,
            "round_trips": self.round_trips,
            "statements": self.statements,
            "steps": [s.as_dict() for s in self.steps],
            "revision": self.revision,
            "catalog_digest": self.catalog_digest,
            "inspection": [t.as_dict() for t in self.inspection],
            "misplaced": [{"step": s, "needs": n} for s, n in self.misplaced],
            "unsettled": [u.as_dict() for u in self.unsettled],
            "warnings": list(self.warnings),
            "locks": list(self.locks),
            "seconds": {k: round(v, 6) for k, v in self.seconds.items()},
        }


@dataclass(frozen=True, slots=True)
class Options:
    """How a boot behaves; see ``boot`` for the meaning of each."""

    critical_tables: tuple[str, ...] = ()
    on_error: OnError = "stop"
    strict: bool = False
    allow_destructive: frozenset[str] = frozenset()
    history: Path | None = None
    lock_timeout: float = 60.0
    table_lock_timeout: float = 0.5
    statement_timeout: float = 0.0
    boot_timeout: float = 30.0
    retry: bool = False
    accept_newer: bool = False
    direct_url: str | None = field(default=None, repr=False)  # it may hold a password
    on_busy: OnBusy = "fail"
    pooler_keeps_sessions: bool = False
    trusted_owners: tuple[str, ...] = ()


class BootOptions(TypedDict, total=False):
    """The keyword arguments of ``boot``."""

    metadata: Any
    critical_tables: Collection[str]
    on_error: OnError
    strict: bool
    allow_destructive: Collection[str]
    history: str | Path | None
    lock_timeout: float
    table_lock_timeout: float
    statement_timeout: float
    boot_timeout: float
    retry: bool
    accept_newer: bool
    direct_url: str | None
    on_busy: OnBusy
    pooler_keeps_sessions: bool
    trusted_owners: Collection[str]
