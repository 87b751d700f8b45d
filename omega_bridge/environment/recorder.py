"""Writes what each revision did into the ledger, in the revision's own transaction."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omega_bridge import errors
from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config, with_flags
from omega_bridge.environment.asked import LOCK_TIMEOUT, exported_of
from omega_bridge.environment.row_watch import RowWatch
from omega_bridge.ledger import Draft, Driver, Event, Outcome, new_run
from omega_bridge.outcomes import recorded
from omega_bridge.planning.foundation import PARTIAL
from omega_bridge.postgres import guarding, indexes, ledger_store, lock
from omega_bridge.postgres.catalog_reader import CatalogReader, read_catalog
from omega_bridge.postgres.driver_errors import lost_connection
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.foundation import rejected
from omega_bridge.postgres.grants import homeless
from omega_bridge.postgres.journal import Journal
from omega_bridge.postgres.reaching import reaches_beyond
from omega_bridge.postgres.session import Session, not_permitted, permissions
from omega_bridge.revisions import alembic_border, own_path
from omega_bridge.revisions.operations import CREATED, INDEXES
from omega_bridge.revisions.parts import left_the_part
from omega_bridge.revisions.recording import ATTEMPTS, Rejected
from omega_bridge.revisions.row_guard import GUARD, Exported
from omega_bridge.revisions.sending import as_on_connecting, be_oneself, begin_behind, play, settle
from omega_bridge.revisions.set_before import SetSoFar, set_so_far
from omega_bridge.sql import identifier
from omega_bridge.steps import Registry
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, MigrationInfo, MigrationStep
    from sqlalchemy import Connection, MetaData

    from omega_bridge.typed import Connection as PsycopgConnection
    from omega_bridge.typed import Migrations

log = logging.getLogger("omega_bridge")
_NOT_PERMITTED = "42501"
_OF_ROWS = ("22", "23")
"""SQLSTATE classes of what rows make fail: data exceptions, and violations of constraints."""


@dataclass(slots=True)
class Recorder:
    """Writes what each revision did into the ledger, and tells downgrades what the bridge itself created."""

    connection: Connection
    session: Session
    config: Config
    folder: Path
    given: tuple[Registry, MetaData | None] | None = None
    run: str = field(default_factory=new_run)
    before: Catalog | None = None
    names: frozenset[str] | None = None
    reader: CatalogReader | None = None
    last: str = ""
    allowed: frozenset[str] | None = frozenset()
    running: MigrationStep | None = None
    guard: RowWatch | None = None
    table: VersionTable | None = None
    """Where the history's revision is kept."""
    attempts: list[Rejected] = field(default_factory=list)
    is_pinned: bool = False
    after: Callable[[str], object] | None = None
    """Called with each revision that stands; the next one runs as on a connection of its own."""

    def watched(self, migrations: Migrations) -> Migrations:
        """The migrations of a command, with what each may touch read from the catalog before it."""

        def steps(heads: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
            context.opts[ATTEMPTS] = self.attempts
            context.opts[INDEXES] = self
            own_path.let_go(self.connection)
            so_far: SetSoFar | None = None
            for step in migrations(heads, context):
                if so_far is None:
                    so_far = SetSoFar()
                    if not step.is_downgrade:
                        so_far = set_so_far(alembic_border.script_of(context), heads)
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
                    limit(self.connection)
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
        raw, module = self.raw, getattr(getattr(self.running, "revision", None), "module", None)
        ledger_store.prepare(raw, self.config.trusted_owners, self.table)
        index = indexes.named(self.session, name, schema)
        step = (next(iter(getattr(module, "steps", ())), ""), ",".join(getattr(module, "checksums", ())))
        journal = Journal(self.session, step, self.run, Driver.ALEMBIC, ledger_store.tip(raw))
        if journal.is_ours(index.name):
            return True
        if index.is_invalid:
            told = f"index {index.name} is INVALID, and the record does not name it: another session may be building it"
            log.warning("omega-bridge: %s; where none is, drop it", told)
            self.attempts.append(Rejected("55000", told))
            return False
        journal.begun(1, 1, index.name)
        return True

    def applied(self, ctx: MigrationContext, step: MigrationInfo, heads: Collection[str], run_args: Mapping[str, object]) -> None:
        """Alembic's ``on_version_apply``: one entry a revision, in its transaction."""
        own_path.let_go(self.connection)
        left_the_part(ctx, step)
        raw = self.raw
        ledger_store.prepare(raw, self.config.trusted_owners, self.table)
        after = self._catalog(self.names) if self.before is not None else None
        changes = diff(self.before, after) if self.before is not None and after is not None else ()
        event = Event.STAMP if step.is_stamp else Event.UPGRADE if step.is_upgrade else Event.DOWNGRADE
        subject = step.up_revision_id or ""
        module = getattr(step.up_revision, "module", None)
        checksums = getattr(module, "checksums", ())
        detail: dict[str, object] = {
            "steps": list(getattr(module, "steps", ())),
            "checksums": list(checksums),
            **recorded(changes),
        }
        if self.guard is not None and self.guard.destroyed:
            detail["destroyed"] = [d.as_dict() for d in self.guard.destroyed]
        outcome = Outcome.APPLIED if changes else Outcome.ALREADY_THERE
        for told in self.attempts:
            found, missing = _became(told, after)
            if found is not Outcome.ALREADY_THERE and outcome is not Outcome.FAILED:
                outcome = found
                detail["error"] = {"sqlstate": told.sqlstate, "message": told.message}
                if missing:
                    detail["reason"] = missing
        ledger_store.append(raw, [Draft(Driver.ALEMBIC, event, self.run, subject, ",".join(checksums), outcome, detail)])
        if event is Event.DOWNGRADE:
            probe_function.forget(raw)
        lock.prove(self.session)
        self.last = event

    def failed(self, error: Exception) -> None:
        """Record what ended the command, in a transaction of its own: nothing of that revision stands, and nothing counts as done."""
        raw = self.raw
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
        event = Event.UPGRADE if self.running is not None and self.running.is_upgrade else Event.DOWNGRADE
        detail: dict[str, object] = {"steps": list(getattr(module, "steps", ())), "checksums": list(checksums)}
        if told is not None:
            detail["error"] = {"sqlstate": told[0], "message": told[1]}
        else:
            detail["reason"] = str(getattr(error, "message", error))
            detail["destroyed"] = [d.as_dict() for d in getattr(error, "failures", ())]
        outcome = Outcome.FAILED if told is not None else Outcome.REFUSED
        with suppress(errors.NotPermitted), permissions(self.session), raw.transaction():  # what ended the command says so
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
        exported = exported_of(self.running) if self.running is not None else None
        what = exported.told if exported is not None else f"revision {getattr(module, 'revision', 'none')}"
        from omega_bridge.startup.run import granted

        if found[0] == _NOT_PERMITTED and found[1].startswith("permission denied for database "):
            return not_permitted(self.raw, found[1], "upgrade")
        if found[0] == _NOT_PERMITTED and self.running is None and "pg_catalog" in found[1]:  # under the path that pins it
            return homeless(self.raw)
        if found[0] == _NOT_PERMITTED and self.running is None:
            told = f"the role {self.raw.info.user!r} may not keep the revision in {self.table or VersionTable()}: {found[1]}"
            return errors.NotPermitted(told, hint=f"{granted(found[1], identifier(self.raw.info.user))}.")
        hint = (
            "Correct the step in the list, and export; or the revision, if it is your own. What came before it stands, with its version: "
            "go on with alembic upgrade head."
        )
        if found[0] == _NOT_PERMITTED:
            hint = f"The role that upgrades lacks a privilege: {granted(found[1], identifier(self.raw.info.user))}. {hint}"
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

        registry, _ = self.given or self.listed()
        found = who_mends(analyse(registry).steps, exported.checksums) if registry is not None else None
        return found.id if found is not None else None

    def _guard(self, step: MigrationStep) -> RowWatch | None:
        """The guard of rows for a revision of ours: none where it certainly keeps them."""
        exported = exported_of(step)
        if exported is None:
            return None
        command = "downgrade" if step.is_downgrade else "upgrade"
        is_overheard = guarding.is_overheard(self.session)
        if command == "upgrade" and exported.keeps_rows and not is_overheard:
            return None
        flags = (*exported.destructive, *self._flagged(exported)) if command == "upgrade" else ()
        is_allowed = self.allowed is None or exported.is_allowed((*self.allowed, *flags))
        return RowWatch(self.session, exported, command, is_allowed, is_overheard)

    def _catalog(self, names: frozenset[str] | None) -> Catalog:
        """The schema as it is now, by names or whole; the server plans the question by names once for all revisions."""
        if names is None:
            return read_catalog(self.raw)
        self.reader = self.reader or CatalogReader(self.session, takes_back=True)
        return self.reader.read(names)

    def any_reaches(self, steps: Iterable[MigrationStep]) -> bool:
        """Whether one of these migrations may reach beyond the schema of this command. What an earlier one makes may not be seen here."""
        found = False
        for step in steps:
            exported = exported_of(step)
            self.before = self._catalog(_names(step))
            found = found or self._reaches(step) or (exported is not None and any(map(_MAKES_FUNCTION.search, exported.texts)))
        self.before = None
        self.raw.commit()
        return found

    def _reaches(self, step: MigrationStep) -> bool:
        """Whether a revision may reach beyond the schema of this command: one that was written by hand may."""
        exported = exported_of(step)
        if exported is None or not exported.texts or self.before is None:
            return hasattr(step, "revision")  # and not a stamp
        from omega_bridge.analysis import analyse

        catalog = self.before
        return any(reaches_beyond(self.session, found, catalog) for found in analyse(Registry.of(exported.texts)))

    def _flagged(self, exported: Exported) -> tuple[str, ...]:
        """The steps of a revision that the list lets take rows away today, in the words in which they were exported."""
        from omega_bridge.analysis import analyse

        registry, _ = self.given or self.listed()
        if registry is None:
            return ()
        free = {(s.id, s.checksum) for s in analyse(registry) if s.step.destructive}
        return tuple(
            label for label, checksum in zip(exported.steps, exported.checksums, strict=False) if (label, checksum) in free
        )

    @property
    def raw(self) -> PsycopgConnection:
        """psycopg's own connection, inside the same transaction."""
        return alembic_border.driver_of(self.connection)

    def listed(self) -> tuple[Registry | None, MetaData | None]:
        """The project's list and models, where it has any."""
        if self.config.steps is None:
            return None, None
        from omega_bridge.sources import load

        paths, order = self.config.python_paths, self.config.sql_order
        registry = load(self.config.steps, root=self.config.root, python_path=paths, order=order)
        return with_flags(registry, self.config), self.config.load_metadata()

    def _created(self, step: MigrationStep) -> frozenset[str] | None:
        """What the ledger says that the bridge created for a revision; ``None`` where it says nothing of it."""
        raw = self.raw
        if not ledger_store.exists(raw):
            return None
        revision = getattr(step, "revision", None)
        module = getattr(revision, "module", None)
        revisions = (str(getattr(revision, "revision", "")), *(part[0] for part in getattr(module, "parts", ())))
        return ledger_store.created_by(raw, revisions, tuple(getattr(module, "checksums", ())))


_MAKES_FUNCTION = re.compile(r"\b(FUNCTION|PROCEDURE|OPERATOR|AGGREGATE|EXTENSION)\b", re.IGNORECASE)
"""What a later migration of the same transaction may call, unseen by another connection."""


def _became(told: Rejected, catalog: Catalog | None) -> tuple[Outcome, str | None]:
    """What became of a text that was rejected, as a start would say it; with what it lacks."""
    from omega_bridge.analysis.reading import reading_of
    from omega_bridge.planning.rejected import became_unasked

    if not told.text or catalog is None:
        return Outcome.ALREADY_THERE if told.is_of_its_own else Outcome.FAILED, None
    return became_unasked(reading_of(told.text), told.sqlstate, catalog)


def _names(step: MigrationStep) -> frozenset[str] | None:
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


def limit(connection: Connection) -> None:
    """The bridge's own settings of a connection that runs revisions."""
    connection.exec_driver_sql("SET lock_timeout = '10s'")
    connection.exec_driver_sql("SET idle_in_transaction_session_timeout = '60s'")  # a revision may think between statements
