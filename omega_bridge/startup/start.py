"""The self-repair at start, as a service calls it. The fast path lives here: one question, and nothing when all is there.

Every service imports this at every start, so it loads what a call needs when it is called; and what is only needed to repair
(the parser, the planner, SQLAlchemy) when there is something to repair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Any, Unpack

    from sqlalchemy import MetaData

    from omega_bridge.options import OnBusy, OnError, OnGap
    from omega_bridge.outcomes import CriticalTable, StepOutcome
    from omega_bridge.postgres.catalog_reader import CatalogReader
    from omega_bridge.postgres.fast_path.probe import Probe
    from omega_bridge.postgres.session import Session
    from omega_bridge.startup.run import BootOptions, Options, Run
    from omega_bridge.steps import Registry, StepLike
    from omega_bridge.version_table import VersionTable


def boot(
    database: object,
    steps: Registry | Iterable[StepLike],
    *,
    metadata: MetaData | None = None,
    critical_tables: Collection[str] = (),
    on_error: OnError = "stop",
    strict: bool = False,
    allow_destructive: Collection[str] = (),
    history: str | Path | None = None,
    lock_timeout: float = 60.0,
    table_lock_timeout: float = 0.5,
    statement_timeout: float = 0.0,
    boot_timeout: float = 30.0,
    retry: bool = False,
    accept_newer: bool = False,
    direct_url: str | None = None,
    on_busy: OnBusy = "fail",
    pooler_keeps_sessions: bool = False,
    trusted_owners: Collection[str] = (),
    retry_after: float = 0.0,
    on_gap: OnGap = "stop",
    foundation: str | Path | Sequence[str | Path] | None = None,
    version_table: str | None = None,
    version_table_schema: str | None = None,
) -> Run:
    """Bring one database up to the list, and record every outcome.

    ``database``: a libpq or SQLAlchemy URL, an ``Engine`` or an ``AsyncEngine``. ``steps``: a registry or a bare list.
    ``metadata``: the models' ``MetaData``; tables that no step creates are created from it. ``critical_tables``: names
    that the inspection reports on. ``on_error``: ``"stop"`` raises ``StepFailed`` at the end, ``"continue"`` returns a
    ``degraded`` run. ``strict`` raises on a step without effect or refused, too. ``allow_destructive``: ids of steps
    that may drop what holds rows. ``history``: the Alembic folder (with ``omega.sum``) whose head is stamped.
    Times in seconds: ``lock_timeout`` for other starts, ``table_lock_timeout`` for one try at a table's lock,
    ``statement_timeout`` (0: none), ``boot_timeout`` the budget for all tries. ``retry`` judges everything anew, also
    what stood refused or without effect. ``accept_newer`` starts although a later list repaired this database.
    ``direct_url``: where ``database`` goes through a pooler, the way past it for the repair (else the environment's
    ``OMEGA_BRIDGE_DIRECT_URL``); a start with nothing to do needs none. ``pooler_keeps_sessions``: the pooler in between
    gives each client a server connection of its own (``pool_mode = session``), and may be repaired through. ``on_busy``: where other sessions
    keep a table locked for the whole ``boot_timeout``, ``"fail"`` raises ``RelationBusy`` at the end; ``"degraded"`` returns
    a run that is ready, and goes on trying in a thread (``Run.retrying``). ``trusted_owners``: roles whose objects in the
    schema ``omega_bridge`` are used, beside the current role, those that it is a member of, superusers and the database's
    owner. ``retry_after``: seconds between two tries of a step that stands failed (0: at every start).
    ``on_gap``: where the models need tables, columns or labels that are not there at the end, ``"stop"`` raises ``ModelsAhead``,
    ``"degraded"`` returns a run that says so (``Run.lacks``). ``foundation``: files of SQL, or folders of them, that make what the list
    stands on: laid where none of its tables is there. Without it a start lays none. ``version_table``, ``version_table_schema``: where the
    revision of this history is kept, if not where its last export says (``alembic_version``, unless the project has configured otherwise).

    Raises ``StepFailed``, ``StepHadNoEffect``, ``StepRefused``, ``ModelsAhead``, ``LockNotAcquired``, ``RelationBusy``,
    ``LockLost``, ``DatabaseIsNewer``, ``ListDoesNotSettle``, ``PoolerDetected``, ``DatabaseUnreachable``,
    ``AuthenticationFailed``, ``NotPermitted``, ``NotTrusted``, ``ReadOnlyDatabase``, ``FoundationIncomplete``.
    """
    import os
    from dataclasses import replace

    from omega_bridge.startup.run import asked_for

    options = asked_for(
        critical_tables=critical_tables,
        on_error=on_error,
        strict=strict,
        allow_destructive=allow_destructive,
        history=history,
        lock_timeout=lock_timeout,
        table_lock_timeout=table_lock_timeout,
        statement_timeout=statement_timeout,
        boot_timeout=boot_timeout,
        retry=retry,
        accept_newer=accept_newer,
        direct_url=direct_url or os.environ.get("OMEGA_BRIDGE_DIRECT_URL") or None,
        on_busy=on_busy,
        pooler_keeps_sessions=pooler_keeps_sessions,
        trusted_owners=trusted_owners,
        retry_after=retry_after,
        on_gap=on_gap,
        foundation=foundation,
        version_table=version_table,
        version_table_schema=version_table_schema,
    )
    options = replace(options, kept_in=_kept_in(options))
    _show_lines()
    run = run_boot(database, steps, metadata, options)
    if on_busy == "degraded" and any(s.is_busy for s in run.steps):
        from functools import partial

        from omega_bridge.startup.background import Retrying

        return replace(run, retrying=Retrying(run, partial(run_boot, database, steps, metadata, options)))
    return run


def _kept_in(options: Options) -> VersionTable | None:
    """Where the history's revision is kept: as it was said, else as the folder says; ``None`` for Alembic's own table."""
    if options.version_table or options.version_table_schema:
        from omega_bridge.version_table import named

        return named(options.version_table, options.version_table_schema)
    if options.history is None:
        return None
    from omega_bridge.revisions.sums import version_table

    return version_table(options.history)


async def boot_async(database: object, steps: Registry | Iterable[StepLike], **options: Unpack[BootOptions]) -> Run:
    """``boot`` for an event loop: the same arguments, in a thread of its own, so that the loop goes on.

    Cancelled, as by ``asyncio.wait_for``, it ends the server's work and its connections; what was not committed is rolled back.
    """
    import asyncio

    calls: list[Any] = []

    def work() -> Run:
        from omega_bridge.postgres.session import CALL, Call

        calls.append(Call())
        CALL.set(calls[0])
        return boot(database, steps, **options)

    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        import threading

        for call in calls:
            threading.Thread(target=call.give_up, name="omega-bridge-cancel", daemon=True).start()
        raise


def run_boot(database: object, steps: Registry | Iterable[StepLike], metadata: MetaData | None, options: Options) -> Run:
    """Connect and ask; only where something differs, read the list and repair under the lock."""
    import time

    from omega_bridge.postgres.dsn import normalise
    from omega_bridge.postgres.session import open_session
    from omega_bridge.startup.ahead import Ahead
    from omega_bridge.steps import Registry, digest_of

    started = time.perf_counter()
    if metadata is not None and not getattr(metadata, "tables", None):
        from omega_bridge.config import require_tables

        require_tables(metadata, "that was given")
    head = exported_head(options.history)
    if not isinstance(steps, Registry | list | tuple):
        steps = Registry.of(steps)
    listed = digest_of(steps)
    digest, ahead = promise_digest(listed, metadata, head, options.kept_in), Ahead(steps, listed)
    with open_session(normalise(database), modules=ahead.modules()) as session:
        session.cost.seconds["connect"] = time.perf_counter() - started
        run = None if options.retry else when_current(session, digest, head, options)
        if run is None and options.direct_url is None:
            run = _in_turn(session, steps, metadata, options, digest, head)
    if run is None:  # the pooled connection is closed: nobody waits for a second one while he holds the first
        with open_session(normalise(options.direct_url), session.cost) as direct:
            run = _in_turn(direct, steps, metadata, options, digest, head)
    ahead.keep()
    session.cost.seconds["total"] = time.perf_counter() - started
    return run


def boot_over(
    session: Session, steps: Registry, metadata: MetaData | None, options: Options, reader: CatalogReader | None = None
) -> Run:
    """``run_boot`` on a connection that is there, and judging everything anew. What steps set on it stays, nothing that was read is kept, and
    nobody looks for where the list is written.

    ``reader``: that of all starts on this connection.
    """
    head = exported_head(options.history)
    digest = promise_digest(steps.digest(), metadata, head)
    return _in_turn(session, steps, metadata, options, digest, head, keeps=False, known=reader)


def _in_turn(
    session: Session,
    steps: Registry | Iterable[StepLike],
    metadata: MetaData | None,
    options: Options,
    digest: str,
    head: str | None,
    *,
    keeps: bool = True,
    known: CatalogReader | None = None,
) -> Run:
    """Repair under the lock; nothing where another start did so meanwhile. Only who repairs loads what that needs."""
    import time

    from omega_bridge.postgres.lock import exclusive
    from omega_bridge.postgres.session import permissions
    from omega_bridge.postgres.waiting import nothing_waits_for_ever

    def done_by_another() -> Run | None:
        return None if options.retry else when_current(session, digest, head, options)

    started = time.perf_counter()
    keeps_sessions = options.pooler_keeps_sessions
    with (
        permissions(session),
        nothing_waits_for_ever(session, options.boot_timeout),
        exclusive(
            session, options.lock_timeout, budget=options.boot_timeout, keeps_sessions=keeps_sessions, meanwhile=done_by_another
        ) as turn,
    ):
        session.cost.seconds["lock"] = time.perf_counter() - started
        if turn.instead is not None:
            return cast("Run", turn.instead)
        if options.foundation:
            from omega_bridge.startup.foundation import lay

            lay(session, options.foundation, options.trusted_owners, options.lock_timeout, options.kept_in)
        from omega_bridge.startup.garbage import Garbage

        with Garbage() as garbage:
            from omega_bridge.postgres.warm_up import getting_ready
            from omega_bridge.steps import Registry

            registry = Registry.of(steps)
            with getting_ready(session, options.lock_timeout, options.trusted_owners, options.kept_in, known) as ready:
                from omega_bridge.startup.situation import situation, understood

                planner, promised = understood(
                    registry, steps, metadata, options.critical_tables, ready.reader, session.deferred, keeps=keeps
                )
            garbage.count()
            begun = situation(session, ready, planner, promised, metadata, options, head)
            from omega_bridge.startup.repair import repair

            run = repair(session, ready.reader, begun, metadata, options, digest, head)
    session.cost.seconds["repair"] = time.perf_counter() - started
    return run


def when_current(session: Session, digest: str, head: str | None, options: Options) -> Run | None:
    """The run of a start that finds everything there; ``None`` where something differs."""
    import logging
    import time

    from omega_bridge.outcomes import Standing
    from omega_bridge.postgres.fast_path.probe import probe
    from omega_bridge.startup.run import Run, judged, missing_at_the_end, raise_if_asked

    started = time.perf_counter()
    within = max(options.boot_timeout, 1.0)
    found = probe(session, critical=options.critical_tables, owners=options.trusted_owners, within=within)
    session.cost.seconds["probe"] = time.perf_counter() - started
    if found is None or not found.is_current(digest, head) or _is_to_be_judged(found, options):
        return None
    failed = _still_failing(session, found, options) if found.has_failed else ()
    if failed is None or (failed and options.foundation and _lacks_foundation(session, options)):
        return None
    outcomes = _of_data(session, found, options)
    if outcomes is None:
        return None
    standing = tuple(Standing(s["id"], s["outcome"], s["reason"]) for s in found.standing)
    warnings = tuple(map(str, standing))
    log = logging.getLogger("omega_bridge")
    for stands in standing:
        again = "at the next start" if stands.outcome == "failed" else "when the list or the schema changes, or with retry"
        log.warning("[MIGRATION] %s (it is tried again %s)", stands, again)
    inspection = tuple(found_there(options.critical_tables, found))
    for warning in (unready := missing_at_the_end(inspection)):
        log.warning("[MIGRATION] %s", warning)
    run = Run(
        judged(failed, options),
        (*failed, *outcomes),
        0,
        found.revision,
        found.catalog_digest,
        inspection,
        warnings=(*warnings, *unready),
        cost=session.cost,
        standing=standing,
    )
    told = _how_it_stands([s.outcome for s in standing])
    level = logging.WARNING if standing else logging.INFO
    log.log(
        level,
        "[MIGRATION] nothing %sto do: %s",
        "else " if standing else "",
        told,
        extra={"outcome": str(run.outcome), "revision": run.revision},
    )
    raise_if_asked(run, options, _how_to_lay(session, failed, options) if run.outcome == "failed" else "")
    return run


def _of_data(session: Session, found: Probe, options: Options) -> tuple[StepOutcome, ...] | None:
    """What became of the data steps; ``None`` where the whole list has to be looked at."""
    if not found.data:
        return ()
    from omega_bridge.postgres import data_steps

    return data_steps.run(session, found.data, options.table_lock_timeout, options.trusted_owners, options.kept_in)


def _how_to_lay(session: Session, failed: Iterable[StepOutcome], options: Options) -> str:
    from omega_bridge.startup.foundation import how_to_lay

    lacks_table = any(o.error is not None and o.error.sqlstate == "42P01" for o in failed)
    return how_to_lay(session.connection, options.history) if lacks_table else ""


def _how_it_stands(outcomes: Sequence[str]) -> str:
    """Of a start that sends nothing: what its list holds against it."""
    if not outcomes:
        return "the schema is as the list says"
    stand = " and ".join(f"{outcomes.count(o)} {o}" for o in dict.fromkeys(outcomes))
    return f"steps stand as they did ({stand}), and nothing else has changed"


def _lacks_foundation(session: Session, options: Options) -> bool:
    """Whether what stands failed may do so for want of a foundation that this start was asked to lay."""
    from omega_bridge.startup.foundation import lacks

    return lacks(session, options.foundation)


def _is_to_be_judged(found: Probe, options: Options) -> bool:
    """Whether a step that stands without effect or refused is judged anew: by ``strict``, or because it is allowed now."""
    stands = [s for s in found.standing if s["outcome"] in ("no-effect", "refused")]
    refused = (s["id"] for s in stands if s["outcome"] == "refused")
    return bool(stands) and (options.strict or any(step in options.allow_destructive for step in refused))


def _still_failing(session: Session, found: Probe, options: Options) -> tuple[StepOutcome, ...] | None:
    """What stands failed, tried again where it is time to; ``None`` where one would go through now."""
    import time

    from omega_bridge.postgres.failed_steps import still_failing

    is_due = time.time() - found.tried >= options.retry_after
    outcomes = still_failing(session, found.standing, options.table_lock_timeout, options.statement_timeout, is_due=is_due)
    if outcomes and is_due and options.retry_after:
        from omega_bridge.postgres.fast_path import probe_function

        probe_function.note_try(session.connection, time.time())
    return outcomes


def found_there(critical: Collection[str], found: Probe) -> Iterator[CriticalTable]:
    """The critical tables, as the probe has just seen them; that one lacks columns was seen when the state was recorded."""
    from omega_bridge.outcomes import CriticalTable

    recorded = {t["table"]: t for t in found.inspection}
    for name in critical:
        if name not in found.present:
            yield CriticalTable(name, "missing")
        elif name in recorded and recorded[name]["state"] != "missing":
            yield CriticalTable(name, recorded[name]["state"], tuple(recorded[name]["lacks"]))
        else:
            yield CriticalTable(name, "present")


def promise_digest(listed: str, metadata: MetaData | None, head: str | None, table: VersionTable | None = None) -> str:
    """What a start promises, in 64 characters: the list as written, the models, the exported head, and where that is to be kept."""
    import hashlib

    models = ""
    if metadata is not None:
        from omega_bridge.revisions.fingerprint import models_digest

        models = models_digest(metadata)
    kept = f":{table}" if table is not None and not table.is_alembics else ""
    return hashlib.sha256(f"{listed}:{models}:{head or ''}{kept}".encode()).hexdigest()


def exported_head(history: Path | None) -> str | None:
    """The last revision in the folder's ``omega.sum``; ``None`` where nothing was exported."""
    if history is None:
        return None
    path = history / "omega.sum"
    if not path.exists():
        return None
    from omega_bridge.revisions.sums import head

    return head(history)


def _show_lines() -> None:
    """Log to stderr where the program has configured no logging: uvicorn, for one, configures its own loggers only.

    As soon as the program configures it, the lines are the program's. Not with ``OMEGA_BRIDGE_LOG=off``.
    """
    import logging
    import os

    log = logging.getLogger("omega_bridge")
    if log.hasHandlers() or os.environ.get("OMEGA_BRIDGE_LOG", "").lower() in ("off", "0", "no", "false"):
        return
    import sys

    ours = logging.StreamHandler(sys.stderr)
    is_level_ours = log.level == logging.NOTSET
    if is_level_ours:
        log.setLevel(logging.INFO)

    def until_configured(record: logging.LogRecord) -> bool:
        if log.handlers == [ours] and not (log.propagate and logging.getLogger().handlers):
            return True
        log.removeHandler(ours)
        log.removeFilter(until_configured)
        if is_level_ours and log.level == logging.INFO:
            log.setLevel(logging.NOTSET)
        return log.isEnabledFor(record.levelno)

    log.addHandler(ours)
    log.addFilter(until_configured)
