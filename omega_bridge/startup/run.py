"""One boot as values: what it is asked for, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.options import BOOT, OnBusy, OnError, OnGap, fits, takes
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from omega_bridge.outcomes import BootOutcome, Cost, CriticalTable, Standing, StepOutcome
    from omega_bridge.startup.background import Retrying
    from omega_bridge.startup.lacks import Lack
    from omega_bridge.typed import JsonObject
    from omega_bridge.version_table import VersionTable


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


def missing_at_the_end(inspection: Iterable[CriticalTable]) -> tuple[str, ...]:
    """The critical tables for want of which a start is not ready, each with a word on it."""
    return tuple(
        f"critical table {t.name} is missing at the end: the start is not ready" for t in inspection if t.state == "missing"
    )


@dataclass(frozen=True, slots=True)
class Run:
    """One boot: how it ended, what became of every step, what it cost.

    ``steps`` is empty where the probe alone answered, but for the data steps that such a start runs.
    ``misplaced`` names the steps that waited for a later one, ``unsettled`` those that undo one another. ``lacks``: what the
    models need and the database does not have at the end. ``standing``: the steps that are not done, and stay so until something
    changes, whatever the outcome is. ``seconds`` are wall time by phase.
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
    lacks: tuple[Lack, ...] = ()
    standing: tuple[Standing, ...] = ()

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

    def as_dict(self) -> JsonObject:
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
            "lacks": [lack.as_dict() for lack in self.lacks],
            "standing": [s.as_dict() for s in self.standing],
            "locks": list(self.locks),
            "seconds": {k: round(v, 6) for k, v in self.seconds.items()},
        }


@dataclass(frozen=True, slots=True)
class Options:
    """How a boot behaves; see ``boot`` for the meaning of each."""

    critical_tables: tuple[str, ...] = ()
    on_error: OnError = "stop"
    strict: bool = False
    allow_destructive: tuple[str, ...] = ()
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
    retry_after: float = 0.0
    on_gap: OnGap = "stop"
    foundation: tuple[str, ...] = ()
    version_table: str | None = None
    version_table_schema: str | None = None
    kept_in: VersionTable | None = None
    """Where the history's revision is kept; ``None`` for Alembic's own table."""


class BootOptions(TypedDict, total=False):
    """The keyword arguments of ``boot``."""

    metadata: MetaData | None
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
    retry_after: float
    on_gap: OnGap
    foundation: str | Path | Sequence[str | Path] | None
    version_table: str | None
    version_table_schema: str | None


def asked_for(**given: object) -> Options:
    """The options of one call of ``boot``, checked. Raises ``ConfigurationInvalid``, with what the option takes."""
    values: dict[str, Any] = {name: _checked(name, value) for name, value in given.items()}
    return Options(**values)


def _checked(name: str, value: object) -> object:
    option = BOOT[name]
    if value is None and option.default is None:
        return () if option.takes == "text or texts" else None
    is_list = option.takes in ("texts", "text or texts")
    if is_list and not isinstance(value, str | bytes) and isinstance(value, Iterable):
        value = tuple(value)
    if not fits(option, value):
        shown = "..." if option.variable else repr(value)  # a URL may hold a password
        raise ConfigurationInvalid(f"boot() does not take {name}={shown}", hint=f"Give {name} {takes(option, in_python=True)}.")
    if option.takes == "text or texts":
        return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)
    return Path(str(value)) if option.takes == "path" else value


def judged(outcomes: Iterable[StepOutcome], options: Options, *, has_gap: bool = False) -> BootOutcome:
    """How a boot ended, by what became of its steps. ``has_gap``: the models need what is not there."""
    from omega_bridge.ledger import Outcome
    from omega_bridge.outcomes import BootOutcome

    outcomes = tuple(outcomes)
    failed = [o for o in outcomes if o.outcome is Outcome.FAILED]
    stopping = [o for o in failed if not (o.is_busy and (o.optional or options.on_busy == "degraded"))]
    if stopping:
        return BootOutcome.DEGRADED if options.on_error == "continue" else BootOutcome.FAILED
    if failed:
        return BootOutcome.DEGRADED
    if has_gap:
        return BootOutcome.DEGRADED if options.on_gap == "degraded" or options.on_error == "continue" else BootOutcome.FAILED
    return BootOutcome.REPAIRED if any(o.outcome is Outcome.APPLIED for o in outcomes) else BootOutcome.CURRENT


_OF_MODELS = "(models)"
"""Where the steps stand that the models alone give (``revisions.models.PLACE``)."""


def raise_if_asked(run: Run, options: Options, first: str = "") -> None:
    """Raise what stops a start: ``StepFailed``, ``RelationBusy``, and with ``strict`` what stands without effect or refused.

    ``first``: what to do first about steps that failed.
    """
    from omega_bridge import errors
    from omega_bridge.ledger import Outcome
    from omega_bridge.outcomes import BootOutcome

    failures = [s for s in run.steps if s.outcome is Outcome.FAILED]
    of_models = all(s.place.file == _OF_MODELS for s in failures)  # an index of the column that is missing
    if run.outcome is BootOutcome.FAILED and (run.lacks or not failures) and of_models:
        from omega_bridge.startup.lacks import told as listed

        count = len(run.lacks)
        raise errors.ModelsAhead(
            f"the models need {count} thing{'s' if count != 1 else ''} that the database lacks after the list has run\n{listed(run.lacks)}",
            hint=_HINT_GAP,
            lacks=run.lacks,
            run=run,
        )
    if run.outcome is BootOutcome.FAILED and all(s.is_busy for s in failures):
        raise errors.RelationBusy(
            _told(f"other sessions kept tables locked for {options.boot_timeout:g} s:", failures), hint=_HINT_BUSY, run=run
        )
    if run.outcome is BootOutcome.FAILED:
        hint = first + missing_privileges(failures) + _HINT_FAILED
        raise errors.StepFailed(_told("PostgreSQL rejected", failures), hint=hint, failures=failures, run=run)
    if options.strict:
        idle = [s for s in run.steps if s.outcome is Outcome.NO_EFFECT]
        refused = [s for s in run.steps if s.outcome is Outcome.REFUSED]
        if idle:
            raise errors.StepHadNoEffect(_told("without effect:", idle), hint=_HINT_NO_EFFECT, failures=idle, run=run)
        if refused:
            raise errors.StepRefused(
                _told("refused, for the sake of rows:", refused), hint=_HINT_REFUSED, failures=refused, run=run
            )
        if run.unsettled:
            told = "\n".join(f"  {found}" for found in run.unsettled)
            raise errors.ListDoesNotSettle(f"the list does not settle:\n{told}", hint=_HINT_UNSETTLED, run=run)


def missing_privileges(failures: Iterable[StepOutcome]) -> str:
    """What to grant, where a step failed for want of a privilege (SQLSTATE 42501); "" where none did.

    What is missing stands in PostgreSQL's words alone (``aclcheck_error`` in src/backend/catalog/aclchk.c); in another language than
    English, or for what they do not name, the hint points there.
    """
    lacking = [step.error.message for step in failures if step.error is not None and step.error.sqlstate == "42501"]
    grants = list(dict.fromkeys(granted(message) for message in lacking))
    return f"The role that starts lacks a privilege: {'; '.join(grants)}. " if grants else ""


def granted(message: str, role: str = "<role>") -> str:
    """What to grant ``role`` for these words of PostgreSQL."""
    for denied, grant in _GRANTS.items():
        if message.startswith(denied):
            return grant.format(message[len(denied) :].strip(), role=role)
    return "grant it what the message names, or start as the owner"


_GRANTS = {
    "permission denied for schema ": "GRANT USAGE, CREATE ON SCHEMA {0} TO {role}",
    "permission denied for database ": "GRANT CREATE ON DATABASE {0} TO {role}",
    "permission denied for table ": "GRANT SELECT, INSERT, UPDATE, DELETE, REFERENCES, TRIGGER ON TABLE {0} TO {role}",
    "permission denied for sequence ": "GRANT USAGE, SELECT, UPDATE ON SEQUENCE {0} TO {role}",
    "permission denied for function ": "GRANT EXECUTE ON FUNCTION {0} TO {role}",
    "permission denied for type ": "GRANT USAGE ON TYPE {0} TO {role}",
    "must be owner of table ": "ALTER TABLE {0} OWNER TO {role}, or GRANT to it the role that owns the table",
    "must be owner of ": "give {0} to {role} (ALTER ... OWNER TO), or GRANT to it the role that owns it",
    "permission denied to create extension ": "CREATE EXTENSION {0} once as a superuser",
}

_HINT_FAILED = (
    "Correct the statement in the list and start again; everything else is committed and recorded. "
    'To serve all the same: boot(on_error="continue"), --on-error continue.'
)
_HINT_GAP = (
    "Run: omega-bridge add, which writes the steps to the list; or append them yourself, and start again. "
    'To serve all the same: boot(on_gap="degraded"), --on-gap degraded.'
)
_HINT_BUSY = (
    "Find the long transaction (SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start) and start again; "
    'or serve meanwhile: boot(on_busy="degraded"), --on-busy degraded.'
)
_HINT_NO_EFFECT = "The error that the step swallowed stands beside it: correct the step, or start without strict."
_HINT_UNSETTLED = "Take the step out of the list that is no longer meant, or start without strict."
_HINT_REFUSED = "Save the rows, then allow it: Step(destructive=True), boot(allow_destructive=[id]) or --allow-destructive id."


def _told(what: str, steps: list[StepOutcome]) -> str:
    lines = [f"{what} {len(steps)} step{'s' if len(steps) != 1 else ''}"]
    for step in steps:
        where = f" ({step.place})" if step.place.file else ""
        lines.append(f"  {step.id}{where}: {step.reason}")
    return "\n".join(lines)
