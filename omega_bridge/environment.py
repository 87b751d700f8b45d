"""The Alembic driver: what ``alembic/env.py`` calls, and the environment in which the bridge's own proofs run.

It reads the same registry as the boot and writes the same ledger.

Each revision's entry is written in the revision's own transaction; after an upgrade to the exported head the state row
is what a clean boot would have left, so that the next boot has nothing to do.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omega_bridge.catalog import Catalog, diff
from omega_bridge.config import Config, database_url, direct_url, load_config, with_flags
from omega_bridge.ledger import Draft, Driver, Event
from omega_bridge.outcomes import change
from omega_bridge.postgres import ledger_store, lock, standing, watch
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.dsn import connection_parameters, normalise
from omega_bridge.postgres.lock import exclusive
from omega_bridge.postgres.scratch import require_mark
from omega_bridge.postgres.session import Session, border
from omega_bridge.repair import scope
from omega_bridge.revisions import alembic_border, sums
from omega_bridge.revisions.operations import CREATED
from omega_bridge.revisions.parts import from_a_part, left_the_part
from omega_bridge.start import promise_digest
from omega_bridge.steps import Registry

READ_ONLY = {"current", "check", "history", "heads", "show", "branches"}
"""Commands that wait for nobody: a boot that holds the lock does not stop them."""

WITHOUT_MODELS = {"upgrade", "downgrade", "stamp", "current", "history", "heads", "show", "branches"}
"""Commands that compare nothing: the models need not be imported."""

LOCK_TIMEOUT = 60.0
"""Seconds to wait for a boot or another ``alembic`` command."""


def run(context: Any) -> None:
    """Run the migrations that the command asks for, online or as SQL."""
    with alembic_border.told_by_alembic():
        config = _project(context.config)
        folder = Path(context.script.dir)
        if _command(context) not in READ_ONLY:
            sums.check(folder)
        away = sums.squashed_away_in(folder)
        with alembic_border.told_of_squashed(away):
            if context.is_offline_mode():
                _offline(context)
            else:
                _online(context, config, folder, away)


def upgrade(config: Any, revision: str) -> None:
    """``alembic upgrade`` for the library: in this environment, whatever the project's ``env.py`` does. Raises our own errors."""
    alembic_border.upgrade(config, revision, run)


def downgrade(config: Any, revision: str) -> None:
    """``alembic downgrade``, as ``upgrade``."""
    alembic_border.downgrade(config, revision, run)


def _project(alembic_config: Any) -> Config:
    given = alembic_config.attributes.get("omega_bridge_config")
    if given is not None:
        return given  # type: ignore[no-any-return]
    name = alembic_config.config_file_name
    return load_config(start=Path(name).resolve().parent if name else Path.cwd())


def _command(context: Any) -> str:
    options = context.config.cmd_opts
    return str(options.cmd[0].__name__) if options is not None and getattr(options, "cmd", None) else ""


def _offline(context: Any) -> None:
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        literal_binds=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _online(context: Any, config: Config, folder: Path, away: Mapping[str, str]) -> None:
    attributes = context.config.attributes
    command = _command(context)
    dsn = _dsn(context, config, attributes.get("omega_bridge_dsn"))
    mark = attributes.get("omega_bridge_mark")
    with ExitStack() as stack:
        with border(dsn):
            connection = stack.enter_context(alembic_border.connection_to(connection_parameters(dsn)))
        if mark is not None:
            require_mark(_driver_of(connection), mark)
        session = Session.over(_driver_of(connection), dsn)
        if command not in READ_ONLY:
            stack.enter_context(exclusive(session, LOCK_TIMEOUT, keeps_sessions=config.pooler_keeps_sessions))
        connection.exec_driver_sql("SET lock_timeout = '10s'")
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout = '60s'")  # a revision may think between statements
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar()
        connection.commit()
        recorder = Recorder(connection, session, config, folder, attributes.get("omega_bridge_registry"))
        context.configure(
            connection=connection,
            target_metadata=None if command in WITHOUT_MODELS else config.load_metadata(),
            transaction_per_migration=True,
            version_table_schema=schema,  # a step may leave another search_path behind
            include_object=alembic_border.include_object,
            compare_server_default=True,
            on_version_apply=recorder.applied,
        )
        migrations = context.get_context()
        migrations._migrations_fn = recorder.watched(from_a_part(migrations._migrations_fn, away))
        with context.begin_transaction():
            context.run_migrations()
        recorder.finish(migrations.get_current_heads())
        connection.commit()


def _dsn(context: Any, config: Config, attribute: str | None) -> str:
    """Where to connect: the direct URL is preferred where no URL was named for this command."""
    if attribute:
        return attribute
    given = context.get_x_argument(as_dictionary=True).get("url") or context.config.get_main_option("sqlalchemy.url")
    direct = None if given else direct_url(config, os.environ)
    return normalise(direct or database_url(config, given, os.environ))


@dataclass(slots=True)
class Recorder:
    """Writes what each revision did into the ledger, and tells downgrades what the bridge itself created."""

    connection: Any
    session: Session
    config: Config
    folder: Path
    given: tuple[Registry, Any] | None = None
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    before: Catalog | None = None
    names: frozenset[str] | None = None
    last: str = ""

    def watched(self, migrations: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
        """The migrations of a command, with what each may touch read from the catalog before it."""

        def steps(heads: Any, context: Any) -> Iterator[Any]:
            for step in migrations(heads, context):
                self.names = _names(step)
                self.before = read_catalog(self._raw(), self.names)
                if step.is_downgrade and hasattr(step, "revision"):
                    context.opts[CREATED] = self._created(step)
                yield step

        return steps

    def applied(self, *, ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
        """Alembic's ``on_version_apply``: one entry a revision, in its transaction."""
        left_the_part(ctx, step)
        raw = self._raw()
        ledger_store.prepare(raw, self.config.trusted_owners)
        changes = diff(self.before, read_catalog(raw, self.names)) if self.before is not None else ()
        event = Event.STAMP if step.is_stamp else Event.UPGRADE if step.is_upgrade else Event.DOWNGRADE
        subject = step.up_revision_id or ""
        module = getattr(step.up_revision, "module", None)
        checksums = getattr(module, "checksums", ())
        created = [str(d.key) for d in changes if not d.attribute and d.left is None]
        detail = {
            "steps": list(getattr(module, "steps", ())),
            "checksums": list(checksums),
            "created": created,
            "changes": [change(d) for d in changes if d.attribute or d.left is not None],
        }
        outcome = "applied" if changes else "already-there"
        ledger_store.append(raw, [Draft(Driver.ALEMBIC, event, self.run, subject, ",".join(checksums), outcome, detail)])
        if event is Event.DOWNGRADE:
            watch.forget(raw)
        lock.prove(self.session)
        self.last = event

    def finish(self, heads: tuple[str, ...]) -> None:
        """After an upgrade to the exported head: leave what a clean boot would have left."""
        head = sums.head(self.folder)
        if self.last not in (Event.UPGRADE, Event.STAMP) or head is None or heads != (head,):
            return
        registry, metadata = self.given or self._list()
        if registry is None:
            return
        from omega_bridge.analysis import analyse
        from omega_bridge.revisions.files import export
        from omega_bridge.revisions.models import with_models

        analysis = analyse(with_models(registry, metadata) if metadata is not None else registry)
        if export(analysis, self.folder, write=False).revisions:
            return
        raw = self._raw()
        raw.execute("RESET search_path")
        names = scope(analysis, self.config.critical_tables, metadata)
        promised = standing.Promised(analysis, names)
        asked = watch.ask(raw, promised.watched)
        catalog = read_catalog(raw, names)
        outcomes = standing.without_effect(analysis, catalog)
        if outcomes is None or (outcomes and self.last is Event.STAMP):
            return
        digest = promise_digest(registry.digest(), metadata, head)
        standing.remember(raw, promised, outcomes, catalog, asked, digest, head)

    def _list(self) -> tuple[Registry | None, Any]:
        if self.config.steps is None:
            return None, None
        from omega_bridge.sources import load

        registry = load(self.config.steps, root=self.config.root, python_path=self.config.python_paths)
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
