"""The options that verbs share, said once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from omega_bridge.cli import problems

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The pyproject.toml with [tool.omega-bridge].", show_default=False),
]
Steps = Annotated[
    str | None,
    typer.Option(
        "--steps",
        metavar="SOURCE",
        help="package.module:attribute (imported), path/to/main.py:variable (read as text), or a folder of .sql.",
        show_default=False,
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="Also from OMEGA_BRIDGE_DATABASE_URL, DATABASE_URL or POSTGRES_DSN.",
        show_default=False,
    ),
]
EnvFile = Annotated[
    Path | None,
    typer.Option("--env-file", metavar="FILE", help="KEY=VALUE lines to take into the environment first.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)]
ScratchUrl = Annotated[
    str | None,
    typer.Option(
        "--scratch-url",
        metavar="URL",
        help="A server on which scratch databases may be made; else an embedded one.",
        show_default=False,
    ),
]
ScratchTemplate = Annotated[
    str | None,
    typer.Option(
        "--scratch-template",
        metavar="NAME",
        help="With --scratch-url: the database of that server which each scratch database is a copy of.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="DIR",
        help="The history's folder (default: the configuration's, alembic).",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="text, json, sarif (SARIF 2.1.0) or github (annotations of a workflow).",
        show_default=False,
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Fail on every finding, not on errors only.")]


def format_of(asked: str | None, *, json: bool) -> problems.Format:
    """The format that was asked for. Raises ``ConfigurationInvalid`` for one that there is not."""
    from omega_bridge.cli import problems
    from omega_bridge.errors import ConfigurationInvalid

    if asked is None:
        return problems.Format.JSON if json else problems.Format.TEXT
    if asked not in list(problems.Format):
        raise ConfigurationInvalid(f"there is no format {asked!r}", hint=f"The formats are: {', '.join(problems.Format)}.")
    return problems.Format(asked)
