"""``omega-bridge boot``: the self-repair."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare


def boot(
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    on_error: Annotated[
        str | None, typer.Option(help="stop or continue (start degraded) when a step fails.", show_default=False)
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on steps without effect, or refused.")] = False,
    allow_destructive: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A step that may drop what holds rows.")
    ] = None,
    lock_timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="How long to wait for another start.")] = None,
    boot_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How long to try for the locks of busy tables.")
    ] = None,
    on_busy: Annotated[
        str | None, typer.Option(help="fail or degraded, when other sessions keep a table locked for the whole boot timeout.")
    ] = None,
    on_gap: Annotated[
        str | None, typer.Option(help="stop or degraded, when the models need what is not there at the end.", show_default=False)
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Judge everything anew, also what stands refused or without effect.")
    ] = False,
    lay_foundation: Annotated[
        bool, typer.Option("--lay-foundation", help="Lay the configured foundation where none of its tables is there.")
    ] = False,
    accept_newer: Annotated[
        bool, typer.Option("--accept-newer", help="Start although a later list repaired this database.")
    ] = False,
) -> None:
    """Bring one database up to the list: what is missing is repaired, what is there is not touched."""
    import omega_bridge
    from omega_bridge.errors import ConfigurationInvalid

    setup = prepare(config, steps, database_url, env_file)
    if on_error not in (None, "stop", "continue"):
        raise ConfigurationInvalid(f"--on-error {on_error}", hint="Say --on-error stop or --on-error continue.")
    output.log_to_stderr(quiet=json)
    settings: dict[str, Any] = setup.config.boot_options()
    if on_busy not in (None, "fail", "degraded"):
        raise ConfigurationInvalid(f"--on-busy {on_busy}", hint="Say --on-busy fail or --on-busy degraded.")
    if on_gap not in (None, "stop", "degraded"):
        raise ConfigurationInvalid(f"--on-gap {on_gap}", hint="Say --on-gap stop or --on-gap degraded.")
    given = {
        "on_error": on_error,
        "on_busy": on_busy,
        "on_gap": on_gap,
        "lock_timeout": lock_timeout,
        "boot_timeout": boot_timeout,
        "strict": strict or None,
    }
    settings |= {name: value for name, value in given.items() if value is not None}
    settings["allow_destructive"] = [*settings.get("allow_destructive", ()), *(allow_destructive or ())]
    run = omega_bridge.boot(
        setup.database,
        setup.registry,
        metadata=setup.metadata,
        history=None if steps else setup.history(),
        retry=retry,
        accept_newer=accept_newer,
        foundation=setup.foundation_paths() if lay_foundation else None,
        **settings,
    )
    if json:
        output.as_json(run.as_dict())
    else:
        show(run)


def show(run: Any) -> None:
    """A run for a person: the steps that were sent or stand out, and one closing line."""
    rows = [
        (s.id, s.kind, s.outcome, f"{s.seconds * 1000:.1f} ms", s.reason.splitlines()[0]) for s in run.steps if s.action != "skip"
    ]
    if rows:
        output.table(rows, ("step", "kind", "outcome", "time", "why"))
    for warning in run.warnings:
        typer.echo(f"warning: {warning}")
    total = run.seconds.get("total", 0.0) * 1000
    typer.echo(f"{output.painted(str(run.outcome))}: {len(rows)} step(s) sent, {run.round_trips} round trip(s), {total:.1f} ms")
