"""The options of verbs that are more than one's own, each said once; those of the configuration and of ``boot`` as they are declared there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from omega_bridge import options as declared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from omega_bridge.cli import problems
    from omega_bridge.startup.run import BootOptions


def _of(name: str, words: str = "") -> Any:
    """An option that is declared elsewhere. ``words``: what is said of it instead."""
    option = declared.BY_NAME[name]
    said = words or option.help
    if option.takes == "texts":
        said = f"{said[:-1]} (repeatable)."
    if option.variable and not words:
        said = f"{said} Also from {option.variable}."
    if option.takes in ("seconds", "choice"):
        said = f"{said} [default: {option.default}]"
    return typer.Option(
        option.parameter + (f"/--no-{option.name}" if option.takes == "switch" and option.in_file else ""),
        metavar="SECONDS" if option.takes == "seconds" else "|".join(option.choices) or option.metavar or None,
        help=said,
        show_default=False,
    )


Steps = Annotated[str | None, _of("steps")]
Models = Annotated[str | None, _of("metadata")]
Output = Annotated[Path | None, _of("alembic")]
DatabaseUrl = Annotated[str | None, _of("database-url")]
Database = Annotated[str | None, _of("database-url", "The database to look at, too; not taken from the environment.")]
DirectUrl = Annotated[str | None, _of("direct-url")]
PoolerKeepsSessions = Annotated[bool | None, _of("pooler-keeps-sessions")]
CriticalTables = Annotated[list[str] | None, _of("critical-tables")]
TrustedOwners = Annotated[list[str] | None, _of("trusted-owners")]
OnError = Annotated[str | None, _of("on-error")]
OnBusy = Annotated[str | None, _of("on-busy")]
OnGap = Annotated[str | None, _of("on-gap")]
StrictBoot = Annotated[bool | None, _of("strict")]
AllowDestructive = Annotated[list[str] | None, _of("allow-destructive")]
LockTimeout = Annotated[float | None, _of("lock-timeout")]
TableLockTimeout = Annotated[float | None, _of("table-lock-timeout")]
StatementTimeout = Annotated[float | None, _of("statement-timeout")]
BootTimeout = Annotated[float | None, _of("boot-timeout")]
RetryAfter = Annotated[float | None, _of("retry-after")]
Retry = Annotated[bool, _of("retry")]
AcceptNewer = Annotated[bool, _of("accept-newer")]
AllowRejected = Annotated[list[str] | None, _of("allow-rejected")]
Ignore = Annotated[list[str] | None, _of("lint-ignore")]

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The pyproject.toml with [tool.omega-bridge].", show_default=False),
]
EnvFile = Annotated[
    Path | None,
    typer.Option("--env-file", metavar="FILE", help="KEY=VALUE lines to take into the environment first.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)]
Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; exit 1 where something would be written.", show_default=False)
]
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
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="text, json, sarif (SARIF 2.1.0) or github (annotations of a workflow).",
        show_default=False,
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Fail on warnings, too, not on errors only; notes never fail.")]


def of_boot(config: BootOptions, given: Mapping[str, object]) -> BootOptions:
    """The keyword arguments of ``boot``: ``config``'s, behind what was ``given`` to the verb; lists are added to its own.

    Raises ``ConfigurationInvalid`` for what an option does not take.
    """
    from omega_bridge.errors import ConfigurationInvalid

    found: dict[str, object] = {**config}
    for name, option in declared.BOOT.items():
        value = given.get(name)
        if value is None:
            continue
        if not declared.fits(option, value):
            shown = "this" if option.variable else value  # a URL may hold a password
            raise ConfigurationInvalid(
                f"{option.parameter} does not take {shown}", hint=f"Give {option.parameter} {declared.takes(option)}."
            )
        found[name] = [*_listed(found.get(name)), *_listed(value)] if option.takes == "texts" else value
    return cast("BootOptions", found)


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def format_of(asked: str | None, *, json: bool) -> problems.Format:
    """The format that was asked for. Raises ``ConfigurationInvalid`` for one that there is not."""
    from omega_bridge.cli import problems
    from omega_bridge.errors import ConfigurationInvalid

    if asked is None:
        return problems.Format.JSON if json else problems.Format.TEXT
    if asked not in list(problems.Format):
        raise ConfigurationInvalid(f"there is no format {asked!r}", hint=f"The formats are: {', '.join(problems.Format)}.")
    return problems.Format(asked)
