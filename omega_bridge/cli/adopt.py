"""``omega-bridge adopt``: stamps a database that was repaired without a record, or says why not."""

from __future__ import annotations

from typing import Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare


def adopt(
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    directory: options.Output = None,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="STEP", help="A step whose gaps are known and stay (repeatable).", show_default=False),
    ] = None,
) -> None:
    """Stamp a database that was repaired without a record; exit 1, and say what is missing, where something is."""
    from omega_bridge.adoption import adopt as stamp
    from omega_bridge.postgres.dsn import normalise
    from omega_bridge.postgres.session import open_session

    setup = prepare(config, steps, database_url, env_file)
    setup.refuse_unknown(accept or (), "--accept", directory)
    with open_session(normalise(setup.direct)) as session:
        found = stamp(
            session,
            setup.registry,
            setup.analysis,
            setup.metadata,
            setup.history(directory),
            setup.config.critical_tables,
            keeps_sessions=setup.config.pooler_keeps_sessions,
            accepted=accept or (),
            listed=setup.listed,
            table=setup.version_table,
        )
    adopted = not found.gaps and found.head is not None
    if json:
        output.as_json(
            {"revision": found.head if adopted else found.prefix, "adopted": adopted, "gaps": [g.as_dict() for g in found.gaps]}
        )
    elif found.head is None:
        typer.echo("there is no history to stamp; run: omega-bridge export")
    elif adopted:
        typer.echo(f"adopted: stamped {found.head} (head); the next start has nothing to do")
    else:
        typer.echo(
            f"not adopted: {found.holding} of {found.revisions} revisions hold, without a gap up to {found.prefix or 'none'}"
        )
        for gap in found.gaps:
            typer.echo(f"  {gap.revision}  {gap.step}: {gap.reason}")
        repairs = "a start repairs what is missing, and stamps: omega-bridge boot; what stays as it is: --accept STEP"
        typer.echo(found.first.strip() or repairs)
    raise typer.Exit(0 if adopted else 1)
