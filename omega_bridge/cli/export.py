"""``omega-bridge export``: the list compiled to Alembic revisions."""

from __future__ import annotations

from typing import Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare


def export(
    config: options.Config = None,
    steps: options.Steps = None,
    json: options.Json = False,
    directory: options.Output = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where something would be written.")] = False,
) -> None:
    """Append to the Alembic history what the list has and it lacks."""
    from omega_bridge.revisions.files import export as compile_and_write

    setup = prepare(config, steps)
    done = compile_and_write(setup.analysis, setup.history(directory), write=not check)
    if json:
        output.as_json(done.as_dict())
    else:
        for revision in done.revisions:
            typer.echo(f"{'would write' if check else 'wrote'} {revision.id}  {revision.kind}  {revision.slug}")
        found = done.coverage
        share = 100 * found.statements_lifted / found.statements if found.statements else 100.0
        typer.echo(f"{len(done.revisions)} new revision(s), head {done.head}")
        typer.echo(
            f"coverage: {found.steps_lifted} of {found.steps} steps and {found.statements_lifted} of {found.statements} statements "
            f"({share:.0f} %) are Alembic operations; the rest is the step's own SQL"
        )
    raise typer.Exit(1 if check and done.revisions else 0)
