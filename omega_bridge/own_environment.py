"""For an ``env.py`` of the project's own, whatever it connects with: ``guarded``, around what runs the migrations.

The lock is held, and the state left, on a connection of ours beside the one that ``env.py`` has opened, to the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.config import Config
from omega_bridge.environment.asked import LOCK_TIMEOUT, READ_ONLY, command_of, may_set, project_of
from omega_bridge.environment.clean_end import leave_clean
from omega_bridge.environment.recorder import Recorder
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.ledger import Event
from omega_bridge.postgres import ledger_store, lock, trust
from omega_bridge.postgres.dsn import connection_parameters, normalise
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.session import Session, border, permissions
from omega_bridge.revisions import alembic_border, own_settings, sums
from omega_bridge.revisions.sending import send
from omega_bridge.revisions.set_before import set_before
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext, MigrationStep

    from omega_bridge.typed import Connection, Migrations


@contextmanager
def guarded(context: EnvironmentContext) -> Iterator[None]:
    """Between ``context.configure()`` and ``context.begin_transaction()``: check the history, hold the lock of a start, and leave its state.

    Errors come as Alembic tells its own. Offline, and for commands that only read, nothing is locked. Raises ``CommandError``.
    """
    with alembic_border.told_by_alembic():
        folder, command = Path(context.script.dir), command_of(context)
        if command not in READ_ONLY:
            sums.check(folder)
        migrations = context.get_context()
        if command in READ_ONLY:
            if not context.is_offline_mode():
                owners, read = project_of(context.config).trusted_owners, _read_by(migrations)
                question = partial(trust.code_question, named=owners, table=read)
                trust.refuse_found(alembic_border.asked(migrations.connection, question))
            yield
            return
        if context.is_offline_mode():
            before = partial(set_before, context.script)
            alembic_border.around(migrations, lambda inner: own_settings.in_script(inner, may_set, before))
            yield
            return
        url, here = alembic_border.address_of(migrations.connection)
        dsn, config = normalise(url), project_of(context.config)
        table = _kept_in(migrations, config, folder)
        with ExitStack() as stack:
            with border(dsn):
                beside = stack.enter_context(alembic_border.connection_to(connection_parameters(dsn)))
            raw = alembic_border.driver_of(beside)
            _be_there(raw, here)
            session = Session.over(raw, dsn)
            stack.enter_context(lock.exclusive(session, LOCK_TIMEOUT, keeps_sessions=config.pooler_keeps_sessions))
            with permissions(session, "upgrade"):
                ledger_store.prepare(raw, config.trusted_owners, table)
            raw.commit()
            recorder = Recorder(
                beside, session, config, folder, context.config.attributes.get("omega_bridge_registry"), table=table
            )
            whole = partial(lock.database, session, LOCK_TIMEOUT)
            alembic_border.around(migrations, lambda inner: _noted(recorder, inner, lambda: stack.enter_context(whole())))
            try:
                yield
            except Exception as error:
                if (told := recorder.told(error, dsn)) is not None:
                    raise told from error
                raise
            if migrations._in_external_transaction:
                return  # what was done is not committed yet: the next start looks
            if recorder.last == Event.DOWNGRADE:
                probe_function.forget(raw)
            leave_clean(recorder, ledger_store.versions(raw, table))
            beside.commit()
            raw.commit()


def _kept_in(migrations: MigrationContext, config: Config, folder: Path) -> VersionTable | None:
    """Where the history's revision is kept. Raises ``ConfigurationInvalid`` where ``env.py`` and the configuration do not say the same."""
    table = config.version_table or sums.version_table(folder)
    theirs = _read_by(migrations)
    wanted = table or VersionTable()
    if theirs.name != wanted.name or (table is not None and theirs.schema not in (None, table.schema)):
        lines = [f'version-table = "{theirs.name}"', *([f'version-table-schema = "{theirs.schema}"'] if theirs.schema else [])]
        raise ConfigurationInvalid(
            f"env.py keeps the revision in {theirs}, and a start would keep it in {wanted}",
            hint=f"Write {' and '.join(lines)} in [tool.omega-bridge], and export; or give context.configure() the other name.",
        )
    return theirs if theirs.schema is not None else table


def _read_by(migrations: MigrationContext) -> VersionTable:
    """The table of versions that Alembic reads, as ``env.py`` says."""
    return VersionTable(migrations.version_table, migrations.version_table_schema)


def _noted(recorder: Recorder, migrations: Migrations, hold: Callable[[], object]) -> Migrations:
    """The migrations of a command; which one runs is noted.

    ``hold``: take the lock of the whole database until all is committed; done ahead of all where one may reach beyond its schema.
    """

    def steps(heads: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
        found, connection = list(migrations(heads, context)), context.connection
        if recorder.any_reaches(found):
            hold()
        if found and connection is not None and not found[0].is_downgrade:
            for text in set_before(alembic_border.script_of(context), heads):
                send(connection, text)
        for step in found:
            recorder.running = step
            yield step
            recorder.last = Event.DOWNGRADE if step.is_downgrade else Event.UPGRADE if hasattr(step, "revision") else Event.STAMP

    return steps


def _be_there(raw: Connection, here: alembic_border.Here) -> None:
    """Where the other connection is, and under its search path. Raises ``ConfigurationInvalid`` where the URL led elsewhere."""
    row = raw.execute(alembic_border.HERE).fetchone()
    found = alembic_border.Here(*(row or ()))
    if (found.database, found.since) != (here.database, here.since):
        raise ConfigurationInvalid(
            f"the URL of env.py's engine leads to database {found.database!r}, and its connection to {here.database!r} of another server",
            hint="Make the engine from a URL that names host and database; what stands in connect_args is not read here.",
        )
    raw.execute("SELECT pg_catalog.set_config('search_path', %s, false)", (here.search_path,))
    raw.commit()
