"""What a repair writes down: the boot's entry, ``alembic_version``, the state; and whom it leaves to a later release."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.analysis import Analysis
from omega_bridge.catalog import Catalog
from omega_bridge.ledger import Draft, Driver, Event, Outcome
from omega_bridge.outcomes import NOT_DONE, BootOutcome, CriticalTable, StepOutcome
from omega_bridge.postgres import clean_state, ledger_store, lock
from omega_bridge.postgres.executor import Executor
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.session import Session
from omega_bridge.startup.run import Options, Unsettled
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.revisions.standing import Move
    from omega_bridge.typed import JsonObject
    from omega_bridge.version_table import VersionTable

log = logging.getLogger("omega_bridge")

_PATIENCE = 5.0
"""Seconds for a lock that the record needs; less where the start's budget is less."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the exported history is true: ``revision`` is the last one before the first that is not (``lacking``), of whose
    steps ``step`` did not work out; ``beyond``: what holds after it all the same.
    """

    revision: str | None
    lacking: str | None = None
    step: str | None = None
    beyond: tuple[str, ...] = ()
    known: str | None = None
    """What the last start left, of whichever release."""
    history: Path | None = None
    table: VersionTable | None = None

    def move(self, versions: tuple[str, ...]) -> Move:
        """What becomes of ``alembic_version`` where it says this."""
        from omega_bridge.revisions.standing import STAYS, standing_of

        if self.history is None:
            return STAYS
        return standing_of(self.history, known=self.known, table=self.table).move(versions, self.revision)

    def as_dict(self) -> JsonObject:
        """As the ledger has it."""
        if self.lacking is None:
            return {"revision": self.revision}
        return {
            "revision": self.revision,
            "not_true": {"revision": self.lacking, "step": self.step},
            "beyond": list(self.beyond),
        }


def how_far(
    options: Options,
    head: str | None,
    known: str | None,
    analysis: Analysis,
    after: Catalog,
    outcomes: Iterable[StepOutcome],
    ground: str = "",
) -> Reached:
    """The head where every step worked out; else as far as what failed or was refused lets it be true. ``ground``: what of the history's
    foundation is not there.
    """
    amiss = {o.id: f"{o.outcome}: {o.reason}" for o in outcomes if o.outcome in (Outcome.FAILED, Outcome.REFUSED)}
    whole = Reached(head, known=known, history=options.history if head is not None else None, table=options.kept_in)
    if head is None or options.history is None or not amiss:
        return whole
    from omega_bridge.adoption import hold_against

    if ground:
        from omega_bridge.planning.foundation import LABEL

        amiss[LABEL] = ground
    found = hold_against(after, analysis, options.history, amiss)
    if not found.gaps:
        return whole
    first = found.gaps[0]
    return Reached(found.prefix, first.revision, first.step, found.beyond, known, options.history, options.kept_in)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is recorded of a boot beside what became of its steps."""

    verdict: BootOutcome
    digest: str
    reached: Reached
    unsettled: tuple[Unsettled, ...]
    settled: frozenset[str]
    inspection: tuple[CriticalTable, ...]


def record(
    session: Session,
    executor: Executor,
    promised: clean_state.Promised,
    outcomes: tuple[StepOutcome, ...],
    after: Catalog,
    asked: probe_function.Asked,
    told: Recorded,
) -> tuple[str | None, str]:
    """One transaction: the outcomes without a row of their own, the boot's entry, ``alembic_version``, the state.

    What ``alembic_version`` says then, and why it was not moved where that is to be told.
    """
    connection = session.connection
    moves: list[Move] = []

    def move(versions: tuple[str, ...]) -> str | None:
        moves.append(told.reached.move(versions))
        return moves[-1].revision

    quiet = [o for o in outcomes if o.outcome in NOT_DONE]
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = {max(int(min(_PATIENCE, executor.limits.budget) * 1000), 1)}")
        for outcome in quiet:
            executor.record(outcome)
        revision = clean_state.stamp(connection, move, told.reached.table) if told.reached.history else None
        counts: dict[str, int] = {}
        for outcome in outcomes:
            counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
        detail = {
            "steps": len(promised.analysis),
            "outcomes": counts,
            "catalog": after.digest(),
            **told.reached.as_dict(),
        }
        if standing := [o.id for o in outcomes if o.is_undone]:
            detail["standing"] = standing
        if told.unsettled:
            detail["unsettled"] = [u.as_dict() for u in told.unsettled]
        draft = Draft(Driver.BOOT, Event.BOOT, executor.run, "", told.digest, told.verdict, detail)
        executor.tip = ledger_store.append(connection, [draft], executor.tip, min(_PATIENCE, executor.limits.budget))
        if asked.is_settled:
            clean_state.remember(
                connection,
                promised,
                outcomes,
                after,
                asked,
                told.digest,
                revision,
                told.inspection,
                told.reached.table,
                told.settled,
            )
        lock.prove(session)
    return revision, moves[-1].warning if moves else ""
