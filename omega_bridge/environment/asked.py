"""What a command of Alembic's asks for: of which project, on which database, and which rows it may take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.analysis.context import may_set as sets_context
from omega_bridge.config import Config, database_url, direct_url, load_config
from omega_bridge.postgres.dsn import normalise
from omega_bridge.revisions import sums
from omega_bridge.revisions.row_guard import Exported, allowed_by
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationStep


READ_ONLY = {"current", "check", "history", "heads", "show", "branches"}
"""Commands that wait for nobody: a boot that holds the lock does not stop them."""


LOCK_TIMEOUT = 60.0
"""Seconds to wait for a boot or another ``alembic`` command."""


def project_of(alembic_config: AlembicConfig) -> Config:
    """The configuration of the project that an ``alembic.ini`` is of."""
    given = alembic_config.attributes.get("omega_bridge_config")
    if given is not None:
        return given  # type: ignore[no-any-return]
    name = alembic_config.config_file_name
    return load_config(start=Path(name).resolve().parent if name else Path.cwd())


def command_of(context: EnvironmentContext) -> str:
    """The command that runs, as Alembic's function for it is called; empty where the library calls."""
    options = context.config.cmd_opts
    return str(options.cmd[0].__name__) if options is not None and getattr(options, "cmd", None) else ""


def kept_in(context: EnvironmentContext, config: Config, folder: Path) -> VersionTable | None:
    """Where the history's revision is kept: as it is configured, else as its last export says; a proof keeps it where Alembic does."""
    if "omega_bridge_mark" in context.config.attributes:
        return None
    return config.version_table or sums.version_table(folder)


def allowed_of(context: EnvironmentContext, config: Config | None) -> frozenset[str] | None:
    """The ids of steps and revisions that may take rows away; ``None``: all may."""
    named = context.config.attributes.get("omega_bridge_allow_destructive", ())
    if named is True:
        return None
    listed = config.boot_options().get("allow_destructive", ()) if config is not None else ()
    return allowed_by(context.get_x_argument()) | frozenset(named) | frozenset(listed)


def exported_of(step: MigrationStep) -> Exported | None:
    """What the file of a migration says of itself, where it is one of ours and not a stamp."""
    module = getattr(getattr(step, "revision", None), "module", None)
    return Exported.read(vars(module)) if module is not None else None


def may_set(step: MigrationStep) -> bool:
    """Whether a migration of ours may leave other settings behind for those that follow."""
    exported = exported_of(step)
    return exported is not None and any(map(sets_context, exported.texts))


def dsn_of(context: EnvironmentContext, config: Config, attribute: str | None) -> str:
    """Where to connect: the direct URL is preferred where no URL was named for this command."""
    if attribute:
        return attribute
    given = context.get_x_argument(as_dictionary=True).get("url") or context.config.get_main_option("sqlalchemy.url")
    direct = None if given else direct_url(config, os.environ)
    return normalise(direct or database_url(config, given, os.environ))
