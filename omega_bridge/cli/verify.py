"""``omega-bridge verify``: equivalence of boot and history on scratch databases."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare

if TYPE_CHECKING:
    from omega_bridge.audit.verdict import Equivalence


def verify(
    config: options.Config = None,
    steps: options.Steps = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    directory: options.Output = None,
    scratch_url: options.ScratchUrl = None,
    scratch_template: options.ScratchTemplate = None,
    start: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="URL|FILE|REV",
            help="A database whose schema is a further start: copied to scratch, never written to; or a dump of one. Repeatable. "
            "Or a revision: its prefixes are compared from there on.",
            show_default=False,
        ),
    ] = None,
    allow_rejected: options.AllowRejected = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Take what an earlier run found of the very same list, history and server.")
    ] = True,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the certificate there.", show_default=False)
    ] = None,
) -> None:
    """Boot one scratch database and upgrade another, from every start; exit 1 where they differ, or a step is rejected."""
    from omega_bridge.audit.equivalence import count
    from omega_bridge.audit.equivalence import verify as compare
    from omega_bridge.audit.scratch import scratch_server
    from omega_bridge.cache_folder import folder
    from omega_bridge.writing import write

    setup = prepare(config, steps, env_file=env_file)
    setup.refuse_unknown(allow_rejected or (), "--allow-rejected", directory)
    output.log_to_stderr(silent=True)
    history = None if steps and directory is None else setup.history(directory)
    databases = tuple(start or ())
    alike: list[str] = []
    try:
        with (
            scratch_server(scratch_url, scratch_template) as server,
            output.progress("verify", count(setup.registry, setup.metadata, databases, setup.foundation)) as advance,
        ):
            found = compare(
                setup.registry,
                setup.metadata,
                server,
                history=history,
                databases=databases,
                foundation=setup.foundation,
                advance=advance,
                alike=alike.append,
                keeps=folder(os.environ) if scratch_template is None else None,  # what a template holds is not known
                takes=cache and certificate is None,
            )
    except KeyboardInterrupt:
        if alike:
            output.aside(f"up to {alike[-1]} nothing differs; to go on from there: omega-bridge verify --from {alike[-1]}")
        raise
    allowed = {*(allow_rejected or ()), *setup.config.allow_rejected}
    if certificate is not None:
        write(certificate, found.certificate())
    if json:
        output.as_json(found.as_dict())
    else:
        for line in _told(found, allowed):
            typer.echo(line)
    raise typer.Exit(0 if found.equivalent and not found.unproven(allowed) else 1)


def _kept(found: Equivalence) -> str:
    """How much of it was tried by an earlier run alone."""
    starts = sum(s.is_kept for s in found.starts)
    told = [f"{starts} of the starts"] if starts else []
    told += [f"{found.kept} of the prefixes"] if found.kept else []
    return f", {' and '.join(told)} as an earlier run found them (anew: --no-cache)" if told else ""


def _told(found: Equivalence, allowed: Collection[str]) -> Iterator[str]:
    for d in found.differences:
        yield f"{d.start}, after {d.step or 'the head'} ({d.revision}): {d}"
        if d.append:
            yield f"  append: {d.append}"
    for d in found.order_only:
        yield f"order of columns only, {d.start}, after {d.step or 'the head'} ({d.revision}): {d}"
    for r in found.rejected:
        is_allowed = " (allowed)" if r.step in allowed else ""
        yield f"{r.start}: step {r.step} is not proven{is_allowed}: {r.outcome}: {r.told.splitlines()[0]}"
    for m in found.predictions.mistaken:
        yield f"{m.start}: of step {m.step} the planner said: {m.said}; PostgreSQL: {m.did}"
    for step, reason in found.not_tried:
        yield f"step {step} is not proven: {reason}"
    if found.differs_by_the_past_alone:
        yield (
            "a fresh start and a fresh upgrade lead to one schema: what differs is a database on which a start ran the list as far as "
            "the step that is named, before those behind it came; once every database is past it, omega-bridge export --squash REVISION makes "
            "one of the revisions up to there"
        )
    verdict = output.painted("equivalent") if found.equivalent else "not equivalent"
    rejected, unproven = found.unproven(), found.unproven(allowed)
    yield "".join(
        (
            f"{verdict}: {len(found.starts)} starts, {found.prefixes} prefixes, head {found.head}, catalog {found.catalog_digest[:16]}",
            f", beside {found.witness}" if found.witness else ", without the witness pg_dump",
            _kept(found),
            f", but for {len(rejected)} steps that are rejected" if rejected else "",
        )
    )
    if unproven:
        yield f"correct them, or allow each that is meant so: {' '.join(f'--allow-rejected {name}' for name in unproven)}"
