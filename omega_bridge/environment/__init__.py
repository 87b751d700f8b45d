"""The Alembic driver: what ``alembic/env.py`` calls, and the environment in which the bridge's own proofs run.

It reads the same registry as the boot and writes the same ledger.

Each revision's entry is written in the revision's own transaction; after an upgrade to the exported head the state row
is what a clean boot would have left, so that the next boot has nothing to do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.config import Config
from omega_bridge.environment.asked import LOCK_TIMEOUT, READ_ONLY, allowed_of, command_of, dsn_of, kept_in, project_of
from omega_bridge.environment.offline import as_sql
from omega_bridge.environment.recorder import Recorder, limit
from omega_bridge.postgres import clean_state
from omega_bridge.postgres.dsn import connection_parameters
from omega_bridge.postgres.lock import exclusive
from omega_bridge.postgres.scratch import require_mark
from omega_bridge.postgres.session import Session, border, own_statements
from omega_bridge.postgres.trust import refuse_code
from omega_bridge.revisions import alembic_border, own_path, sums
from omega_bridge.revisions.parts import from_a_part
from omega_bridge.revisions.sending import SCRATCH
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig
    from alembic.runtime.environment import EnvironmentContext


WITHOUT_MODELS = {"upgrade", "downgrade", "stamp", "current", "history", "heads", "show", "branches"}
"""Commands that compare nothing: the models need not be imported."""


_MOVES = {"upgrade", "downgrade", "do_stamp", "display_version"}
"""Alembic's own functions, by their names, that read and write the version alone: they look at no table of the models'."""


def run(context: EnvironmentContext) -> None:
    """Run the migrations that the command asks for, online or as SQL."""
    with alembic_border.told_by_alembic():
        alembic_border.log_as_configured(context.config)
        config = project_of(context.config)
        folder = Path(context.script.dir)
        if command_of(context) not in READ_ONLY:
            sums.check(folder)
        away = sums.squashed_away_in(folder)
        with alembic_border.told_of_squashed(away), _interrupted_in_a_line(context):
            if context.is_offline_mode():
                as_sql(context, kept_in(context, config, folder))
            else:
                _online(context, config, folder, away)


@contextmanager
def _interrupted_in_a_line(context: EnvironmentContext) -> Iterator[None]:
    """Ctrl-C on Alembic's own command line: 130, and in which state things are. Whoever calls Alembic from a program gets the exception."""
    try:
        yield
    except KeyboardInterrupt:
        if context.config.cmd_opts is None:
            raise
        print(
            "interrupted, before it was through: revisions that are done stand with their version, what was begun of the next one in a"
            " transaction is taken back; go on with the same command",
            file=sys.stderr,
        )
        raise SystemExit(_INTERRUPTED) from None


_INTERRUPTED = 130
"""As a shell has it, after SIGINT."""


def upgrade(config: AlembicConfig, revision: str) -> None:
    """``alembic upgrade`` for the library: in this environment, whatever the project's ``env.py`` does. Raises our own errors."""
    alembic_border.upgrade(config, revision, run)


def downgrade(config: AlembicConfig, revision: str) -> None:
    """``alembic downgrade``, as ``upgrade``."""
    alembic_border.downgrade(config, revision, run)


def _online(context: EnvironmentContext, config: Config, folder: Path, away: Mapping[str, str]) -> None:
    attributes = context.config.attributes
    command = command_of(context)
    try:
        context.script.get_heads()  # the files are read before anything is locked, and before a transaction begins that waits for them
    except KeyError:  # of Alembic's map of revisions: one is named that no file has
        sums.check(folder)
        raise
    dsn = dsn_of(context, config, attributes.get("omega_bridge_dsn"))
    mark = attributes.get("omega_bridge_mark")
    with ExitStack() as stack:
        with border(dsn):
            connection = stack.enter_context(alembic_border.connection_to(connection_parameters(dsn)))
        if mark is not None:
            require_mark(alembic_border.driver_of(connection), mark)
            connection.info[SCRATCH] = True
        session = Session.over(alembic_border.driver_of(connection), dsn)
        if command not in READ_ONLY:
            stack.enter_context(exclusive(session, LOCK_TIMEOUT, keeps_sessions=config.pooler_keeps_sessions))
        limit(connection)
        table = kept_in(context, config, folder)
        refuse_code(
            alembic_border.driver_of(connection), config.trusted_owners, table
        )  # Alembic reads the version before anything else
        schema = table.schema if table is not None else None
        if schema is not None and command not in READ_ONLY:
            clean_state.make_schema(alembic_border.driver_of(connection), schema)
        schema = schema or connection.exec_driver_sql("SELECT current_schema()").scalar()
        connection.commit()
        recorder = Recorder(
            connection, session, config, folder, attributes.get("omega_bridge_registry"), allowed=allowed_of(context, config),
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
        alembic_border.around(migrations, lambda inner: recorder.watched(from_a_part(inner, away)))
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
        if recorder.last:  # where nothing ran, nothing of what a start needs is loaded
            from omega_bridge.environment.clean_end import leave_clean

            with own_statements(dsn):
                leave_clean(recorder, heads)
        connection.commit()
