"""The slow path of a boot: inspect, create what only the models know, repair until nothing changes, verify, record.

Everything here happens under the lock. The order of work is that of the list; a step that waits for a later one is
tried again after it, as the next start of a naive loop would.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from omega_bridge import errors
from omega_bridge.analysis import Analysis, StepAnalysis, StepKind, analyse, statements, with_escapes
from omega_bridge.analysis.analysis import names_of
from omega_bridge.analysis.program import conditions
from omega_bridge.boot import CriticalTable, Options, Run
from omega_bridge.catalog import Catalog, Key, Kind, diff
from omega_bridge.ledger import Draft, Driver, Event, Outcome
from omega_bridge.outcomes import BootOutcome, StepOutcome
from omega_bridge.planning import Action, PlannedStep, World, evaluate, lacking
from omega_bridge.planning.plan import plan_step
from omega_bridge.planning.unsettled import VIEWS, unsettled
from omega_bridge.postgres import batch, daily, ledger_store, standing, watch
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.executor import Executor, Limits, skipped
from omega_bridge.postgres.printing import takes_escapes
from omega_bridge.postgres.session import Session
from omega_bridge.steps import Registry, Repeat

log = logging.getLogger("omega_bridge")

MAX_PASSES = 8
"""A list that still changes something after so many passes never settles: the last outcomes stand."""


def _complete(registry: Registry, metadata: Any) -> Registry:
    """The list, with a step ahead of it for each table that only the models know."""
    if metadata is None:
        return registry
    from omega_bridge.revisions.models import with_models

    return with_models(registry, metadata)


def repair(session: Session, registry: Registry, metadata: Any, options: Options, digest: str, head: str | None) -> Run:
    """Bring the database up to the list, and record it. The caller holds the lock."""
    connection = session.connection
    registry = _complete(registry, metadata)
    analysis = with_escapes(analyse(registry)) if takes_escapes(connection) else analyse(registry)
    names = scope(analysis, options.critical_tables, metadata)
    known = ledger_store.recall(connection)
    _refuse_if_newer(known, analysis, head, options)
    ledger_store.prepare(connection)
    before = read_catalog(connection, names)
    inspection = inspect(before, options.critical_tables, metadata)
    _report(inspection)
    executor = Executor(
        session, before, names, analysis.provided(), str(uuid.uuid4()), ledger_store.tip(connection),
        Limits(options.table_lock_timeout, options.statement_timeout, options.boot_timeout), options.allow_destructive,
    )  # fmt: skip
    once = ledger_store.done_once(connection) if _has_once(analysis) else frozenset()
    done = Convergence(executor, analysis, once, before)
    done.run()
    session.execute("RESET search_path")  # a step may have set it, and the record is one of what every start sees
    outcomes = done.in_list_order()
    watch.forget_ddl(connection)
    after = read_catalog(connection, names)
    verdict = _verdict(outcomes, options)
    warnings = tuple(_warnings(outcomes, done, analysis, after))
    revision = _record(session, executor, analysis, outcomes, verdict, after, names, digest, head, known)
    session.cost.locks.extend(done.locks())
    run = Run(
        verdict,
        outcomes,
        done.passes,
        revision,
        after.digest(),
        inspection,
        tuple(done.misplaced),
        warnings,
        session.cost,
    )
    for warning in warnings:
        log.warning("[MIGRATION] %s", warning)
    _raise_if_asked(run, options)
    log.info(
        "[MIGRATION] %s: %d step(s) sent in %d pass(es)",
        verdict,
        sum(o.action is not Action.SKIP for o in outcomes),
        done.passes,
    )
    return run


# --- inspect ---------------------------------------------------------------------------------------------------


def inspect(catalog: Catalog, critical: Iterable[str], metadata: Any) -> tuple[CriticalTable, ...]:
    """Critical tables: present, missing, or of the old shape (the models have columns that the table lacks)."""
    found = []
    world = World(catalog)
    for name in critical:
        schema, _, table = name.rpartition(".")
        key = world.find(_table_key(schema, table))
        if key is None:
            found.append(CriticalTable(name, "missing"))
            continue
        there = {k.name for k in catalog.columns(key.schema, key.name)}
        model = metadata.tables.get(name) if metadata is not None else None
        lacks = tuple(c.name for c in model.columns if c.name not in there) if model is not None else ()
        found.append(CriticalTable(name, "old-shape" if lacks else "present", lacks))
    return tuple(found)


def _table_key(schema: str, table: str) -> Key:
    return Key(Kind.TABLE, schema, "", table)


def _report(inspection: Iterable[CriticalTable]) -> None:
    for table in inspection:
        if table.state != "present":
            log.info(
                "[MIGRATION] critical table %s: %s%s",
                table.name,
                table.state,
                f" (lacks {', '.join(table.lacks)})" if table.lacks else "",
            )


# --- repair ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Convergence:
    """Passes over the steps until nothing changes."""

    executor: Executor
    analysis: Analysis
    done_once: frozenset[str]
    started: Catalog
    passes: int = 0
    misplaced: list[tuple[str, str]] = field(default_factory=list)
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    _waited: dict[str, str] = field(default_factory=dict)
    _locks: list[str] = field(default_factory=list)
    _changes: int = 0
    _tried_at: dict[str, int] = field(default_factory=dict)
    _ddl: int = 0
    _needs: dict[str, Key] = field(default_factory=dict)
    _judged_at: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Work through the list, then through what is left of it; and again what later steps have changed the ground of."""
        self._settle(list(self.analysis))
        while self.passes < MAX_PASSES and (again := self._unsettled()):
            before = self.executor.catalog
            self.passes += 1
            for step in again:
                self._once_more(step)
            changed = {d.key for d in diff(before, self.executor.catalog)}
            if not changed:
                break
            self.misplaced += [
                (s.id, f"{told[0]}, which a later step leads to")
                for s in again
                if s.id not in self._waited and (told := [d.key for d in self.outcomes[s.id].differences if d.key in changed])
            ]
            self._settle([s for s in self.analysis if s.id in self._stuck()])

    def _unsettled(self) -> list[StepAnalysis]:
        stale = frozenset(i for i, at in self._judged_at.items() if at < self._ddl)
        lost = frozenset(name for o in self.outcomes.values() for name in _touched(o))
        if not any(s.id in stale and self._is_suspect(s, lost) for s in self.analysis):
            return []
        return unsettled(self.analysis, self.executor.catalog, self.executor.provided, stale, self._stuck())

    def _is_suspect(self, step: StepAnalysis, lost: frozenset[str]) -> bool:
        """Whether a later step may have given this one its work, or taken it away; what only added to others did neither."""
        outcome = self.outcomes[step.id]
        if outcome.outcome in (Outcome.ALREADY_THERE, Outcome.SKIPPED):
            return step.kind is not StepKind.DATA and any(True for _ in conditions(step.program))
        if step.kind is StepKind.MIXED or any(e.key.kind in VIEWS for s in statements(step.program) for e in s.effects):
            return True
        return bool(lost) and not lost.isdisjoint(names_of(step.program))

    def _stuck(self) -> frozenset[str]:
        """The steps that did not work out so far."""
        not_done = (Outcome.FAILED, Outcome.NO_EFFECT, Outcome.REFUSED)
        return frozenset(i for i, o in self.outcomes.items() if o.outcome in not_done)

    def _settle(self, waiting: list[StepAnalysis]) -> None:
        last_chance = False
        while waiting and self.passes < MAX_PASSES:
            self.passes += 1
            late, progress = self._pass(waiting, last_chance)
            if not late or (last_chance and not progress):
                break
            last_chance = not progress
            waiting = late

    def _pass(self, waiting: list[StepAnalysis], last_chance: bool) -> tuple[list[StepAnalysis], bool]:
        late: list[StepAnalysis] = []
        progress = False
        tried = done = 0
        for number, step in enumerate(waiting):
            if number < done:
                continue
            if number >= tried and not last_chance:
                planned = self._batch(waiting[number : number + batch.LIMIT])
                tried = number + len(planned)
                if len(planned) > 1 and self._together(planned):
                    done, progress = tried, True
                    self._changes += 1
                    self._ddl += 1
                    self._judged_at.update((p.analysis.id, self._ddl) for p in planned)
                    self._catch_up(late)
                    continue
            if self._tried_at.get(step.id) == self._changes:  # nothing has changed since it failed: it would fail again
                late.append(step)
                continue
            world = World(self.executor.catalog)
            need = None if last_chance else self._missing(step, world)
            if need is not None:
                self._waited.setdefault(step.id, str(need))
                self._needs[step.id] = need
                late.append(step)
                continue
            applied = self._try(step, late)
            progress = progress or applied
            if applied:
                self._catch_up(late)
        return late, progress

    def _try(self, step: StepAnalysis, late: list[StepAnalysis]) -> bool:
        """Run a step; whether it did something. One that did not work out is ``late``."""
        before = self.executor.catalog
        outcome = self._one(step)
        self._settled(outcome)
        self._needs.pop(step.id, None)
        if outcome.outcome in (Outcome.FAILED, Outcome.NO_EFFECT) and outcome.action is not Action.SKIP:
            self._waited.setdefault(step.id, outcome.reason)
            self._tried_at[step.id] = self._changes
            late.append(step)
        elif step.id in self._waited:
            self.misplaced.append((step.id, self._waited[step.id]))
        changed = before is not self.executor.catalog and bool(outcome.differences)
        if outcome.outcome is Outcome.APPLIED or changed:
            self._changes += 1
        self._ddl += changed
        self._judged_at[step.id] = self._ddl
        return outcome.outcome is Outcome.APPLIED or changed

    def _catch_up(self, late: list[StepAnalysis]) -> None:
        """Steps that waited for what has just been made follow at once, as the compiled history has them."""
        progress = True
        while progress:
            progress = False
            for step in [s for s in late if s.id in self._needs]:
                world = World(self.executor.catalog)
                if world.has(self._needs[step.id]) is False or self._missing(step, world) is not None:
                    continue
                late.remove(step)
                progress = self._try(step, late) or progress

    def _once_more(self, step: StepAnalysis) -> None:
        """Run a step again, as the loop's next start would; what it did before stands where this adds nothing."""
        earlier = self.outcomes[step.id]
        outcome = self._one(step)
        self._ddl += bool(outcome.differences)
        self._judged_at[step.id] = self._ddl
        if outcome.differences or earlier.outcome in (Outcome.FAILED, Outcome.NO_EFFECT, Outcome.ALREADY_THERE):
            self._settled(outcome)

    def _batch(self, steps: list[StepAnalysis]) -> list[PlannedStep]:
        """The longest run of steps from here that may share a transaction."""
        world, found = World(self.executor.catalog), []
        for step in steps:
            if step.kind is not StepKind.SCHEMA:
                break
            planned = plan_step(step, world, self.executor.provided, self.done_once)
            fits = batch.fits(planned, self.started) if planned.action is Action.RUN else planned.warning is None
            if not fits:
                break
            found.append(planned)
            if any(world.has(need) for need in self._needs.values()):  # somebody waits for this one
                break
        while found and found[-1].action is Action.SKIP:
            found.pop()
        return found

    def _together(self, planned: list[PlannedStep]) -> bool:
        """Send a batch; whether it stands."""
        running = [p for p in planned if p.action is Action.RUN]
        log.info("[MIGRATION] Applying %d steps together, on tables of this start's own", len(running))
        outcomes = batch.execute(self.executor, planned)
        if outcomes is None:
            log.info("[MIGRATION] a step of them did not work out: going on one by one")
            return False
        for p, outcome in zip(planned, outcomes, strict=True):
            self._settled(outcome)
            if p.action is Action.RUN:
                log.info("[MIGRATION] Applying step %s (%s): %s", outcome.id, _short(p.reason), outcome.outcome)
                self._locks.extend(locks_of(p))
                if outcome.id in self._waited:
                    self.misplaced.append((outcome.id, self._waited[outcome.id]))
        return True

    def _missing(self, step: StepAnalysis, world: World) -> Key | None:
        """What a step needs and does not find: it would fail, or swallow the failure, so it waits for a later one."""
        if step.problem:
            return None
        found = evaluate(step.program, world, self.executor.provided)
        if step.kind is StepKind.SCHEMA or step.kind is StepKind.MIXED:
            return found.fails or found.swallowed
        return found.fails

    def _one(self, step: StepAnalysis) -> StepOutcome:
        planned = plan_step(step, World(self.executor.catalog), self.executor.provided, self.done_once)
        if planned.action is Action.RUN and step.kind is StepKind.DATA and self._has_nothing_to_do(step):
            planned = PlannedStep(step, Action.SKIP, daily.NO_ROW)
        if planned.action is Action.SKIP:
            return skipped(planned)
        log.info("[MIGRATION] Applying step %s (%s)", step.id, _short(planned.reason))
        outcome = self.executor.execute(planned)
        self._locks.extend(locks_of(planned))
        log.log(
            logging.INFO if outcome.outcome is Outcome.APPLIED else logging.WARNING,
            "[MIGRATION] step %s: %s in %.1f ms%s", step.id, outcome.outcome, outcome.seconds * 1000,
            "" if outcome.outcome is Outcome.APPLIED else f" ({outcome.reason})",
        )  # fmt: skip
        return outcome

    def _has_nothing_to_do(self, step: StepAnalysis) -> bool:
        return standing.has_nothing_to_do(self.executor.session, self.executor.catalog, step)

    def _settled(self, outcome: StepOutcome) -> None:
        """Keep the latest outcome of a step, and all of them in the order in which they came about."""
        self.outcomes.pop(outcome.id, None)
        self.outcomes[outcome.id] = outcome if outcome.pass_ == self.passes else replace(outcome, pass_=self.passes)

    def in_list_order(self) -> tuple[StepOutcome, ...]:
        """Outcomes in the order of the list."""
        return tuple(self.outcomes[s.id] for s in self.analysis if s.id in self.outcomes)

    def locks(self) -> list[str]:
        """Each lock once."""
        return list(dict.fromkeys(self._locks))


def _short(reason: str) -> str:
    """A reason on one line of a log."""
    line = " ".join(reason.split())
    return line if len(line) <= 120 else line[:117] + "..."


def locks_of(planned: PlannedStep) -> list[str]:
    """The table locks that a step's pending statements take, by PostgreSQL's manual ("Explicit Locking")."""
    found: list[str] = []
    for s in planned.statements:
        if s.tag == "index_stmt":
            mode = "SHARE" if s.transactional else "SHARE UPDATE EXCLUSIVE"
        elif s.tag in ("alter_table_stmt", "drop_stmt", "rename_stmt", "truncate_stmt"):
            mode = "ACCESS EXCLUSIVE"
        elif s.tag == "create_trig_stmt":
            mode = "SHARE ROW EXCLUSIVE"
        elif s.tag in ("insert_stmt", "update_stmt", "delete_stmt"):
            mode = "ROW EXCLUSIVE"
        else:
            continue
        tables = [dict(e.attributes).get("table") or e.key.table or e.key.name for e in s.effects] or [
            k.name for k in s.needs if k.kind is Kind.TABLE
        ]
        found.extend(f"{mode} {table}" for table in dict.fromkeys(tables))
    return found


def _has_once(analysis: Analysis) -> bool:
    return any(s.step.repeat is Repeat.ONCE for s in analysis)


# --- verify and record -----------------------------------------------------------------------------------------


def _verdict(outcomes: tuple[StepOutcome, ...], options: Options) -> BootOutcome:
    failed = [o for o in outcomes if o.outcome is Outcome.FAILED]
    stopping = [o for o in failed if not (o.is_busy and (o.optional or options.on_busy == "degraded"))]
    if stopping:
        return BootOutcome.DEGRADED if options.on_error == "continue" else BootOutcome.FAILED
    if failed:
        return BootOutcome.DEGRADED
    return BootOutcome.REPAIRED if any(o.outcome is Outcome.APPLIED for o in outcomes) else BootOutcome.CURRENT


def _warnings(outcomes: tuple[StepOutcome, ...], done: Convergence, analysis: Analysis, after: Catalog) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.outcome in (Outcome.NO_EFFECT, Outcome.REFUSED):
            yield f"step {outcome.id} ({outcome.place}): {outcome.outcome}: {outcome.reason}"
    for step_id, need in done.misplaced:
        yield f"step {step_id} stands before what it needs in the list: {need}"
    yield from _undone(done, analysis, after)


def _undone(done: Convergence, analysis: Analysis, after: Catalog) -> Iterator[str]:
    """Steps that were applied, and whose work a later one took away or changed."""
    provided = analysis.provided()
    by_id = {step.id: step for step in analysis}
    lost: set[str] = set()
    for outcome in reversed(done.outcomes.values()):
        step = by_id[outcome.id]
        is_schema = outcome.outcome is Outcome.APPLIED and outcome.kind == StepKind.SCHEMA
        if lost and is_schema and not lost.isdisjoint(names_of(step.program)):
            end = World(after)
            gone = [e for e in lacking(evaluate(step.program, end, provided), World(after), end) if e.present]
            if gone:
                yield f"step {step.id} was applied, and a later step took back what it made: {gone[0].key}"
        lost.update(_touched(outcome))


def _touched(outcome: StepOutcome) -> Iterator[str]:
    """The names of what a step changed or took away, and did not only add."""
    return (n for d in outcome.differences if d.left is not None for n in (d.key.table, d.key.name.partition("(")[0]) if n)


def _record(
    session: Session,
    executor: Executor,
    analysis: Analysis,
    outcomes: tuple[StepOutcome, ...],
    verdict: BootOutcome,
    after: Catalog,
    names: frozenset[str],
    digest: str,
    head: str | None,
    known: ledger_store.State | None,
) -> str | None:
    """One transaction: the outcomes without a row of their own, the boot's entry, ``alembic_version``, the state."""
    connection = session.connection
    quiet = [o for o in outcomes if o.outcome in (Outcome.FAILED, Outcome.NO_EFFECT, Outcome.REFUSED)]
    clean = verdict in (BootOutcome.CURRENT, BootOutcome.REPAIRED)
    with connection.transaction():
        for outcome in quiet:
            executor.record(outcome)
        counts: dict[str, int] = {}
        for outcome in outcomes:
            counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
        detail = {
            "steps": len(analysis),
            "outcomes": counts,
            "catalog": after.digest(),
            "revision": head if clean else None,
        }
        executor.tip = ledger_store.append(
            connection, [Draft(Driver.BOOT, Event.BOOT, executor.run, "", digest, verdict, detail)], executor.tip
        )
        revision = None
        if clean:
            revision = standing.stamp(connection, head)
            standing.remember(connection, analysis, outcomes, after, names, digest, revision)
    session.cost.round_trips += len(quiet) + 4
    return revision


def _raise_if_asked(run: Run, options: Options) -> None:
    failures = [s for s in run.steps if s.outcome is Outcome.FAILED]
    if run.outcome is BootOutcome.FAILED and all(s.is_busy for s in failures):
        raise errors.RelationBusy(
            _told(f"other sessions kept tables locked for {options.boot_timeout:g} s:", failures), hint=_HINT_BUSY, run=run
        )
    if run.outcome is BootOutcome.FAILED:
        raise errors.StepFailed(_told("PostgreSQL rejected", failures), hint=_HINT_FAILED, failures=failures, run=run)
    if options.strict:
        idle = [s for s in run.steps if s.outcome is Outcome.NO_EFFECT]
        refused = [s for s in run.steps if s.outcome is Outcome.REFUSED]
        if idle:
            raise errors.StepHadNoEffect(_told("without effect:", idle), hint=_HINT_NO_EFFECT, failures=idle, run=run)
        if refused:
            raise errors.StepRefused(
                _told("refused, for the sake of rows:", refused), hint=_HINT_REFUSED, failures=refused, run=run
            )


_HINT_FAILED = (
    "Correct the statement in the list and start again; everything else is committed and recorded. "
    'To serve all the same: boot(on_error="continue"), --on-error continue.'
)
_HINT_BUSY = (
    "Find the long transaction (SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start) and start again; "
    'or serve meanwhile: boot(on_busy="degraded"), --on-busy degraded.'
)
_HINT_NO_EFFECT = "The error that the step swallowed stands beside it: correct the step, or start without strict."
_HINT_REFUSED = "Save the rows, then allow it: Step(destructive=True), boot(allow_destructive=[id]) or --allow-destructive id."


def _told(what: str, steps: list[StepOutcome]) -> str:
    lines = [f"{what} {len(steps)} step{'s' if len(steps) != 1 else ''}"]
    for step in steps:
        where = f" ({step.place})" if step.place.file else ""
        lines.append(f"  {step.id}{where}: {step.error or step.reason}")
    return "\n".join(lines)


def _refuse_if_newer(known: ledger_store.State | None, analysis: Analysis, head: str | None, options: Options) -> None:
    """A start of the release before must not judge a database that the release after it has repaired."""
    if known is None or options.accept_newer:
        return
    mine = {s.checksum for s in analysis}
    theirs = {s["checksum"] for s in known.steps}
    later = [s for s in known.steps if s["checksum"] not in mine]
    if not later or mine - theirs or (head is not None and known.revision == head):
        return
    if head is not None and known.revision is not None and standing.knows_revision(options.history, known.revision):
        return
    told = ", ".join(s["id"] for s in later[:5])
    if all(s["additive"] for s in later):
        log.warning("[MIGRATION] the database was repaired by a later list; what it has beyond this one only adds (%s)", told)
        return
    raise errors.DatabaseIsNewer(
        f"the database was repaired by a list with {len(later)} more step(s), and not all of them only add: {told}",
        hint="Start the newer release. If the steps were removed from the list on purpose: boot(accept_newer=True), --accept-newer.",
    )


def scope(analysis: Analysis, critical_tables: Iterable[str], metadata: Any) -> frozenset[str]:
    """Every identifier that a start has to look at: of the list, the models, the inspection."""
    models = frozenset(metadata.tables[t].name for t in metadata.tables) if metadata is not None else frozenset()
    return analysis.names() | frozenset(t.rpartition(".")[2] for t in critical_tables) | models
