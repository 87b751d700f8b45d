"""``omega-bridge add``: steps for what the models have and the list lacks."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare


def add(
    config: options.Config = None,
    steps: options.Steps = None,
    json: options.Json = False,
    scratch_url: options.ScratchUrl = None,
    scratch_template: options.ScratchTemplate = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="Steps for whole tables, too, that a boot makes from the models.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where something would be written.")] = False,
) -> None:
    """Append to the list, where it is written, steps for what the models have and it lacks."""
    from omega_bridge.analysis import analyse
    from omega_bridge.audit.gate import unkept_models
    from omega_bridge.audit.scratch import scratch_server
    from omega_bridge.errors import ConfigurationInvalid
    from omega_bridge.revisions.additions import additions
    from omega_bridge.sources.appending import append

    setup = prepare(config, steps)
    output.log_to_stderr(silent=True)
    if setup.metadata is None:
        raise ConfigurationInvalid(
            "no models are configured, so there is nothing to add",
            hint='Name their MetaData in [tool.omega-bridge]: metadata = "app.models:Base.metadata".',
        )
    analysis, made = (analyse(setup.registry), None) if tables else (setup.analysis, setup.metadata)
    unkept, _ = unkept_models(
        setup.registry, analysis, made, setup.promised, partial(scratch_server, scratch_url, scratch_template), setup.foundation
    )
    found = additions(unkept, setup.metadata)
    is_written = bool(found.steps) and not check
    written = (
        append(setup.source, found.steps, setup.registry, root=setup.root, python_path=setup.config.python_paths)
        if is_written
        else ()
    )
    if json:
        output.as_json(
            {
                "added": [{"title": s.title, "sql": s.sql} for s in found.steps],
                "files": [str(path) for path in written],
                "left": [{**one.as_dict(), "why": why} for one, why in found.left],
            }
        )
    else:
        for step in found.steps:
            typer.echo(f"-- {step.title}\n{step.sql}\n")
        for one, why in found.left:
            typer.echo(f"left: {one}: {why}", err=True)
        typer.echo(f"{'would add' if check else 'added'} {len(found.steps)} step(s)" + "".join(f" to {p}" for p in written))
    raise typer.Exit(1 if found.left or (check and found.steps) else 0)
