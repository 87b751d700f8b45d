"""``omega-bridge boot``: the self-repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare

if TYPE_CHECKING:
    from omega_bridge.startup.run import BootOptions, Run


def boot(
    context: typer.Context,
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    direct_url: options.DirectUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    on_error: options.OnError = None,
    on_busy: options.OnBusy = None,
    on_gap: options.OnGap = None,
    strict: options.StrictBoot = None,
    allow_destructive: options.AllowDestructive = None,
    critical_tables: options.CriticalTables = None,
    trusted_owners: options.TrustedOwners = None,
    lock_timeout: options.LockTimeout = None,
    table_lock_timeout: options.TableLockTimeout = None,
    statement_timeout: options.StatementTimeout = None,
    boot_timeout: options.BootTimeout = None,
    retry_after: options.RetryAfter = None,
    pooler_keeps_sessions: options.PoolerKeepsSessions = None,
    retry: options.Retry = False,
    accept_newer: options.AcceptNewer = False,
    lay_foundation: Annotated[
        bool, typer.Option("--lay-foundation", help="Lay the configured foundation where none of its tables is there.")
    ] = False,
) -> None:
    """Bring one database up to the list: what is missing is repaired, what is there is not touched."""
    import omega_bridge

    setup = prepare(config, steps, database_url, env_file)
    settings: BootOptions = {
        **options.of_boot(setup.config.boot_options(), context.params),
        "metadata": setup.metadata,
        "history": None if steps else setup.history(),
        "foundation": setup.foundation_paths() if lay_foundation else None,
    }
    output.log_to_stderr(quiet=json)
    run = omega_bridge.boot(setup.database, setup.registry, **settings)
    if json:
        output.as_json(run.as_dict())
    else:
        show(run)


def show(run: Run) -> None:
    """A run for a person: the steps that were sent or stand out, and one closing line."""
    rows = [
        (s.id, s.kind, s.outcome, f"{s.seconds * 1000:.1f} ms", s.reason.splitlines()[0]) for s in run.steps if s.action != "skip"
    ]
    if rows:
        output.table(rows, ("step", "kind", "outcome", "time", "why"))
    for warning in run.warnings:
        typer.echo(f"warning: {warning}")
    total = run.seconds.get("total", 0.0) * 1000
    undone = f"; {len(run.standing)} step(s) stand undone" if run.standing else ""
    typer.echo(
        f"{output.painted(str(run.outcome))}: {len(rows)} step(s) sent, {run.round_trips} round trip(s), {total:.1f} ms{undone}"
    )
