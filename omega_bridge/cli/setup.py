"""From options to what verbs work on: configuration, registry, models, database."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import MetaData

    from omega_bridge.analysis import Analysis
    from omega_bridge.audit.held import Setting
    from omega_bridge.config import Config
    from omega_bridge.planning.edited import Split
    from omega_bridge.planning.foundation import Foundation
    from omega_bridge.revisions.sums import SumLine
    from omega_bridge.startup.preview import Promise
    from omega_bridge.steps import Registry
    from omega_bridge.typed import Connection
    from omega_bridge.version_table import VersionTable


@dataclass(frozen=True)
class Setup:
    """What one call of the command line works on. Each part is read when it is first asked for."""

    config: Config
    steps: str | None
    url: str | None = field(repr=False)  # it may hold a password

    @cached_property
    def registry(self) -> Registry:
        """The list, with the flags that the configuration gives to single steps."""
        from omega_bridge.config import with_flags
        from omega_bridge.sources import load

        order = self.config.sql_order
        return with_flags(load(self.source, root=self.root, python_path=self.config.python_paths, order=order), self.config)

    @property
    def source(self) -> str:
        """Where the list is written, as it was named. Raises ``ConfigurationInvalid`` where it was not."""
        return self.steps or self.config.require_steps()

    @property
    def root(self) -> Path:
        """The folder that ``source`` is relative to."""
        return Path.cwd() if self.steps else self.config.root

    @cached_property
    def metadata(self) -> MetaData | None:
        """The models' ``MetaData``, whichever list was named; ``None`` where none is configured."""
        return self.config.load_metadata()

    @cached_property
    def analysis(self) -> Analysis:
        """The list and what only the models know, analysed."""
        from omega_bridge.analysis import analyse
        from omega_bridge.revisions.models import with_models

        if self.metadata is None:
            return analyse(self.registry)
        return analyse(with_models(self.registry, self.metadata, self._beneath))

    @cached_property
    def foundation(self) -> Foundation | None:
        """What the list stands on: as it is configured, whichever list was named, else as the history of the configured one has it."""
        from omega_bridge.revisions.ground import stands_on
        from omega_bridge.sources.foundation import of_texts

        if self._foundation:
            return of_texts(self._foundation, ", ".join(self.config.foundation))
        return stands_on(self.history(), self._lines) if self._is_own_list() else None

    @cached_property
    def unfounded(self) -> tuple[str, ...]:
        """The tables that the list needs, and that neither it, the models nor the foundation makes."""
        from omega_bridge.planning.unfounded import unfounded

        return unfounded(self.analysis, self.foundation.catalog if self.foundation else None)

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """Where the list, edited since it was exported or before, makes a fresh database another than one that lived through its past."""
        from omega_bridge.planning.edited import splits
        from omega_bridge.revisions.lived_through import lived_through, only_grew

        lines = self._lines if self._is_own_list() else ()
        if not lines or only_grew(lines, self.analysis):
            return ()
        ground = self.foundation.catalog if self.foundation else None
        return tuple(splits(lived_through(self.history(), lines), self.analysis, ground))

    @cached_property
    def deploys(self) -> Mapping[str, int]:
        """With which deploy each step came, as far as the history of the configured list says."""
        from omega_bridge.audit.deployed import deployed

        return deployed(self.history(), self.analysis) if self._is_own_list() else {}

    def foundation_paths(self) -> tuple[Path, ...]:
        """Where the foundation is written. Raises ``ConfigurationInvalid`` where none is configured."""
        if not self.config.foundation:
            from omega_bridge.errors import ConfigurationInvalid

            raise ConfigurationInvalid(
                "nothing says what the foundation is", hint='Write foundation = "db/schema.sql" in [tool.omega-bridge].'
            )
        return tuple(self.config.root / name for name in self.config.foundation)

    @property
    def _beneath(self) -> Foundation | None:
        """The foundation whose tables the models need not make: not one that was given after they were exported."""
        from omega_bridge.revisions.ground import begins_with

        return self.foundation if not self._lines or begins_with(self._lines) else None

    @cached_property
    def _lines(self) -> tuple[SumLine, ...]:
        from omega_bridge.revisions.sums import read_sum

        return read_sum(self.history())

    @cached_property
    def _foundation(self) -> tuple[tuple[str, str], ...]:
        from omega_bridge.sources.foundation import texts

        if not self.config.foundation:
            return ()
        return texts(self.config.foundation, self.config.root, order=self.config.sql_order)

    @property
    def listed(self) -> str:
        """The digest of the list, the models and the foundation, under which a history and an expectation are kept."""
        from omega_bridge.sources.foundation import listed_with
        from omega_bridge.startup.start import promise_digest

        return listed_with(promise_digest(self.registry.digest(), self.metadata, None), self._foundation)

    @cached_property
    def promised(self) -> Analysis:
        """What the models say, analysed: a step for each of their tables; none without models."""
        from omega_bridge.analysis import analyse
        from omega_bridge.revisions.models import every_table
        from omega_bridge.steps import Registry

        return analyse(every_table(self.metadata) if self.metadata is not None else Registry(()))

    def refuse_unknown(self, named: Collection[str], option: str, output: Path | None = None) -> None:
        """Raise ``ConfigurationInvalid`` for what ``option`` names and neither the list nor its history knows as a step."""
        from difflib import get_close_matches

        from omega_bridge.errors import ConfigurationInvalid
        from omega_bridge.revisions.sums import read_sum

        known = {s.id for s in self.analysis} | {s.label for line in read_sum(self.history(output)) for s in line.steps}
        for name in named:
            if name not in known:
                near = get_close_matches(name, known, n=3)
                raise ConfigurationInvalid(
                    f"{option} {name}: there is no such step",
                    hint=f"Did you mean {', '.join(near)}?" if near else "See the ids with: omega-bridge export --explain.",
                )

    def setting(self, output: Path | None = None, *, by_list: bool = False) -> Setting:
        """What the models are held against. ``by_list``: their own tables, too, have to be made by the list."""
        from omega_bridge.analysis import analyse
        from omega_bridge.audit.held import Setting
        from omega_bridge.audit.yesterday import yesterday

        history = self.history(output)
        stands = yesterday(history, self.url)
        analysis = analyse(self.registry) if by_list else self.analysis
        return Setting(
            self.registry,
            analysis,
            self.metadata,
            self.promised,
            stands,
            self.listed,
            self.foundation,
            by_list,
            history,
            self.config.allow_rejected,
        )

    @property
    def models(self) -> int:
        """How many steps at the front of the analysis stand for what only the models know."""
        return len(self.analysis) - len(self.registry)

    @cached_property
    def database(self) -> str:
        """The database URL, from the option or the environment."""
        from omega_bridge.config import database_url

        return database_url(self.config, self.url, os.environ)

    @cached_property
    def direct(self) -> str:
        """The direct URL where the database has one, for what holds the lock; else the database's."""
        from omega_bridge.config import direct_url

        return direct_url(self.config, os.environ) or self.database

    @property
    def promise(self) -> Promise:
        """What ``boot`` would compare with the record. Another list, named with ``--steps``, has no history here."""
        from omega_bridge.startup.preview import Promise
        from omega_bridge.startup.start import exported_head, promise_digest

        head = None if self.steps else exported_head(self.history())
        return Promise(promise_digest(self.registry.digest(), self.metadata, head, self.version_table), head, self.version_table)

    @cached_property
    def version_table(self) -> VersionTable | None:
        """Where the history's revision is kept: as it is configured, else as its last export says; ``None`` for Alembic's own table."""
        from omega_bridge.revisions.sums import version_table

        return self.config.version_table or version_table(self.history())

    def history(self, output: Path | None = None) -> Path:
        """The folder of the compiled history."""
        return output or self.config.root / self.config.alembic

    def _is_own_list(self) -> bool:
        return not self.steps or self.steps == self.config.steps


def prepare(config: Path | None, steps: str | None, url: str | None = None, env_file: Path | None = None) -> Setup:
    """Read the configuration, and take ``env_file`` into the environment of this process. Raises ``ConfigurationInvalid``."""
    from omega_bridge.config import load_config

    found = load_config(config)
    if env_file is not None:
        take(env_file, found)
    return Setup(found, steps, url)


def take(path: Path, config: Config) -> None:
    """Make the environment of this process what the file says."""
    from omega_bridge.cli import env_file
    from omega_bridge.config import url_names

    said = env_file.environment(env_file.read(path), os.environ, url_names(config))
    for gone in os.environ.keys() - said.keys():
        del os.environ[gone]
    os.environ.update(said)


def name_owners(connection: Connection, setup: Setup) -> None:
    """Say on stderr what of the bridge's own objects is not in trusted hands, and in whose: who only reads reads on. Raises ``NotTrusted``
    where that would run code of theirs.
    """
    from omega_bridge.postgres.trust import refuse_code, strangers

    for told in strangers(connection, setup.config.trusted_owners, setup.version_table):
        typer.echo(f"warning: not in trusted hands: {told}", err=True)
    refuse_code(connection, setup.config.trusted_owners, setup.version_table)


def name_owners_in(setup: Setup) -> None:
    """The same, on a connection of its own; what is wrong with the list is said before anything is connected to."""
    from omega_bridge.postgres.dsn import normalise
    from omega_bridge.postgres.session import open_session

    database, _ = normalise(setup.database), setup.analysis
    with open_session(database) as session:
        name_owners(session.connection, setup)
