"""What the environment needs of Alembic and SQLAlchemy: connections, errors as Alembic prints them, comparison filters."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from omega_bridge.errors import OmegaBridgeError, RevisionSquashed


@contextmanager
def connection_to(parts: Mapping[str, Any]) -> Iterator[Connection]:
    """An SQLAlchemy connection through psycopg, for libpq's connection parameters."""
    engine = create_engine(make_url("postgresql+psycopg://"), connect_args=dict(parts), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


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


def include_object(obj: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """For ``alembic check``: the bridge's own schema is no drift."""
    return getattr(obj, "schema", None) != "omega_bridge"


def alembic_config(folder: Path, dsn: str) -> Config:
    """A configuration for commands run by the library: no ini file, no logging set up."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["omega_bridge_dsn"] = dsn
    return config


def upgrade(config: Config, revision: str) -> None:
    """``alembic upgrade``. Raises our own errors where they are the cause."""
    _command(command.upgrade, config, revision)


def downgrade(config: Config, revision: str) -> None:
    """``alembic downgrade``. Raises our own errors where they are the cause."""
    _command(command.downgrade, config, revision)


def history(config: Config) -> list[str]:
    """The lines of ``alembic history``."""
    config.stdout = io.StringIO()
    command.history(config)
    return config.stdout.getvalue().splitlines()


def told_by_server(error: BaseException) -> str | None:
    """SQLSTATE and message of an error that came from PostgreSQL, whether or not SQLAlchemy has wrapped it; else ``None``."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    return f"{state}: {str(cause).splitlines()[0]}" if state else None


def _command(verb: Any, config: Config, revision: str) -> None:
    try:
        verb(config, revision)
    except CommandError as error:
        if isinstance(error.__cause__, OmegaBridgeError):
            raise error.__cause__ from None
        raise
