"""``omega-bridge report``: the auditor's page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import name_owners_in, prepare

if TYPE_CHECKING:
    from datetime import datetime


def report(
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    directory: options.Output = None,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where the files go.")] = Path("omega-report"),
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="DATE", help="The record up to the end of that day (UTC), or to an ISO time.", show_default=False
        ),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", metavar="FILE", help="What verify --certificate wrote.", show_default=False)
    ] = None,
) -> None:
    """Write the auditor's page: history, record, and what of them can be checked; exit 1 where a check says no."""
    from datetime import UTC, datetime

    from omega_bridge.audit import report_files
    from omega_bridge.audit.report import report as made

    setup = prepare(config, steps, database_url, env_file)
    name_owners_in(setup)
    found = made(
        setup.database, setup.history(directory), setup.analysis, setup.promised, setup.listed,
        made=datetime.now(UTC), as_of=_moment(as_of) if as_of else None, certificate=certificate,
    )  # fmt: skip
    files = report_files.write(found, to)
    if json:
        output.as_json({"files": [str(f) for f in files], **{k: v for k, v in found.as_dict().items() if k in ("ok", "checks")}})
    else:
        output.table([(c.name, "ok" if c.ok else "failed", c.told) for c in found.checks], ("check", "", ""))
        typer.echo("wrote " + ", ".join(map(str, files)))
    raise typer.Exit(0 if found.ok else 1)


def _moment(text: str) -> datetime:
    """A day means its end."""
    from datetime import UTC, datetime, time

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date such as 2026-03-31, and no ISO time", param_hint="--as-of") from error
    if len(text) <= len("2026-03-31"):
        found = datetime.combine(found.date(), time.max)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
