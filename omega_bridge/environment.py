"""The Alembic driver: what ``alembic/env.py`` calls, and the environment in which the bridge's own proofs run.

It reads the same registry as the boot and writes the same ledger.

Each revision's entry is written in the revision's own transaction; after an upgrade to the exported head the state row
is what a clean boot would have left, so that the next boot has nothing to do.
"""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import cache, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omega_bridge import errors
from omega_bridge.analysis.context import may_set as sets_context
from omega_bridge.analysis.keeping import UNWATCHED, Watched, keeps_rows, watched
from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config, database_url, direct_url, load_config, with_flags
from omega_bridge.ledger import Draft, Driver, Event, Outcome
from omega_bridge.outcomes import Destroyed, recorded
from omega_bridge.planning.foundation import PARTIAL
from omega_bridge.postgres import clean_state, destruction, guarding, indexes, ledger_store, lock
from omega_bridge.postgres.catalog_reader import CatalogReader, read_catalog
from omega_bridge.postgres.dsn import connection_parameters, normalise
from omega_bridge.postgres.failed_revisions import failing
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.foundation import rejected
from omega_bridge.postgres.journal import Journal
from omega_bridge.postgres.lock import exclusive
from omega_bridge.postgres.reaching import reaches_beyond
from omega_bridge.postgres.scratch import require_mark
from omega_bridge.postgres.session import Session, border, lost_connection
from omega_bridge.revisions import alembic_border, own_path, own_settings, sums
from omega_bridge.revisions.graph import graph_of
from omega_bridge.revisions.operations import CREATED, INDEXES
from omega_bridge.revisions.own_enums import own_enums
from omega_bridge.revisions.parts import from_a_part, left_the_part
from omega_bridge.revisions.recording import ATTEMPTS
from omega_bridge.revisions.row_guard import GUARD, AsSql, Exported, allowed_by
from omega_bridge.revisions.sending import SCRATCH, as_on_connecting, be_oneself, begin_behind, play, settle
from omega_bridge.revisions.set_before import SetSoFar, set_before, set_so_far
from omega_bridge.sql import identifier
from omega_bridge.startup.lacks import lacks
from omega_bridge.startup.repair import scope
from omega_bridge.startup.start import promise_digest
from omega_bridge.steps import Registry
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from sqlalchemy import MetaData


log = logging.getLogger("omega_bridge")

READ_ONLY = {"current", "check", "history", "heads", "show", "branches"}
"""Commands that wait for nobody: a boot that holds the lock does not stop them."""

WITHOUT_MODELS = {"upgrade", "downgrade", "stamp", "current", "history", "heads", "show", "branches"}
"""Commands that compare nothing: the models need not be imported."""

_MOVES = {"upgrade", "downgrade", "do_stamp", "display_version"}
"""Alembic's own functions, by their names, that read and write the version alone: they look at no table of the models'."""

_OF_ROWS = ("22", "23")
"""SQLSTATE classes of what rows make fail: data exceptions, and violations of constraints."""

LOCK_TIMEOUT = 60.0
"""Seconds to wait for a boot or another ``alembic`` command."""


def run(context: Any) -> None:
    """Run the migrations that the command asks for, online or as SQL."""
    with alembic_border.told_by_alembic():
        alembic_border.log_as_configured(context.config)
        config = project_of(context.config)
        folder = Path(context.script.dir)
        if command_of(context) not in READ_ONLY:
            sums.check(folder)
        away = sums.squashed_away_in(folder)
        with alembic_border.told_of_squashed(away):
            if context.is_offline_mode():
                _offline(context, _kept_in(context, config, folder))
            else:
                _online(context, config, folder, away)


def upgrade(config: Any, revision: str) -> None:
    """``alembic upgrade`` for the library: in this environment, whatever the project's ``env.py`` does. Raises our own errors."""
    alembic_border.upgrade(config, revision, run)


def downgrade(config: Any, revision: str) -> None:
    """``alembic downgrade``, as ``upgrade``."""
    alembic_border.downgrade(config, revision, run)


def project_of(alembic_config: Any) -> Config:
    """The configuration of the project that an ``alembic.ini`` is of."""
    given = alembic_config.attributes.get("omega_bridge_config")
    if given is not None:
        return given  # type: ignore[no-any-return]
    name = alembic_config.config_file_name
    return load_config(start=Path(name).resolve().parent if name else Path.cwd())


def command_of(context: Any) -> str:
    """The command that runs, as Alembic's function for it is called; empty where the library calls."""
    options = context.config.cmd_opts
    return str(options.cmd[0].__name__) if options is not None and getattr(options, "cmd", None) else ""


def _kept_in(context: Any, config: Config, folder: Path) -> VersionTable | None:
    """Where the history's revision is kept: as it is configured, else as its last export says; a proof keeps it where Alembic does."""
    if "omega_bridge_mark" in context.config.attributes:
        return None
    return config.version_table or sums.version_table(folder)


def _offline(context: Any, table: VersionTable | None) -> None:
    context.configure(
        version_table=(table or VersionTable()).name,
        version_table_schema=table.schema if table is not None else None,
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        literal_binds=True,
        transaction_per_migration=True,
    )
    migrations = context.get_context()
    given = _allowed(context, None)
    enums = cache(partial(own_enums, context.script))

    def guarded(inner: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
        def steps(heads: Any, target: Any) -> Iterator[Any]:
            if table is not None and table.schema is not None and not heads:  # Alembic makes the table, and no schema
                target.impl.static_output(f"CREATE SCHEMA IF NOT EXISTS {identifier(table.schema)};")
            for step in inner(heads, target):
                exported, command = _exported(step), "downgrade" if step.is_downgrade else "upgrade"
                free = exported is None or (command == "upgrade" and exported.keeps_rows)
                if exported is not None and not free:
                    flags = exported.destructive if command == "upgrade" else ()
                    free = given is None or exported.is_allowed((*given, *flags))
                target.opts[GUARD] = None if free or exported is None else AsSql(target.impl, exported, command, enums)
                yield step

        return steps

    migrations._migrations_fn = guarded(
        own_settings.in_script(migrations._migrations_fn, may_set, partial(set_before, context.script))
    )
    with context.begin_transaction():
        context.run_migrations()


def may_set(step: Any) -> bool:
    """Whether a migration of ours may leave other settings behind for those that follow."""
    exported = _exported(step)
    return exported is not None and any(map(sets_context, exported.texts))


def _allowed(context: Any, config: Config | None) -> frozenset[str] | None:
    """The ids of steps and revisions that may take rows away; ``None``: all may."""
    named = context.config.attributes.get("omega_bridge_allow_destructive", ())
    if named is True:
        return None
    listed = config.boot_options().get("allow_destructive", ()) if config is not None else ()
    return allowed_by(context.get_x_argument()) | frozenset(named) | frozenset(listed)


def _exported(step: Any) -> Exported | None:
    """What the file of a migration says of itself, where it is one of ours and not a stamp."""
    module = getattr(getattr(step, "revision", None), "module", None)
    return Exported.read(vars(module)) if module is not None else None


def _online(context: Any, config: Config, folder: Path, away: Mapping[str, str]) -> None:
    attributes = context.config.attributes
    command = command_of(context)
    dsn = _dsn(context, config, attributes.get("omega_bridge_dsn"))
    mark = attributes.get("omega_bridge_mark")
    with ExitStack() as stack:
        with border(dsn):
            connection = stack.enter_context(alembic_border.connection_to(connection_parameters(dsn)))
        if mark is not None:
            require_mark(_driver_of(connection), mark)
            connection.info[SCRATCH] = True
        session = Session.over(_driver_of(connection), dsn)
        if command not in READ_ONLY:
            stack.enter_context(exclusive(session, LOCK_TIMEOUT, keeps_sessions=config.pooler_keeps_sessions))
        _limit(connection)
        table = _kept_in(context, config, folder)
        schema = table.schema if table is not None else None
        if schema is not None and command not in READ_ONLY:
            clean_state.make_schema(_driver_of(connection), schema)
        schema = schema or connection.exec_driver_sql("SELECT current_schema()").scalar()
        connection.commit()
        recorder = Recorder(
            connection, session, config, folder, attributes.get("omega_bridge_registry"), allowed=_allowed(context, config),
            table=table, after=attributes.get("omega_bridge_after"),
        )  # fmt: skip
        context.configure(
            connection=connection,
            target_metadata=None if command in WITHOUT_MODELS else config.load_metadata(),
            transaction_per_migration=True,
            version_table=(table or VersionTable()).name,
            version_table_schema=schema,  # a step may leave another search_path behind
            include_object=partial(alembic_border.include_object, versions=(table or VersionTable()).name),
            compare_server_default=True,
            on_version_apply=recorder.applied,
        )
        migrations = context.get_context()
        recorder.is_pinned = getattr(migrations._migrations_fn, "__name__", "") in _MOVES
        migrations._migrations_fn = recorder.watched(from_a_part(migrations._migrations_fn, away))
        try:
            recorder.pin()
            with context.begin_transaction():
                context.run_migrations()
        except Exception as error:
            recorder.failed(error)
            if (told := recorder.told(error, dsn)) is not None:
                raise told from error
            raise
        recorder.pin()
        heads = migrations.get_current_heads()
        own_path.let_go(connection)
        recorder.finish(heads)
        connection.commit()


def _limit(connection: Any) -> None:
    """The bridge's own settings of a connection that runs revisions."""
    connection.exec_driver_sql("SET lock_timeout = '10s'")
    connection.exec_driver_sql("SET idle_in_transaction_session_timeout = '60s'")  # a revision may think between statements


def _dsn(context: Any, config: Config, attribute: str | None) -> str:
    """Where to connect: the direct URL is preferred where no URL was named for this command."""
    if attribute:
        return attribute
    given = context.get_x_argument(as_dictionary=True).get("url") or context.config.get_main_option("sqlalchemy.url")
    direct = None if given else direct_url(config, os.environ)
    return normalise(direct or database_url(config, given, os.environ))


@dataclass(slots=True)
class _Watcher:
    """The guard of rows on the connection that Alembic holds; see ``RowGuard``. ``destroyed`` is what went, allowed."""

    session: Session
    exported: Exported
    command: str
    is_allowed: bool
    is_overheard: bool = False
    """Event triggers of others run at each statement: no reading of a text counts."""
    destroyed: list[Destroyed] = field(default_factory=list)

    def run(self, send: Callable[[], object], text: str | None) -> None:
        """Send, in a transaction of its own where there is none. Raises ``StepRefused``."""
        keeps = text is not None and keeps_rows(text) and not self.is_overheard
        if text is not None and (keeps or watched(text) is not Watched.YES):
            if watched(text) is Watched.NO and not self.is_allowed:
                raise self._refusal(UNWATCHED)
            send()
            return
        is_alone = self.session.is_alone
        try:
            if is_alone and not self.is_allowed and guarding.goes_in_batches(self.session, text or ""):
                send()
                return
            if is_alone:
                self.session.execute("BEGIN")
            self.destroyed += destruction.watch(self.session, send, allowed=self.is_allowed, text=text or "")
            if is_alone:
                lock.commit(self.session)
        except destruction.Refused as refused:
            self.session.rollback()
            raise self._refusal(refused.reason, refused.destroyed) from refused
        except destruction.ENDS_ITS_TRANSACTION:
            self.session.rollback()
            if not is_alone:
                raise
            if not self.is_allowed:
                raise self._refusal(UNWATCHED) from None  # what the server said is no failure of the step
            send()

    def _refusal(self, reason: str, destroyed: tuple[Destroyed, ...] = ()) -> errors.StepRefused:
        return errors.StepRefused(f"{self.exported.told} {reason}", hint=self.exported.hint(self.command), failures=destroyed)


@dataclass(slots=True)
class Recorder:
    """Writes what each revision did into the ledger, and tells downgrades what the bridge itself created."""

    connection: Any
    session: Session
    config: Config
    folder: Path
    given: tuple[Registry, MetaData | None] | None = None
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    before: Catalog | None = None
    names: frozenset[str] | None = None
    reader: CatalogReader | None = None
    last: str = ""
    allowed: frozenset[str] | None = frozenset()
    running: Any = None
    guard: _Watcher | None = None
    table: VersionTable | None = None
    """Where the history's revision is kept."""
    attempts: list[tuple[str | None, str]] = field(default_factory=list)
    is_pinned: bool = False
    after: Callable[[str], object] | None = None
    """Called with each revision that stands; the next one runs as on a connection of its own."""

    def watched(self, migrations: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
        """The migrations of a command, with what each may touch read from the catalog before it."""

        def steps(heads: Any, context: Any) -> Iterator[Any]:
            context.opts[ATTEMPTS] = self.attempts
            context.opts[INDEXES] = self
            own_path.let_go(self.connection)
            so_far: SetSoFar | None = None
            for step in migrations(heads, context):
                if so_far is None:
                    so_far = SetSoFar()
                    if not step.is_downgrade:
                        so_far = set_so_far(context.script, heads)
                        begin_behind(self.connection, so_far.statements())
                self.running = step
                self.attempts.clear()
                self.guard = context.opts[GUARD] = self._guard(step)
                self.names = _names(step)
                self.before = self._catalog(self.names)
                if step.is_downgrade and hasattr(step, "revision"):
                    context.opts[CREATED] = self._created(step)
                step.migration_fn = self._as_set(step.migration_fn)
                with lock.database(self.session, LOCK_TIMEOUT) if self._reaches(step) else nullcontext():
                    yield step
                settle(self.connection)
                if self.after is not None and hasattr(step, "revision"):
                    self.after(step.revision.revision)
                    as_on_connecting(self.connection)
                    _limit(self.connection)
                    so_far.take(step.revision)
                    begin_behind(self.connection, so_far.statements())
                    self.connection.commit()

        return steps

    def _as_set(self, migrate: Callable[..., Any]) -> Callable[..., Any]:
        """A revision's function, run under what one before it has set; the version is written under our own settings."""

        @wraps(migrate)
        def as_set(**options: Any) -> None:
            play(self.connection)
            migrate(**options)
            be_oneself(self.connection)
            self.pin()

        return as_set

    def pin(self) -> None:
        """What Alembic does next resolves names in ``pg_catalog`` alone; not for a command that looks at the models' tables."""
        if self.is_pinned:
            own_path.pin(self.connection)

    def begins(self, name: str, schema: str | None) -> bool:
        """Note in the record that an index is about to be built; ``False`` where an INVALID one of that name is not ours."""
        raw, module = self._raw(), getattr(getattr(self.running, "revision", None), "module", None)
        ledger_store.prepare(raw, self.config.trusted_owners, self.table)
        index = indexes.named(self.session, name, schema)
        step = (next(iter(getattr(module, "steps", ())), ""), ",".join(getattr(module, "checksums", ())))
        journal = Journal(self.session, step, self.run, Driver.ALEMBIC, ledger_store.tip(raw))
        if journal.is_ours(index.name):
            return True
        if index.is_invalid:
            told = f"index {index.name} is INVALID, and the record does not name it: another session may be building it"
            log.warning("omega-bridge: %s; where none is, drop it", told)
            self.attempts.append(("55000", told))
            return False
        journal.begun(1, 1, index.name)
        return True

    def applied(self, *, ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
        """Alembic's ``on_version_apply``: one entry a revision, in its transaction."""
        own_path.let_go(self.connection)
        left_the_part(ctx, step)
        raw = self._raw()
        ledger_store.prepare(raw, self.config.trusted_owners, self.table)
        changes = diff(self.before, self._catalog(self.names)) if self.before is not None else ()
        event = Event.STAMP if step.is_stamp else Event.UPGRADE if step.is_upgrade else Event.DOWNGRADE
        subject = step.up_revision_id or ""
        module = getattr(step.up_revision, "module", None)
        checksums = getattr(module, "checksums", ())
        detail: dict[str, Any] = {
            "steps": list(getattr(module, "steps", ())),
            "checksums": list(checksums),
            **recorded(changes),
        }
        if self.guard is not None and self.guard.destroyed:
            detail["destroyed"] = [d.as_dict() for d in self.guard.destroyed]
        outcome = Outcome.APPLIED if changes else Outcome.ALREADY_THERE
        if self.attempts:
            outcome = Outcome.FAILED
            sqlstate, message = self.attempts[0]
            detail["error"] = {"sqlstate": sqlstate, "message": message}
        ledger_store.append(raw, [Draft(Driver.ALEMBIC, event, self.run, subject, ",".join(checksums), outcome, detail)])
        if event is Event.DOWNGRADE:
            probe_function.forget(raw)
        lock.prove(self.session)
        self.last = event

    def failed(self, error: Exception) -> None:
        """Record what ended the command, in a transaction of its own: nothing of that revision stands, and nothing counts as done."""
        raw = self._raw()
        revision = getattr(self.running, "revision", None)
        if revision is None or raw.closed:
            return
        self.connection.rollback()
        raw.rollback()
        told = alembic_border.rejection(error)
        if told is None and not isinstance(error, errors.StepRefused):
            return
        module = getattr(revision, "module", None)
        checksums = getattr(module, "checksums", ())
        event = Event.UPGRADE if self.running.is_upgrade else Event.DOWNGRADE
        detail: dict[str, Any] = {"steps": list(getattr(module, "steps", ())), "checksums": list(checksums)}
        if told is not None:
            detail["error"] = {"sqlstate": told[0], "message": told[1]}
        else:
            detail["reason"] = str(getattr(error, "message", error))
            detail["destroyed"] = [d.as_dict() for d in getattr(error, "failures", ())]
        outcome = Outcome.FAILED if told is not None else Outcome.REFUSED
        with raw.transaction():
            ledger_store.prepare(raw, self.config.trusted_owners, self.table)
            ledger_store.append(
                raw, [Draft(Driver.ALEMBIC, event, self.run, revision.revision, ",".join(checksums), outcome, detail)]
            )
            probe_function.forget(raw)
            lock.prove(self.session)
        raw.commit()

    def told(self, error: Exception, dsn: str) -> errors.OmegaBridgeError | None:
        """The driver's error that ended a revision as one of ours, with the server's words; ``None`` for any other."""
        found, cause = alembic_border.server_error(error), getattr(error, "orig", None) or error
        if isinstance(error, errors.OmegaBridgeError):
            return None
        if (lost := lost_connection(cause, dsn)) is not None or found is None:
            return lost
        module = getattr(getattr(self.running, "revision", None), "module", None)
        if found[0] == PARTIAL:
            return rejected("the first revision", *found)
        exported = _exported(self.running)
        what = exported.told if exported is not None else f"revision {getattr(module, 'revision', 'none')}"
        hint = (
            "Correct the step in the list, and export; or the revision, if it is your own. What came before it stands, with its version: "
            "go on with alembic upgrade head."
        )
        if exported is not None and found[0].startswith(_OF_ROWS) and (later := self._mender(exported)) is not None:
            hint = (
                f"The step {later}, later in the list, changes rows that may be the reason: a start goes on with it, and tries this one "
                f"again (omega-bridge boot). Or mend the rows by hand. {hint}"
            )
        return errors.StepFailed(f"PostgreSQL rejected {what}: {found[0]}: {found[1]}", hint=hint)

    def _mender(self, exported: Exported) -> str | None:
        """The later step of the list that changes the rows for which PostgreSQL may have rejected a revision's step."""
        from omega_bridge.analysis import analyse
        from omega_bridge.revisions.mended_rows import who_mends

        registry, _ = self.given or self._list()
        found = who_mends(analyse(registry).steps, exported.checksums) if registry is not None else None
        return found.id if found is not None else None

    def _guard(self, step: Any) -> _Watcher | None:
        """The guard of rows for a revision of ours: none where it certainly keeps them."""
        exported = _exported(step)
        if exported is None:
            return None
        command = "downgrade" if step.is_downgrade else "upgrade"
        is_overheard = guarding.is_overheard(self.session)
        if command == "upgrade" and exported.keeps_rows and not is_overheard:
            return None
        flags = (*exported.destructive, *self._flagged(exported)) if command == "upgrade" else ()
        is_allowed = self.allowed is None or exported.is_allowed((*self.allowed, *flags))
        return _Watcher(self.session, exported, command, is_allowed, is_overheard)

    def _catalog(self, names: frozenset[str] | None) -> Catalog:
        """The schema as it is now, by names or whole; the server plans the question by names once for all revisions."""
        if names is None:
            return read_catalog(self._raw())
        self.reader = self.reader or CatalogReader(self.session, takes_back=True)
        return self.reader.read(names)

    def any_reaches(self, steps: Iterable[Any]) -> bool:
        """Whether one of these migrations may reach beyond the schema of this command. What an earlier one makes may not be seen here."""
        found = False
        for step in steps:
            exported = _exported(step)
            self.before = self._catalog(_names(step))
            found = found or self._reaches(step) or (exported is not None and any(map(_MAKES_FUNCTION.search, exported.texts)))
        self.before = None
        self._raw().commit()
        return found

    def _reaches(self, step: Any) -> bool:
        """Whether a revision may reach beyond the schema of this command: one that was written by hand may."""
        exported = _exported(step)
        if exported is None or not exported.texts or self.before is None:
            return hasattr(step, "revision")  # and not a stamp
        from omega_bridge.analysis import analyse

        catalog = self.before
        return any(reaches_beyond(self.session, found, catalog) for found in analyse(Registry.of(exported.texts)))

    def _flagged(self, exported: Exported) -> tuple[str, ...]:
        """The steps of a revision that the list lets take rows away today, in the words in which they were exported."""
        from omega_bridge.analysis import analyse

        registry, _ = self.given or self._list()
        if registry is None:
            return ()
        free = {(s.id, s.checksum) for s in analyse(registry) if s.step.destructive}
        return tuple(
            label for label, checksum in zip(exported.steps, exported.checksums, strict=False) if (label, checksum) in free
        )

    def finish(self, heads: tuple[str, ...]) -> None:
        """After an upgrade to the exported head: leave what a clean boot would have left."""
        head = sums.head(self.folder)
        if self.last not in (Event.UPGRADE, Event.STAMP) or head is None or not self._is_at(head, heads):
            return
        if stands := failing(self._raw()):
            log.warning("revision(s) %s: something of them was rejected; a start tries it again", ", ".join(stands))
            probe_function.forget(self._raw())
            return
        registry, metadata = self.given or self._list()
        if registry is None:
            return
        from omega_bridge.analysis import analyse
        from omega_bridge.revisions.files import export
        from omega_bridge.revisions.ground import stands_on
        from omega_bridge.revisions.models import with_models

        analysis = analyse(with_models(registry, metadata) if metadata is not None else registry)
        ground = stands_on(self.folder, sums.read_sum(self.folder)) if metadata is not None else None
        own = analysis if ground is None or metadata is None else analyse(with_models(registry, metadata, ground))
        if export(own, self.folder, write=False).revisions:
            return
        raw = self._raw()
        raw.execute("RESET search_path; DISCARD TEMP")
        names = scope(analysis, self.config.critical_tables, metadata)
        promised = clean_state.Promised(analysis, names).with_effects(raw, ledger_store.recall(raw), self.folder)
        asked = probe_function.ask(raw, promised.watched)
        catalog = read_catalog(raw, names)
        if metadata is not None and (lacking := lacks(catalog, metadata)):
            for lack in lacking:
                log.warning("the models need what is not there: %s", lack)
            probe_function.forget(raw)
            return
        outcomes = clean_state.without_effect(analysis, catalog)
        if outcomes is None or (outcomes and self.last is Event.STAMP):
            return
        digest = promise_digest(registry.digest(), metadata, head, self.table)
        clean_state.remember(raw, promised, outcomes, catalog, asked, digest, heads[0], table=self.table)

    def _is_at(self, head: str, heads: tuple[str, ...]) -> bool:
        """Whether the one revision at which the database stands is the exported head, or was written by hand on top of it."""
        if heads == (head,) or len(heads) != 1:
            return heads == (head,)
        graph = graph_of(self.folder, sums.read_sum(self.folder))
        return heads[0] in graph.nodes and head in graph.up_to(heads)

    def _list(self) -> tuple[Registry | None, MetaData | None]:
        if self.config.steps is None:
            return None, None
        from omega_bridge.sources import load

        paths, order = self.config.python_paths, self.config.sql_order
        registry = load(self.config.steps, root=self.config.root, python_path=paths, order=order)
        return with_flags(registry, self.config), self.config.load_metadata()

    def _created(self, step: Any) -> frozenset[str] | None:
        """What the ledger says that the bridge created for a revision; ``None`` where it says nothing of it."""
        raw = self._raw()
        if not ledger_store.exists(raw):
            return None
        module = getattr(step.revision, "module", None)
        revisions = (step.revision.revision, *(part[0] for part in getattr(module, "parts", ())))
        return ledger_store.created_by(raw, revisions, tuple(getattr(module, "checksums", ())))

    def _raw(self) -> Any:
        return _driver_of(self.connection)


def _driver_of(connection: Any) -> Any:
    """psycopg's own connection, inside the same transaction."""
    return connection.connection.driver_connection


_MAKES_FUNCTION = re.compile(r"\b(FUNCTION|PROCEDURE|OPERATOR|AGGREGATE|EXTENSION)\b", re.IGNORECASE)
"""What a later migration of the same transaction may call, unseen by another connection."""


def _names(step: Any) -> frozenset[str] | None:
    """The names that a revision's steps hold, by its docstring; ``None`` (read everything) where a step is not understood."""
    from omega_bridge.analysis import analyse, statements
    from omega_bridge.revisions.files import texts_in

    module = getattr(getattr(step, "revision", None), "module", None)
    texts = texts_in(getattr(module, "__doc__", None) or "")
    if not texts:
        return None
    analysis = analyse(Registry.of(texts))
    whole = all(not s.opaque and not s.cascade for found in analysis for s in statements(found.program, handlers=True))
    return analysis.names() if whole else None
