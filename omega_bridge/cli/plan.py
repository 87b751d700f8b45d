"""``omega-bridge plan``: what a boot would do, with the SQL and the locks. Changes nothing."""

from __future__ import annotations

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import name_owners_in, prepare


def plan(
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
) -> None:
    """Show what a boot would do, with the SQL and the locks; exit 1 where something would run."""
    from omega_bridge.analysis.losing import losses
    from omega_bridge.analysis.secrets import masked
    from omega_bridge.startup.preview import preview

    setup = prepare(config, steps, database_url, env_file)
    name_owners_in(setup)
    found = preview(setup.database, setup.analysis, setup.promise)
    if json:
        output.as_json(found.as_dict())
    else:
        output.table(
            [(s.analysis.id, s.analysis.kind, s.action, s.reason.splitlines()[0]) for s in found.plan],
            ("step", "kind", "action", "why"),
        )
        for step in found.plan.pending:
            place = str(step.analysis.step.place).strip("()")
            typer.echo(f"\n-- {step.analysis.id} ({place})")
            for loss in losses(step.analysis):
                typer.echo(f"-- loses data: {loss.message}")
            for told in found.meets.get(step.analysis.id, ()):
                typer.echo(f"-- {told}")
            if locks := found.locks_of(step):
                typer.echo(f"-- locks: {', '.join(locks)}")
            texts = found.texts_of(step) or (masked(step.analysis.step.sql.strip()),)
            typer.echo(";\n".join(text.removesuffix(";") for text in texts) + ";")
        if found.locks:
            typer.echo("\nlocks in all:")
        for lock in found.locks:
            typer.echo(f"  {lock}")
    raise typer.Exit(1 if any(s.analysis.kind != "data" for s in found.plan.pending) else 0)
