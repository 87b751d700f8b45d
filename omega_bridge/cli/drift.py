"""``omega-bridge drift``: the live database against what the list and the models lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.problems import Format, of_drift, print_for_programs
from omega_bridge.cli.setup import Setup, name_owners_in, prepare

if TYPE_CHECKING:
    from omega_bridge.audit.drift import Drift
    from omega_bridge.expectation import Expectation


def drift(
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    scratch_url: options.ScratchUrl = None,
    scratch_template: options.ScratchTemplate = None,
    json: options.Json = False,
    format_: options.Format = None,
) -> None:
    """Show what the database has otherwise than the list and the models lead to; exit 1 where there is anything.

    What they lead to stands beside the exported history (omega.catalog.json); without it, or with --scratch-url, the list is run
    on a scratch database.
    """
    from omega_bridge.audit.drift import drift as compare

    setup = prepare(config, steps, database_url, env_file)
    name_owners_in(setup)
    found = compare(setup.database, setup.analysis, setup.promised, _expected(setup, scratch_url, scratch_template))
    match options.format_of(format_, json=json):
        case Format.JSON:
            output.as_json(found.as_dict())
        case Format.TEXT:
            _tell(found)
        case other:
            print_for_programs(of_drift(found), other)
    raise typer.Exit(0 if found.is_clean else 1)


def _expected(setup: Setup, scratch_url: str | None, scratch_template: str | None) -> Expectation:
    from omega_bridge.audit.expected import make
    from omega_bridge.audit.scratch import scratch_server
    from omega_bridge.expectation_file import kept

    listed = setup.listed
    if scratch_url is None and not setup.steps and (there := kept(setup.history(), listed)) is not None:
        return there
    output.log_to_stderr(silent=True)
    with scratch_server(scratch_url, scratch_template) as server:
        return make(setup.analysis, listed, server, setup.foundation, None if setup.steps else setup.history())


def _tell(found: Drift) -> None:
    at_start = {True: "put back at the next start", False: "", None: "tried again at the next start"}
    rows = [(d.what, d, d.by, d.place if d.place.file else "", at_start[d.is_repaired], d.last_right) for d in found.differences]
    if rows:
        output.table(rows, ("what", "object", "made by", "place", "", "last seen right"))
    append = list(dict.fromkeys(d.instead for d in found.differences if d.instead))
    if append:
        typer.echo("no start puts these back; to do so, append to the list:\n  " + ";\n  ".join(append))
    for step in found.standing:
        typer.echo(f"step {step['id']} stands {step['outcome']}: {step['reason']}")
    _tell_since(found)
    if found.unclaimed:
        typer.echo("only the database has: " + ", ".join(str(key) for key in found.unclaimed))
    for what in found.unseen:
        typer.echo(f"not looked at: {what}")
    typer.echo(_verdict(found))


def _verdict(found: Drift) -> str:
    """The last line, and with it why the exit code is what it is."""
    if found.is_clean:
        return f"not looked at: {len(found.unseen)} of the above; nothing differs in the rest" if found.unseen else "no drift"
    told = f"{len(found.differences)} difference(s)" if found.differences else "no difference in the schema"
    undone = f", and {len(found.standing)} step(s) of the list stand undone: the list does not hold" if found.standing else ""
    return told + undone


def _tell_since(found: Drift) -> None:
    from omega_bridge.audit.since import changed

    if found.since is None or not found.since.changes:
        return
    typer.echo(f"since the last start, at {found.since.at}:")
    for change in found.since.changes:
        told = f": {change.attribute} was {change.left}, is {change.right}" if change.attribute else f" is {changed(change)}"
        typer.echo(f"  {change.key}{told}")
