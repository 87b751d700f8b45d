"""What a boot would do: the plan against the live catalog, read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.adoption import Survey, survey
from omega_bridge.analysis import Analysis, StepKind, with_escapes
from omega_bridge.analysis.losing import losses
from omega_bridge.analysis.secrets import masked
from omega_bridge.catalog import Catalog, Kind
from omega_bridge.expectation import Expectation
from omega_bridge.ledger import Outcome
from omega_bridge.planning import Action, Plan, PlannedStep, make_plan
from omega_bridge.planning.locks import locks_of
from omega_bridge.planning.needs import type_names
from omega_bridge.postgres import data_steps, ledger_store, lookahead, states
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.fast_path.probe import probe
from omega_bridge.postgres.limits import Limits
from omega_bridge.postgres.nulls import MOST, without_value
from omega_bridge.postgres.printing import takes_escapes
from omega_bridge.postgres.session import Session, open_session
from omega_bridge.postgres.undone import left_undone
from omega_bridge.startup.lacks import Lack, lacks
from omega_bridge.tags import Tag
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from omega_bridge.typed import JsonObject, KeptStanding


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan, and the table locks that it takes. ``meets``: by step, the rows that stand in its way."""

    plan: Plan
    locks: tuple[str, ...]
    meets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def locks_of(self, step: PlannedStep) -> list[str]:
        """Those of one step; none of one that is not sent."""
        return list(dict.fromkeys(locks_of(step))) if step.action is Action.RUN else []

    def texts_of(self, step: PlannedStep) -> tuple[str, ...]:
        """What would be sent, without its secrets: the statements, or the step's own text where a part of it is no statement."""
        is_whole = any(s.tag in (Tag.UNREAD, Tag.EXPRESSION) for s in step.statements)
        texts = [step.analysis.step.sql.strip()] if is_whole else [s.text for s in step.statements]
        return tuple(map(masked, texts))

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {
            "steps": [
                {
                    "id": s.analysis.id,
                    "kind": str(s.analysis.kind),
                    "action": str(s.action),
                    "outcome": None,
                    "reason": s.reason,
                    "seconds": None,
                    "place": str(s.analysis.step.place) if s.analysis.step.place.file else None,
                    "title": s.analysis.step.title,
                    "sql": list(self.texts_of(s)),
                    "loses": [loss.message for loss in losses(s.analysis)] if s.action is Action.RUN else [],
                    "locks": self.locks_of(s),
                    "meets": list(self.meets.get(s.analysis.id, ())),
                }
                for s in self.plan
            ],
            "locks": list(self.locks),
        }


@dataclass(frozen=True, slots=True)
class Look:
    """Where a database stands: steps that a boot would send, but for data,, ``alembic_version``, when the last clean boot was."""

    pending: tuple[PlannedStep, ...]
    standing: tuple[KeptStanding, ...]
    """Steps that the last start left failed, refused or without effect: id, outcome, reason."""
    versions: tuple[str, ...]
    last_boot: str | None
    steps: tuple[PlannedStep, ...] = ()
    """Every step of the list, with what a boot would do about it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a boot would compare with the record: the digest of list, models and head, and the exported head."""

    digest: str
    head: str | None
    table: VersionTable | None = None
    """Where the database keeps it; ``None`` for Alembic's own table."""


def look(database: object, analysis: Analysis, promise: Promise) -> Look:
    """Read, decide, change nothing."""
    with open_session(normalise(database)) as session:
        plan = _plan(session, analysis, promise)
        versions, last_boot = ledger_store.versions(session.connection, promise.table), ledger_store.last_boot(session.connection)
        standing = left_undone(session.connection, {s.id: s.checksum for s in analysis})
    failed = {s["id"] for s in standing if s["outcome"] == Outcome.FAILED}
    pending = tuple(s for s in plan.pending if s.analysis.kind is not StepKind.DATA or s.analysis.id in failed)
    return Look(pending, standing, versions, last_boot, plan.steps)


def lacking(database: object, metadata: MetaData | None) -> tuple[Lack, ...]:
    """What the models need and a database does not have. Reads only."""
    if metadata is None:
        return ()
    names = frozenset(str(t.name) for t in metadata.tables.values()) | type_names(metadata)
    with open_session(normalise(database)) as session:
        return lacks(read_catalog(session.connection, names), metadata)


def preview(database: object, analysis: Analysis, promise: Promise) -> Preview:
    """Read the catalog and decide every step. Raises ``DatabaseUnreachable``, ``AuthenticationFailed``."""
    with open_session(normalise(database)) as session:
        plan = _plan(session, analysis, promise)
        meets = {step.analysis.id: tuple(_met(session, step)) for step in plan.pending}
    locks = dict.fromkeys(lock for step in plan.pending for lock in locks_of(step))
    return Preview(plan, tuple(locks), {step: told for step, told in meets.items() if told})


def _met(session: Session, step: PlannedStep) -> Iterator[str]:
    """What rows a ``SET NOT NULL`` would be rejected for."""
    for e in (e for s in step.statements for e in s.effects):
        if e.present and e.key.kind is Kind.COLUMN and e.attributes == (("nullable", False),):
            rows = without_value(session, e.key)
            if rows:
                many = f"more than {MOST}" if rows > MOST else str(rows)
                yield f"{many} row(s) of {e.key.table} have no {e.key.name}: SET NOT NULL is rejected"


def _plan(session: Session, analysis: Analysis, promise: Promise) -> Plan:
    """As a boot would: by the record where it holds, else by the catalog; data steps by what they would change."""
    found = probe(session)
    connection = session.connection
    if takes_escapes(connection):
        analysis = with_escapes(analysis)
    catalog = read_catalog(connection, analysis.names())
    plan = make_plan(analysis, catalog, ledger_store.done_once(connection))
    standing: dict[str, str] | None = None
    if found is not None and found.is_current(promise.digest, promise.head):
        standing = {s["id"]: f"stands {s['outcome']}: {s['reason']}" for s in found.standing}
        failed = {s["id"] for s in found.standing if s["outcome"] == Outcome.FAILED}
        return Plan(
            tuple(
                PlannedStep(p.analysis, Action.RUN, standing[p.analysis.id], p.statements)
                if p.analysis.id in failed
                else _decided(session, catalog, p, standing)
                for p in plan
            )
        )
    return Plan(tuple(_decided(session, catalog, planned, standing) for planned in plan))


def _decided(session: Session, catalog: Catalog, planned: PlannedStep, standing: Mapping[str, str] | None) -> PlannedStep:
    """``standing``: what the record says of steps that are not tried again; ``None`` where the record does not hold."""
    step = planned.analysis
    if planned.action is not Action.RUN:
        return planned
    if step.kind is StepKind.DATA:
        return (
            PlannedStep(step, Action.SKIP, data_steps.NO_ROW)
            if lookahead.has_nothing_to_do(session, step, Limits().lock_timeout)
            else planned
        )
    if standing is None:
        return planned
    return PlannedStep(
        step, Action.SKIP, standing.get(step.id, "as the last start left it: neither the list nor the schema changed")
    )


def surveyed(database: object, analysis: Analysis, folder: Path, expected: Expectation | None = None) -> Survey:
    """How far the exported history holds in a database, with what the last start left failed or refused. Reads only.

    ``expected``: what the list leads to, attribute by attribute.
    """
    with open_session(normalise(database)) as session:
        known = states.recall(session.connection)
        stands = known.standing if known else ()
        amiss = {s["id"]: f"{s['outcome']}: {s['reason']}" for s in stands if s["outcome"] in (Outcome.FAILED, Outcome.REFUSED)}
        return survey(session.connection, analysis, folder, amiss, expected)
