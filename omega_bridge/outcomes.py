"""What became of each step of a boot, and of the boot: values that the executor makes and everybody reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from omega_bridge.ledger import Outcome
from omega_bridge.steps import Place
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.catalog import Difference
    from omega_bridge.typed import JsonObject, KeptTable


class Action(StrEnum):
    """What a boot does with a step."""

    RUN = "run"
    SKIP = "skip"
    REFUSE = "refuse"


class BootOutcome(StrEnum):
    """How a boot ended."""

    CURRENT = "current"
    REPAIRED = "repaired"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ServerError:
    """PostgreSQL's own words: SQLSTATE and primary message; ``position`` is 1-based in the statement's text."""

    sqlstate: str | None
    message: str
    position: int | None = None

    def __str__(self) -> str:
        return f"{self.sqlstate}: {self.message}" if self.sqlstate else self.message


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A table, or a column of one, that a step took away together with rows; ``None``: with some, which the role may not see."""

    table: str
    column: str | None
    rows: int | None

    def __str__(self) -> str:
        what = f"column {self.table}.{self.column}" if self.column else f"table {self.table}"
        if self.rows is None:
            return f"{what} (rows that this role may not see)"
        return f"{what} ({self.rows} row{'s' if self.rows != 1 else ''})"

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {"table": self.table, "column": self.column, "rows": self.rows}


@dataclass(frozen=True, slots=True)
class CriticalTable:
    """What the inspection found: ``present``, ``missing``, or ``old-shape`` (the models have columns that it lacks)."""

    name: str
    state: str
    lacks: tuple[str, ...] = ()

    def as_dict(self) -> KeptTable:
        """The public JSON keys."""
        return {"table": self.name, "state": self.state, "lacks": list(self.lacks)}


NOT_DONE = (Outcome.FAILED, Outcome.NO_EFFECT, Outcome.REFUSED)
"""Of a step that was sent, and whose work is not there."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A step that a start leaves undone: failed, refused, without effect, or held back (``skipped``), and why."""

    id: str
    outcome: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """The public JSON keys."""
        return {"id": self.id, "outcome": self.outcome, "reason": self.reason}

    def __str__(self) -> str:
        return f"step {self.id} stands {self.outcome}: {self.reason}"


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """One step of a run. ``seconds`` is wall time; ``pass_`` the pass in which it settled, from 1."""

    id: str
    kind: str
    action: Action
    outcome: Outcome
    reason: str
    checksum: str = ""
    place: Place = Place()
    title: str | None = None
    seconds: float = 0.0
    pass_: int = 1
    error: ServerError | None = None
    notices: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    destroyed: tuple[Destroyed, ...] = ()
    optional: bool = False
    rows: int = 0
    """Rows that its statements changed, as far as they say so."""
    elsewhere: tuple[tuple[str, int, str], ...] = ()
    """What it made beyond the schemas of the ``search_path``, where its text does not tell: catalog, oid, schema."""
    is_held: bool = False
    """Whether it was held back to the end, for the sake of a step that waits."""

    @property
    def is_undone(self) -> bool:
        """Whether the start leaves it undone."""
        return self.is_held or self.outcome in NOT_DONE

    @property
    def is_busy(self) -> bool:
        """Whether it failed because other sessions kept its table locked: another try may do."""
        return self.outcome is Outcome.FAILED and self.error is not None and self.error.sqlstate in ("55P03", "40P01")

    def log_fields(self) -> JsonObject:
        """What a line of the log says of the step, for loggers that write fields."""
        return {"step": self.id, "outcome": str(self.outcome), "seconds": round(self.seconds, 6)}

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        found: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "action": str(self.action),
            "outcome": str(self.outcome),
            "reason": self.reason,
            "seconds": round(self.seconds, 6),
            "place": str(self.place) if self.place.file else None,
            "title": self.title,
            "pass": self.pass_,
        }
        if self.rows:
            found["rows"] = self.rows
        if self.error:
            found["error"] = {"sqlstate": self.error.sqlstate, "message": self.error.message}
        if self.notices:
            found["notices"] = list(self.notices)
        if self.destroyed:
            found["destroyed"] = [d.as_dict() for d in self.destroyed]
        if self.differences:
            found["changes"] = [change(d) for d in self.differences]
        return found


def change(difference: Difference) -> str:
    """A difference between the catalogs before and after, told as what was done."""
    if not difference.attribute:
        return f"{'created' if difference.left is None else 'dropped'} {difference.key}"
    return f"changed {difference.key}: {difference.attribute} {difference.left!r} -> {difference.right!r}"


def recorded(differences: Iterable[Difference]) -> dict[str, list[str]]:
    """What a ledger entry says of them: ``created`` objects, the attributes that ``changed``, and all but the first in words."""
    several = tuple(differences)
    return {
        "created": [str(d.key) for d in several if not d.attribute and d.left is None],
        "changed": [f"{d.key}: {d.attribute}" for d in several if d.attribute],
        "changes": [change(d) for d in several if d.attribute or d.left is not None],
    }


@dataclass(slots=True)
class Cost:
    """What a boot asked of the server: ``round_trips`` after the connection stands, ``statements`` in them."""

    round_trips: int = 0
    statements: int = 0
    locks: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
