"""``omega-bridge verify``: equivalence of boot and history on scratch databases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare


def verify(
    config: options.Config = None,
    steps: options.Steps = None,
    json: options.Json = False,
    directory: options.Output = None,
    scratch_url: options.ScratchUrl = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the certificate there.", show_default=False)
    ] = None,
) -> None:
    """Boot one scratch database and upgrade another at every prefix of the list; exit 1 where the catalogs differ."""
    from omega_bridge.audit.equivalence import count
    from omega_bridge.audit.equivalence import verify as compare
    from omega_bridge.audit.scratch import scratch_server
    from omega_bridge.writing import write

    setup = prepare(config, steps)
    output.log_to_stderr(silent=True)
    history = None if steps and directory is None else setup.history(directory)
    with (
        scratch_server(scratch_url) as server,
        output.progress("verify", count(setup.registry, setup.metadata)) as advance,
    ):
        found = compare(setup.registry, setup.metadata, server, history=history, advance=advance)
    if certificate is not None:
        write(certificate, found.certificate())
    if json:
        output.as_json(found.as_dict())
    else:
        for d in found.differences:
            typer.echo(f"after {d.step} ({d.revision}): {d.difference} (left: boot, right: alembic)")
        for d in found.order_only:
            typer.echo(f"order of columns only, after {d.step} ({d.revision}): {d.difference}")
        verdict = output.painted("equivalent") if found.equivalent else "not equivalent"
        typer.echo(f"{verdict}: {found.prefixes} prefixes, head {found.head}, catalog {found.catalog_digest[:16]}")
    raise typer.Exit(0 if found.equivalent else 1)
