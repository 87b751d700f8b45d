"""Runs one step: its own transaction, its ledger row in it, rows never lost silently, success read from the catalog."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field, replace
from functools import partial

import psycopg
from psycopg import pq

from omega_bridge.analysis import StepAnalysis, StepKind
from omega_bridge.analysis.already import THERE_ALREADY, calls
from omega_bridge.analysis.keeping import UNWATCHED, keeps_rows
from omega_bridge.analysis.roles import TAKES_NO_WRITES, may_change_role, may_change_settings, may_set_read_only
from omega_bridge.catalog import Catalog, Difference, diff
from omega_bridge.discarding import in_parts
from omega_bridge.errors import StepSyntaxError
from omega_bridge.ledger import Draft, Driver, Event, Outcome, Tip
from omega_bridge.outcomes import ServerError, StepOutcome, recorded
from omega_bridge.planning import Action, PlannedStep
from omega_bridge.planning.evaluate import Provided
from omega_bridge.planning.rejected import became, lack
from omega_bridge.planning.step_outcome import failed, outcome_of
from omega_bridge.postgres import data_lock, guarding, ledger_store, lock, settings, waiting
from omega_bridge.postgres.catalog_reader import CatalogReader, ReadingLost
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.limits import Limits, Patience
from omega_bridge.postgres.reaching import reaches_beyond
from omega_bridge.postgres.refused import Refused
from omega_bridge.postgres.session import Session
from omega_bridge.sql import identifier, sendable
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass


@dataclass(slots=True)
class Executor:
    """What the steps of one boot share. ``catalog`` is kept true after every step; ``tip`` is the ledger's end."""

    session: Session
    reader: CatalogReader
    catalog: Catalog
    names: frozenset[str]
    provided: Provided
    run: str
    tip: Tip
    limits: Limits = field(default_factory=Limits)
    allow_destructive: Collection[str] = ()
    driver: Driver = Driver.BOOT
    patience: Patience | None = None
    asked: tuple[probe_function.Asked, Catalog] | None = None
    """The token of the schema from just before a batch read it whole, and what it read; of use only where both still hold."""
    overheard: bool | None = None
    """Whether event triggers of others run at each DDL statement; ``None`` where that has to be asked."""
    role: str | None = None
    """The role that a step has set for those behind it: what the bridge itself sends is sent as on connecting."""

    def execute(self, planned: PlannedStep) -> StepOutcome:
        """Send one step and say what became of it."""
        step = planned.analysis
        started = time.perf_counter()
        self.session.drain_notices()
        self.session.rows_changed = 0
        try:
            sendable(step.step.sql)
            try:
                outcome = self._transaction(planned) if step.transactional else self._outside(planned)
            except (psycopg.errors.InvalidSqlStatementName, ReadingLost):  # it may have deallocated the reader's statement
                if not step.transactional:
                    raise
                self.session.rollback()
                outcome = self._transaction(planned)
            except psycopg.errors.ActiveSqlTransaction:  # its words alone do not say so: REINDEX of what is partitioned
                if not step.transactional or len(step.texts()) > 1:
                    raise
                self.session.rollback()
                outcome = self._outside(planned)
            except psycopg.errors.ReadOnlySqlTransaction:  # it is about its own transaction, which holds nothing else
                if not step.transactional or not step.reading.only_sets:
                    raise
                self.session.rollback()
                outcome = self._outside(planned)
            except psycopg.errors.InvalidTransactionTermination as exc:
                if not step.transactional:
                    raise
                if not self._is_allowed(step):
                    raise Refused(UNWATCHED) from exc
                self.session.rollback()
                outcome = self._outside(planned)
        except Refused as refused:
            self.session.rollback()
            outcome = self._refused(planned, refused)
        except psycopg.Error as exc:
            self.session.rollback()
            from omega_bridge.postgres.driver_errors import server_error

            outcome = self._rejected(planned, server_error(exc))
        except StepSyntaxError as exc:
            self.session.rollback()
            outcome = failed(planned, ServerError(None, exc.message))
        return replace(outcome, seconds=time.perf_counter() - started, notices=self.session.drain_notices())

    def _rejected(self, planned: PlannedStep, error: ServerError) -> StepOutcome:
        """A step that finds its objects there, or gone, already did not fail: all that it promises holds, and it was taken once.

        A single statement whose object is there in another shape had not all the effect that it promises.
        """
        taken = partial(self._was_taken, planned, error)
        found, missing = became(planned.analysis.reading, error.sqlstate, self.catalog, self.provided, taken)
        if found is Outcome.FAILED:
            return outcome_of(planned, found, str(error), error=error)
        if found is Outcome.NO_EFFECT:
            return outcome_of(planned, found, f"{missing}; PostgreSQL says: {error}", error=error)
        return outcome_of(planned, found, f"PostgreSQL says: {error}")

    def _was_taken(self, planned: PlannedStep, error: ServerError) -> bool:
        """Whether what a step calls is there already because the step was applied before, by either driver."""
        if error.sqlstate not in THERE_ALREADY or not calls(planned.analysis.program):
            return False
        return planned.analysis.checksum in ledger_store.done_once(self.session.connection)

    def record(self, outcome: StepOutcome) -> None:
        """Write the ledger row of an outcome that has none yet: what failed, was refused, or had no effect."""
        patience = min(self.limits.budget, ledger_store.PATIENCE)
        self.tip = ledger_store.append(self.session.connection, [self._draft(outcome)], self.tip, patience)

    def _transaction(self, planned: PlannedStep) -> StepOutcome:
        step, session = planned.analysis, self.session
        reaches = self.reaches_beyond(step)

        left = self._waits()

        def attempt(wait: float) -> tuple[Catalog, StepOutcome, bool, Tip]:
            takes_role = self._begun(planned, wait, reaches=reaches)
            fresh = self._refreshed(step)
            outcome = replace(self._judge(planned, fresh), rows=session.rows_changed or 0)
            if step.reading.dependencies.is_whole:
                from omega_bridge.postgres import elsewhere

                outcome = replace(outcome, elsewhere=elsewhere.made(session))
            is_applied = outcome.outcome is Outcome.APPLIED
            drafts = [self._draft(outcome)] if is_applied else []
            tip = ledger_store.append(session.connection, drafts, self.tip, min(max(left.left, wait), ledger_store.PATIENCE))
            return fresh, outcome, takes_role, tip

        try:
            fresh, outcome, takes_role, tip = waiting.had_in_time(session, left, self.limits.lock_timeout, attempt)
        except waiting.Busy as busy:
            return outcome_of(planned, Outcome.FAILED, waiting.told(session, busy, step.names), error=busy.error)
        lock.commit(session)
        if takes_role:
            self._take_role()
        self._keep_limits(step)
        if fresh.search_path != self.catalog.search_path:  # it may have been set for the step's transaction alone
            fresh = self.reader.read(self.names)
        self.catalog, self.tip = fresh, tip
        if outcome.outcome is Outcome.APPLIED:
            return outcome
        from omega_bridge.postgres import hidden_errors

        with self._turn(reaches=reaches):
            error = hidden_errors.find(session, step) if outcome.error is None else outcome.error
        told = f"{outcome.reason}; it hides: {error}" if error else outcome.reason
        return replace(outcome, reason=told, error=error)

    def _outside(self, planned: PlannedStep) -> StepOutcome:
        """A step that refuses a transaction: each statement on its own, the ledger row after it."""
        from omega_bridge.postgres import outside
        from omega_bridge.postgres.journal import Journal

        step = planned.analysis
        journal = Journal(self.session, (step.id, step.checksum), self.run, self.driver, self.tip)
        stopped: outside.Stopped | None = None
        from omega_bridge.postgres import elsewhere

        began = elsewhere.moment(self.session) if step.reading.dependencies.is_whole else None
        try:
            with self._turn(reaches=self.reaches_beyond(step)):
                outside.send(self.session, planned, self.limits, self._waits(), journal, self._guard(step))
        except outside.Stopped as exc:
            stopped = exc
        finally:
            self.tip = journal.tip
        self._keep_limits(step)
        self.catalog, before = self._refreshed(step), self.catalog
        if stopped:
            if stopped.error.sqlstate in THERE_ALREADY:
                return self._rejected(planned, stopped.error)
            changes = diff(before, self.catalog, among=None if _is_wide(step) else step.names)
            return outcome_of(planned, Outcome.FAILED, str(stopped), error=stopped.error, differences=changes)
        outcome = replace(self._judge(planned, self.catalog, before), rows=self.session.rows_changed or 0)
        if began is not None:
            outcome = replace(outcome, elsewhere=elsewhere.made_since(self.session, began))
        if outcome.outcome is Outcome.APPLIED:
            self.record(outcome)
        return outcome

    def _keep_limits(self, step: StepAnalysis) -> None:
        """What the bridge itself sends ends in time, also behind a step that has set other limits, or reset them."""
        if self.session.held is not None and may_change_settings(step.step.sql):
            settings.keep(self.session, self.limits.budget)

    def _waits(self) -> Patience:
        """What is left of the budget that all steps share."""
        if self.patience is None:
            self.patience = Patience(self.limits.lock_timeout, self.limits.budget)
        return self.patience.afresh()

    def _begun(self, planned: PlannedStep, lock_timeout: float, *, reaches: bool) -> bool:
        """One try at a step, in a transaction that stays open, and goes on under our own role and limits. Whether the step may leave
        another role to those behind it.
        """
        turn = data_lock.TAKE if planned.analysis.kind is not StepKind.SCHEMA else ""
        waiting.begin_in_turn(self.session, planned.analysis.id, self.limits, lock_timeout, question=turn, reaches=reaches)
        self.session.rows_changed = 0
        if self.role is not None:
            self.session.execute(f"SET ROLE {identifier(self.role)}")
        self._run_guarded(planned, "; ".join(settings.local(self.session, lock_timeout, self.limits.statement_timeout)))
        if self.role is None and not may_change_role(planned.analysis.step.sql):
            return False
        self.session.execute("SET LOCAL session_authorization TO DEFAULT; SET LOCAL role TO DEFAULT")
        return True

    def _take_role(self) -> None:
        """The role that a committed step has left in force, kept for those behind it: what it set for its transaction went with that."""
        ((role, user, own),) = self.session.rows(_WHO, (self.session.connection.info.user,))
        self.role = None if role is None and user == own else str(role or user)
        if self.role is not None:
            self.session.execute("RESET SESSION AUTHORIZATION; RESET ROLE")

    def reaches_beyond(self, step: StepAnalysis, *, calls: bool = True) -> bool:
        """Whether a step may reach beyond the schemas that this start has locked. ``calls``: by a function that it calls, too."""
        return reaches_beyond(self.session, step, self.catalog, calls=calls)

    def _turn(self, *, reaches: bool) -> AbstractContextManager[None]:
        """The lock of the whole database, for what reaches beyond."""
        return lock.database(self.session, self.limits.turn) if reaches else nullcontext()

    def _run_guarded(self, planned: PlannedStep, limits: str) -> None:
        """Send the step. Raises ``Refused`` where it destroys rows and that is not allowed.

        Behind one that may have set others, the ``limits`` under which the bridge looks at what it did.
        """
        step, text = planned.analysis, planned.analysis.step.sql
        if step.reading.only_sets:
            self.session.execute(f"{in_parts(text)}\n;\n{limits}")
        else:
            self._guard(step).inside(self.session, text)
            if may_change_settings(text):
                self.session.ask(limits)
        if may_set_read_only(text) and self.session.ask("SHOW default_transaction_read_only") == [("on",)]:
            raise StepSyntaxError(TAKES_NO_WRITES, hint="Take it out of the list.")

    def _guard(self, step: StepAnalysis) -> guarding.Guard:
        is_read = not any(s.tag is Tag.UNREADABLE for s in step.reading.statements)
        return guarding.Guard(self._is_allowed(step), everything=self._listens_to_all(step), is_read=is_read)

    def _is_allowed(self, step: StepAnalysis) -> bool:
        return step.step.destructive or step.id in self.allow_destructive

    def _listens_to_all(self, step: StepAnalysis) -> bool:
        """Whether no reading of this step counts: its literals mean something else here, or others run at each statement."""
        if step.reading.only_sets:
            return False
        if step.may_destroy or not keeps_rows(step.step.sql):
            self.overheard = None  # it may make an event trigger
            return step.may_destroy
        if self.overheard is None:
            self.overheard = guarding.is_overheard(self.session)
        return self.overheard

    def _refused(self, planned: PlannedStep, refused: Refused) -> StepOutcome:
        step = planned.analysis
        if not step.transactional:
            self.catalog = self._refreshed(step)  # the statements before it stand
        is_alone = step.transactional or len(step.texts()) == 1
        told = refused.reason if is_alone else refused.reason + guarding.TWO_STEPS
        return outcome_of(planned, Outcome.REFUSED, told, action=Action.REFUSE, destroyed=refused.destroyed)

    def _refreshed(self, step: StepAnalysis) -> Catalog:
        """The catalog after a step: only what the step names is read again, where we know what it touches."""
        if step.kind is StepKind.DATA and not _is_wide(step):
            return self.catalog
        names = self.names if _is_wide(step) else step.names
        fresh = self.reader.read(names)
        return fresh if _is_wide(step) else self.catalog.patched(fresh, names)

    def _judge(self, planned: PlannedStep, fresh: Catalog, before: Catalog | None = None) -> StepOutcome:
        """Success is read from the catalog: what the step says must hold now."""
        step = planned.analysis
        changes = self._changes(step, before or self.catalog, fresh)
        if step.kind is StepKind.DATA:
            return outcome_of(planned, Outcome.APPLIED, planned.reason, differences=changes)
        if missing := lack(step.program, fresh, self.provided):
            return outcome_of(planned, Outcome.NO_EFFECT, f"it ran, and {missing}", differences=changes)
        return outcome_of(planned, Outcome.APPLIED, planned.reason, differences=changes)

    def as_on_connecting(self) -> None:
        """Role and ``search_path`` as a new connection has them: each pass of the loop is one."""
        self.session.execute("RESET SESSION AUTHORIZATION; RESET ROLE; RESET search_path")
        self.role = None
        self.catalog = self.reader.read(self.names)

    def changed_since(self, before: Catalog) -> bool:
        """Whether the schema is another one than it was, printed under the same ``search_path``."""
        return bool(diff(before, self.as_printed_in(before, self.catalog)))

    def as_printed_in(self, before: Catalog, now: Catalog) -> Catalog:
        """What is there ``now``, printed as ``before`` was: under the same ``search_path``."""
        return now if now.search_path == before.search_path else self._read_under(before.search_path, self.names)

    def _changes(self, step: StepAnalysis, before: Catalog, fresh: Catalog) -> tuple[Difference, ...]:
        """What a step changed. One that leaves another ``search_path`` is looked at under the one before: names are printed by it."""
        if before.search_path != fresh.search_path:
            fresh = self._read_under(before.search_path, self.names if _is_wide(step) else step.names)
        return diff(before, fresh, among=None if _is_wide(step) else step.names)

    def _read_under(self, path: Sequence[str], names: frozenset[str]) -> Catalog:
        """The catalog as it is printed under a ``search_path``; the session's own is as before."""
        schemas = ", ".join(identifier(schema) for schema in path) or "pg_catalog"
        is_inside = self.session.connection.info.transaction_status == pq.TransactionStatus.INTRANS
        self.session.execute(f"{'SAVEPOINT omega_bridge_path' if is_inside else 'BEGIN'}; SET LOCAL search_path = {schemas}")
        found = self.reader.read(names)
        self.session.execute("ROLLBACK TO SAVEPOINT omega_bridge_path" if is_inside else "ROLLBACK")
        return found

    def _draft(self, outcome: StepOutcome) -> Draft:
        return draft(outcome, self.run, self.driver)


_WHO = "SELECT NULLIF(pg_catalog.current_setting('role'), 'none'), session_user::pg_catalog.text, %s::pg_catalog.text"
"""The role that is set, who has connected, and who the session said it was."""


def _is_wide(step: StepAnalysis) -> bool:
    """Whether a step may touch what it does not name."""
    return step.may_destroy or step.kind is StepKind.MIXED


def draft(outcome: StepOutcome, run: str, driver: Driver) -> Draft:
    """The ledger entry of a step's outcome."""
    detail: dict[str, object] = {
        "reason": outcome.reason,
        "seconds": round(outcome.seconds, 6),
        "place": str(outcome.place),
        **recorded(outcome.differences),
    }
    if outcome.rows:
        detail["rows"] = outcome.rows
    if outcome.notices:
        detail["notices"] = list(outcome.notices)
    if outcome.error:
        detail["error"] = {"sqlstate": outcome.error.sqlstate, "message": outcome.error.message}
    if outcome.destroyed:
        detail["destroyed"] = [d.as_dict() for d in outcome.destroyed]
    return Draft(driver, Event.STEP, run, outcome.id, outcome.checksum, outcome.outcome, detail)
