"""``omega-bridge lint --fix``: the rewrites that ask nobody, as a patch; each linted again, the catalog's sameness shown on scratch."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import typer

from omega_bridge.cli import output

if TYPE_CHECKING:
    from omega_bridge.cli.setup import Setup
    from omega_bridge.fixing import Rewriting
    from omega_bridge.sources.patching import Patch


def fix(
    setup: Setup,
    select: Collection[str],
    ignore: Collection[str],
    scratch_url: str | None,
    scratch_template: str | None,
    *,
    write: bool,
    json: bool,
) -> int:
    """Print the patch, or apply it; the exit code. Raises ``NoServerFound``: what is not shown to be the same is not offered."""
    from omega_bridge.audit.fixed import disproven
    from omega_bridge.audit.scratch import scratch_server
    from omega_bridge.fixing import rewrite
    from omega_bridge.lint import is_failing
    from omega_bridge.sources.patching import patch
    from omega_bridge.writing import write as write_file

    output.log_to_stderr(silent=True)
    done = rewrite(setup.analysis, models=setup.models, select=select, ignore=ignore)
    refused: frozenset[int] = frozenset()
    if done.rewrites:
        with scratch_server(scratch_url, scratch_template) as server:
            refused = disproven(done, [s.step for s in setup.analysis.steps[: setup.models]], server, setup.foundation)
    made = patch(
        setup.source, setup.root, setup.registry.steps, {r.index: r.after for r in done.rewrites if r.index not in refused}
    )
    if write:
        for name, text in made.after.items():
            write_file(setup.root / name, text)
    _tell(done, made, refused, write=write, json=json)
    return 1 if is_failing(done.left) else 0


def _tell(done: Rewriting, made: Patch, refused: Collection[int], *, write: bool, json: bool) -> None:
    from omega_bridge.analysis.secrets import masked

    kept = [r for r in done.rewrites if r.index not in refused and r.index not in made.left]
    elsewhere = [r.step for r in done.rewrites if r.index in made.left]
    differing = [r.step for r in done.rewrites if r.index in refused]
    if json:
        output.as_json(
            {
                "rewrites": [{"step": r.step, "rules": list(r.rules), "sql": masked(r.after.sql)} for r in kept],
                "patch": masked(str(made)),
                "written": sorted(made.after) if write else [],
                "catalog_unchanged": True,
                "not_in_the_file_as_they_are": elsewhere,
                "another_catalog": differing,
                "findings": [f.as_dict() for f in done.left],
            }
        )
        return
    if not write:
        print(masked(str(made)), end="")
    for name in sorted(made.after) if write else ():
        typer.echo(f"wrote {name}", err=True)
    for step in differing:
        typer.echo(f"left as it is: {step}: rewritten, the list leads to another catalog", err=True)
    for step in elsewhere:
        typer.echo(f"left as it is: {step}: its text does not stand in a file as it is", err=True)
    proven = "the list leads to the same catalog, on scratch; " if kept else ""
    typer.echo(f"{len(kept)} step(s) rewritten; {proven}{len(done.left)} finding(s) left", err=True)
    if kept and write:
        typer.echo("the texts have changed: omega-bridge export appends what amends the history", err=True)
