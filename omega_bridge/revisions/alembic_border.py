"""What the environment needs of Alembic and SQLAlchemy: connections, errors as Alembic prints them, comparison filters."""

from __future__ import annotations

import io
import logging
import logging.config
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from omega_bridge.errors import ConfigurationInvalid, OmegaBridgeError, RevisionSquashed, StepSyntaxError
from omega_bridge.redaction import without_literal
from omega_bridge.revisions.locations import beside, locations

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

    from omega_bridge.typed import Connection as PsycopgConnection
    from omega_bridge.typed import Migrations


@contextmanager
def connection_to(parts: Mapping[str, object]) -> Iterator[Connection]:
    """An SQLAlchemy connection through psycopg, for libpq's connection parameters."""
    engine = create_engine(make_url("postgresql+psycopg://"), connect_args=dict(parts), poolclass=NullPool)
    try:
        connection = engine.connect()
    except DBAPIError as error:
        raise (error.orig or error) from None  # the driver's own, which the caller knows
    with connection:
        try:
            yield connection
        except BaseException:
            if not connection.closed and not connection.invalidated and driver_of(connection).closed:
                connection.invalidate()  # an interruption ended it: there is nothing to roll back, and the pool would log that it cannot
            raise


@dataclass(frozen=True, slots=True)
class Here:
    """Where a connection has led: the database, since when its server runs, and where names are looked for."""

    database: str
    since: str
    search_path: str


HERE = (
    "SELECT pg_catalog.current_database()::pg_catalog.text, extract(epoch FROM pg_catalog.pg_postmaster_start_time())::pg_catalog.text,"
    " pg_catalog.current_setting('search_path')"
)


def address_of(connection: Connection | None) -> tuple[str, Here]:
    """The URL that a connection's engine was made with, password and all, and where it has led. Raises ``ConfigurationInvalid``."""
    if connection is None:
        raise ConfigurationInvalid(
            "there is no connection", hint="Call context.configure(connection=...) before guarded(context)."
        )
    is_begun = connection.in_transaction()
    database, since, path = connection.exec_driver_sql(HERE).one()
    if not is_begun:
        connection.rollback()
    return connection.engine.url.render_as_string(hide_password=False), Here(database, since, path)


def asked(connection: Connection | None, question: Callable[[int], str]) -> list[tuple[object, ...]]:
    """The rows of a question, put together for the server's version (as 150004), through any driver; its transaction is left as it was."""
    if connection is None:
        return []
    is_begun = connection.in_transaction()
    version = int(connection.exec_driver_sql("SELECT pg_catalog.current_setting('server_version_num')").scalar_one())
    sent = text(re.sub(r"(?<!:):(?!:)", r"\\:", question(version)))  # a colon in a name begins no parameter
    found = [tuple(row) for row in connection.execute(sent)]
    if not is_begun:
        connection.rollback()
    return found


@contextmanager
def told_by_alembic() -> Iterator[None]:
    """Our errors as ``CommandError``: the command line prints them in one piece, without a traceback."""
    try:
        yield
    except OmegaBridgeError as error:
        raise CommandError(str(error)) from error


@contextmanager
def told_of_squashed(away: Mapping[str, str]) -> Iterator[None]:
    """Alembic's "can't locate revision" as ``RevisionSquashed``, where it is one of ``away`` that cannot be found."""
    try:
        yield
    except CommandError as error:
        named = re.search(r"identified by '(\w+)'", str(error))
        if named is None or named[1] not in away:
            raise
        raise RevisionSquashed(
            f"revision {named[1]} is loaded no more: it was squashed into {away[named[1]]}",
            hint=f"A database that stands there: alembic upgrade head, or a start. Else name {away[named[1]]} or a later one.",
        ) from error


def driver_of(connection: Connection) -> PsycopgConnection:
    """psycopg's own connection, inside the same transaction."""
    return cast("PsycopgConnection", connection.connection.driver_connection)


def script_of(context: MigrationContext) -> ScriptDirectory:
    """The history that a command works with."""
    return cast("ScriptDirectory", context.script)


def around(context: MigrationContext, put: Callable[[Migrations], Migrations]) -> None:
    """Put something around the migrations that a command runs."""
    context._migrations_fn = put(cast("Migrations", context._migrations_fn))  # type: ignore[assignment]


def include_object(
    obj: object, name: str | None, kind: str, reflected: bool, compare_to: object, *, versions: str = "alembic_version"
) -> bool:
    """For ``alembic check``: the bridge's own schema is no drift, nor is a table of versions. ``versions``: the name of the history's own."""
    is_version = kind == "table" and reflected and name in ("alembic_version", versions)
    return getattr(obj, "schema", None) != "omega_bridge" and not is_version


def log_as_configured(config: Config) -> None:
    """On Alembic's command line, logging as ``alembic.ini`` has it, as Alembic's own ``env.py`` does; not where somebody has configured it."""
    name = config.config_file_name
    handlers = (*logging.getLogger().handlers, *logging.getLogger("alembic").handlers)
    if config.cmd_opts is None or name is None or any(not isinstance(one, logging.NullHandler) for one in handlers):
        return
    if config.file_config.has_section("loggers"):
        logging.config.fileConfig(name, disable_existing_loggers=False)


def alembic_config(folder: Path, dsn: str) -> Config:
    """A configuration for commands run by the library: no ini file, no logging set up."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if beside(folder):
        config.set_main_option("version_locations", os.pathsep.join(map(str, locations(folder))).replace("%", "%%"))
    config.attributes["omega_bridge_dsn"] = dsn
    return config


def upgrade(config: Config, revision: str, run: Callable[[EnvironmentContext], None]) -> None:
    """``alembic upgrade`` in the environment ``run``: the folder's ``env.py`` is not loaded. Raises our own errors."""
    script = _script(config)

    def upgrade(heads: Any, _context: Any) -> Any:  # the name is Alembic's own for it, and ``from_a_part`` asks for that
        return script._upgrade_revs(revision, heads)

    _run_in(EnvironmentContext(config, script, fn=upgrade, destination_rev=revision), run)


def downgrade(config: Config, revision: str, run: Callable[[EnvironmentContext], None]) -> None:
    """``alembic downgrade`` in the environment ``run``, as ``upgrade``."""
    script = _script(config)

    def downgrade(heads: Any, _context: Any) -> Any:
        return script._downgrade_revs(revision, heads)

    _run_in(EnvironmentContext(config, script, fn=downgrade, destination_rev=revision), run)


def _script(config: Config) -> ScriptDirectory:
    """The history's files, loaded once for a configuration of ours."""
    found: ScriptDirectory = config.attributes.get("omega_bridge_script") or ScriptDirectory.from_config(config)
    config.attributes["omega_bridge_script"] = found
    return found


def history(config: Config) -> list[str]:
    """The lines of ``alembic history``."""
    config.stdout = io.StringIO()
    command.history(config)
    return config.stdout.getvalue().splitlines()


def told_by_server(error: BaseException) -> str | None:
    """SQLSTATE and message of an error that came from PostgreSQL, whether or not SQLAlchemy has wrapped it; else ``None``."""
    found = server_error(error)
    return f"{found[0]}: {found[1]}" if found else None


def rejection(error: BaseException) -> tuple[str | None, str] | None:
    """SQLSTATE and message of what rejected a step: the server or, without SQLSTATE, ours of a text that no server can be sent."""
    return (None, error.message) if isinstance(error, StepSyntaxError) else server_error(error)


_SYNTAX = "42601"


def server_error(error: BaseException) -> tuple[str, str] | None:
    """The same as a pair. psycopg and asyncpg say ``sqlstate``, psycopg2 ``pgcode``, pg8000 gives the fields of the protocol."""
    while isinstance(error, OmegaBridgeError) and error.__cause__ is not None:
        error = error.__cause__
    cause = getattr(error, "orig", None) or error
    cause = getattr(cause, "__cause__", None) or cause if not hasattr(cause, "sqlstate") else cause
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state:
        said = str(cause).splitlines()[0]
        return state, without_literal(said) if state == _SYNTAX else said
    fields = cause.args[0] if cause.args else None
    return (fields["C"], fields["M"]) if isinstance(fields, dict) and {"C", "M"} <= fields.keys() else None


def _run_in(environment: EnvironmentContext, run: Callable[[EnvironmentContext], None]) -> None:
    """What ``alembic.command`` does, but for ``env.py``. Our own errors come without Alembic's around them."""
    try:
        with environment as context:
            run(context)
    except CommandError as error:
        if isinstance(ours := error.__cause__, OmegaBridgeError):
            raise ours from ours.__cause__
        raise
