"""The slow path of a boot: inspect, create what only the models know, repair until nothing changes, verify, record.

Everything here happens under the lock. The order of work is that of the list; a step that waits for a later one is
tried again after it, as the next start of a naive loop would.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from omega_bridge.analysis import Analysis, StepKind
from omega_bridge.catalog import Catalog
from omega_bridge.ledger import Outcome, new_run
from omega_bridge.outcomes import BootOutcome, Standing, StepOutcome
from omega_bridge.planning import Action, World, evaluate, lacking
from omega_bridge.postgres import clean_state, ledger_store, lock, states
from omega_bridge.postgres.catalog_reader import CatalogReader
from omega_bridge.postgres.executor import Executor
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.fast_path.probe import probe
from omega_bridge.postgres.limits import Limits
from omega_bridge.postgres.session import Session
from omega_bridge.postgres.waiting import BUSY
from omega_bridge.startup.inspection import inspect, report
from omega_bridge.startup.record import Recorded, how_far, record
from omega_bridge.startup.rest import Rest, read_with, rest_of
from omega_bridge.startup.run import Options, Run, judged, missing_at_the_end, raise_if_asked
from omega_bridge.startup.schedule import Convergence, Settled, touched
from omega_bridge.startup.situation import Situation
from omega_bridge.steps import Repeat

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import MetaData

    from omega_bridge.startup.lacks import Lack
    from omega_bridge.typed import Connection

log = logging.getLogger("omega_bridge")


def repair(
    session: Session,
    reader: CatalogReader,
    begun: Situation,
    metadata: MetaData | None,
    options: Options,
    digest: str,
    head: str | None,
) -> Run:
    """Bring the database up to the list, and record it. The caller holds the lock."""
    connection = session.connection
    planner, promised, known, before = begun.planner, begun.promised, begun.known, begun.before
    analysis = planner.analysis
    report(inspect(before, options.critical_tables, metadata))
    executor = Executor(
        session, reader, before, promised.names, planner.provided, new_run(), begun.tip,
        Limits(options.table_lock_timeout, options.statement_timeout, options.boot_timeout, options.lock_timeout),
        options.allow_destructive,
    )  # fmt: skip
    planner.done_once = ledger_store.done_once(connection) if _has_once(analysis) else frozenset()
    settled, rest = _settled(session, known, promised, before, options)
    done = Convergence(executor, planner, before, promised, settled)
    done.run()
    outcomes, promised, asked, after, is_still = _at_the_end(session, done, executor, promised, known, head, options, rest)
    lacking_of_models = _lacking_of_models(after, metadata)
    verdict = judged(outcomes, options, has_gap=bool(lacking_of_models))
    if verdict is BootOutcome.REPAIRED and not _is_work(
        outcomes, analysis, is_known=known is not None and known.digest == digest
    ):
        verdict = BootOutcome.CURRENT
    warnings = (
        *_warnings(outcomes, done, analysis, after),
        *(f"the models need what is not there: {lack}" for lack in lacking_of_models),
        *(() if is_still else (_OVERTAKEN,)),
    )
    session.deferred.finish()
    inspection = inspect(after, options.critical_tables, metadata)
    try:
        reached = how_far(
            options, head, known.revision if known else None, analysis, after, outcomes,
            _not_laid(connection, analysis, options.history, outcomes),
        )  # fmt: skip
        digest = digest if is_still and not lacking_of_models else _NEVER
        recorded = Recorded(verdict, digest, reached, tuple(done.unsettled), done.settled_in(after), inspection)
        revision, unmoved = record(session, executor, promised, outcomes, after, asked, recorded)
        warnings += (unmoved,) if unmoved else ()
        log.info("[MIGRATION] the ledger ends at %s", executor.tip)
    except BUSY as exc:
        from omega_bridge.postgres.driver_errors import server_error

        revision = None
        warnings += (f"the record of this start was given up, and the next one looks again: {server_error(exc)}",)
    warnings += missing_at_the_end(inspection)
    session.cost.locks.extend(done.locks())
    run = Run(
        verdict,
        outcomes,
        done.passes,
        revision,
        after.digest(),
        inspection,
        tuple(done.misplaced),
        tuple(done.unsettled),
        warnings,
        session.cost,
        lacks=lacking_of_models,
        standing=tuple(Standing(o.id, str(o.outcome), o.reason) for o in outcomes if o.is_undone),
    )
    for warning in warnings:
        log.warning("[MIGRATION] %s", warning)
    for outcome in outcomes:
        if outcome.outcome is Outcome.FAILED:
            told = outcome.error or outcome.reason
            log.error("[MIGRATION] step %s: %s: %s", outcome.id, outcome.outcome, told, extra=outcome.log_fields())
    log.log(
        _LEVELS.get(verdict, logging.WARNING if run.standing else logging.INFO), "[MIGRATION] %s: %d step(s) sent in %d pass(es)%s",
        verdict, sum(o.action is not Action.SKIP for o in outcomes), done.passes,
        f"; {len(run.standing)} step(s) stand undone" if run.standing else "",
        extra={"outcome": str(verdict), "revision": revision},
    )  # fmt: skip
    raise_if_asked(
        run, options, _first(session, analysis, run, metadata, options, after) if verdict is BootOutcome.FAILED else ""
    )
    return run


class _End(NamedTuple):
    """What a start has come to: the schema at its end with the token of just that. ``is_still``: the steps were judged in this schema; else
    somebody else goes on changing it.
    """

    outcomes: tuple[StepOutcome, ...]
    promised: clean_state.Promised
    asked: probe_function.Asked
    after: Catalog
    is_still: bool


def _at_the_end(
    session: Session,
    done: Convergence,
    executor: Executor,
    promised: clean_state.Promised,
    known: states.State | None,
    head: str | None,
    options: Options,
    rest: Rest | None,
) -> _End:
    """The schema as the steps have left it. Where somebody else has changed it behind them, they are gone through again."""
    connection, table = session.connection, options.kept_in
    session.deferred.in_parts(executor.catalog.summed_up())  # which most often is the one that will be read
    looks = 0
    while True:
        looks += 1
        passing = done.passing()
        session.execute(
            "RESET SESSION AUTHORIZATION; RESET ROLE; RESET search_path; DISCARD TEMP"
        )  # a step may have set it, and the record is one of what every start sees
        outcomes = done.in_list_order()
        is_first = promised.watched.is_whole and (known is None or known.revision is None)
        if head is not None and (table is not None or is_first):  # before the look: making it is a change of the schema
            with connection.transaction():
                clean_state.make_version_table(connection, table)
                lock.prove(session)
        promised = promised.with_effects(connection, known, options.history, outcomes)
        if promised.watched.elsewhere:
            executor.asked = None  # it was asked without them
        asked, after = _as_it_stands(executor, promised, rest, outcomes)
        goes_on = looks < _LOOKED_AGAIN and not passing  # what is gone, a step that is sent again may look for
        is_still = not done.follow(after, passing, goes_on=goes_on)
        if is_still or not goes_on:
            return _End(outcomes, promised, asked, after, is_still)


def _settled(
    session: Session, known: states.State | None, promised: clean_state.Promised, before: Catalog, options: Options
) -> tuple[Settled, Rest | None]:
    """The steps that need not be judged, and what they are about. The database is asked for its token behind the reading of
    the catalog: what was read ``before`` that is what is recorded, whoever has been at work since this start began.
    """
    settled = frozenset[int]() if known is None or options.retry else clean_state.settled_steps(known, promised.analysis)
    if known is None or not settled:
        return Settled(), None
    told = Settled(promised.analysis, settled)
    session.deferred.in_parts(told.in_parts())
    rest = rest_of(session.connection, before, promised, settled, known.names)
    found = probe(session, owners=options.trusted_owners, within=max(options.boot_timeout, 1.0))
    is_same = found is not None and found.is_as_recorded and (found.recorded, found.digest) == (known.token, known.digest)
    return (told, rest) if is_same else (Settled(), None)


def _first(session: Session, analysis: Analysis, run: Run, metadata: MetaData | None, options: Options, after: Catalog) -> str:
    """What to do first about steps that failed."""
    from omega_bridge.planning.meant import meant

    ground = _how_to_lay(session.connection, options.history, run.steps)
    near = ((o.id, meant(str(o.error), after)) for o in run.steps if o.outcome is Outcome.FAILED and o.error is not None)
    typos = "".join(f"Is table {name} meant by step {step}? " for step, name in near if name)
    return ground + typos + _of_models(analysis, run.steps, run.lacks, metadata)


def _not_laid(connection: Connection, analysis: Analysis, history: Path | None, outcomes: Iterable[StepOutcome]) -> str:
    if history is None or all(o.outcome not in (Outcome.FAILED, Outcome.REFUSED) for o in outcomes):
        return ""
    from omega_bridge.startup.foundation import not_laid

    return not_laid(connection, analysis, history)


def _how_to_lay(connection: Connection, history: Path | None, outcomes: Iterable[StepOutcome]) -> str:
    if all(o.error is None or o.error.sqlstate != _UNDEFINED_TABLE for o in outcomes):
        return ""
    from omega_bridge.startup.foundation import how_to_lay

    return how_to_lay(connection, history)


def _is_work(outcomes: Iterable[StepOutcome], analysis: Analysis, *, is_known: bool) -> bool:
    """Whether a step was applied that is work: settings for those behind it are none, nor are the data steps that every start sends.
    ``is_known``: the last start recorded this list.
    """
    sets = {s.id for s in analysis if s.reading.only_sets}
    applied = (o for o in outcomes if o.outcome is Outcome.APPLIED and o.id not in sets)
    return any(not is_known or o.kind != StepKind.DATA for o in applied)


_NEVER = "not to be taken for anybody's"
"""In the place of a list's digest: the next start looks at everything, whatever list it has."""

_OVERTAKEN = "somebody else goes on changing what this start looks at: the next one judges all of it anew"
_LOOKED_AGAIN = 3
"""How often a start goes on where somebody else has changed the schema behind it."""

_LEVELS = {BootOutcome.FAILED: logging.ERROR, BootOutcome.DEGRADED: logging.WARNING}


def _lacking_of_models(catalog: Catalog, metadata: MetaData | None) -> tuple[Lack, ...]:
    if metadata is None:
        return ()
    from omega_bridge.startup.lacks import lacks

    return lacks(catalog, metadata)


_UNDEFINED_TABLE = "42P01"


def _of_models(analysis: Analysis, outcomes: Collection[StepOutcome], lacking: Iterable[Lack], metadata: MetaData | None) -> str:
    """What models have to do with steps that failed: a table whose model nobody imported, a column that no other step adds."""
    if metadata is None:
        return ""
    from omega_bridge.model_files import of_table

    failed = {o.id for o in outcomes if o.outcome is Outcome.FAILED}
    theirs = {(e.key.kind, e.key.table, e.key.name) for step in analysis if step.id in failed for e in step.effects if e.present}
    keys = ((lack, lack.unkept.key) for lack in lacking)
    told = [f"append first: {t}" for lack, k in keys if (k.kind, k.table, k.name) not in theirs for t in lack.append]
    for outcome in outcomes:
        if outcome.error is not None and outcome.error.sqlstate == _UNDEFINED_TABLE:
            name = re.search(r'"([^"]+)"', outcome.error.message)
            if name is not None and (one := of_table(metadata, name[1])) is not None:
                told.append(str(one))
    return "".join(f"{line}. " for line in dict.fromkeys(told))


# --- verify and record -----------------------------------------------------------------------------------------


def _warnings(outcomes: tuple[StepOutcome, ...], done: Convergence, analysis: Analysis, after: Catalog) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.is_undone and outcome.outcome is not Outcome.FAILED:
            where = f" ({outcome.place})" if outcome.place.file else ""
            yield f"step {outcome.id}{where}: {outcome.outcome}: {outcome.reason}"
    for step_id, need in done.misplaced:
        yield f"step {step_id} stands before what it needs in the list: {need}"
    for step_id, made, by in done.remade:
        yield f"step {step_id} makes {made} again, which step {by} takes away: take {step_id} out of the list, if it is to be gone"
    yield from (f"the list does not settle: {found}" for found in done.unsettled)
    yield from _undone(done, analysis, after)


def _undone(done: Convergence, analysis: Analysis, after: Catalog) -> Iterator[str]:
    """Steps that were applied, and whose work a later one took away or changed."""
    changed = [o for o in done.outcomes.values() if o.differences or o.outcome is Outcome.APPLIED]
    provided = analysis.provided() if changed else frozenset()
    by_id = {step.id: step for step in analysis} if changed else {}
    lost: set[str] = set()
    for outcome in reversed(changed):
        step = by_id[outcome.id]
        is_schema = outcome.outcome is Outcome.APPLIED and outcome.kind == StepKind.SCHEMA
        if lost and is_schema and not lost.isdisjoint(step.names):
            end = World(after)
            gone = [e for e in lacking(evaluate(step.program, end, provided), World(after), end) if e.present]
            if gone:
                yield f"step {step.id} was applied, and a later step took back what it made: {gone[0].key}"
        lost.update(touched(outcome))


def _as_it_stands(
    executor: Executor, promised: clean_state.Promised, rest: Rest | None, outcomes: Iterable[StepOutcome]
) -> tuple[probe_function.Asked, Catalog]:
    """The schema at the end, with its token: as a batch read it, where no step has changed it since, and the token is still the one from just
    before that.

    Otherwise all is asked anew, the question too: it names tables by their oids, and there may be more of them now.
    """
    connection = executor.session.connection
    if executor.asked is not None:
        asked, read = executor.asked
        if asked.is_settled and executor.catalog == read and probe_function.token(connection, asked.columns) == asked.token:
            return asked, read
    for _ in range(_LOOKS):  # an event trigger may note what another session does between the two
        if (found := probe_function.ask(connection, promised.watched)).is_settled:
            break
    after = None if rest is None or promised.effects else read_with(rest, executor, outcomes)
    if after is None:
        after = executor.reader.read_meanwhile(promised.names, promised.think)
    return found, executor.catalog if after == executor.catalog else after


_LOOKS = 3


def _has_once(analysis: Analysis) -> bool:
    return any(s.step.repeat is Repeat.ONCE for s in analysis)
