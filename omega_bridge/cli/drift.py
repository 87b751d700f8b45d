"""``omega-bridge drift``: the live database against what steps and models promise."""

from __future__ import annotations

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import name_owners_in, prepare


def drift(
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    json: options.Json = False,
) -> None:
    """Show what the database lacks, or has otherwise than the list and the models say; exit 1 where there is anything."""
    from omega_bridge.drift import drift as compare

    setup = prepare(config, steps, database_url)
    found = compare(setup.database, setup.analysis, setup.promised)
    name_owners_in(setup)
    if json:
        output.as_json(found.as_dict())
    else:
        rows = [(d.what, d, d.by, d.place if d.place.file else "") for d in found.differences]
        if rows:
            output.table(rows, ("what", "object", "promised by", "place"))
        if found.unclaimed:
            typer.echo("only the database has: " + ", ".join(str(key) for key in found.unclaimed))
        for step in found.standing:
            typer.echo(f"step {step['id']} stands {step['outcome']}: {step['reason']}")
        typer.echo(f"{len(rows)} difference(s)" if rows else "no difference" if found.standing else "no drift")
    raise typer.Exit(1 if found.differences or found.standing else 0)
