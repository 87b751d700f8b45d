"""``omega-bridge lint``: what the rules have to say about the list. No database is asked, unless one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.lint_measured import measure, read_there, show_measured
from omega_bridge.cli.problems import Format, Sources, of_findings, print_for_programs, show
from omega_bridge.cli.setup import prepare


def lint(
    config: options.Config = None,
    steps: options.Steps = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    select: Annotated[list[str] | None, typer.Option(metavar="RULE", help="This rule only (repeatable).")] = None,
    ignore: options.Ignore = None,
    strict: options.Strict = False,
    format_: options.Format = None,
    instead: Annotated[bool, typer.Option("--instead", help="Show why, and what to write instead.")] = False,
    with_squawk: Annotated[
        bool, typer.Option("--squawk", help="The general rules of squawk, too (the extra of that name).")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Print a patch with the rewrites that ask nobody, proven on scratch.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="With --fix: apply the patch.")] = False,
    measured: Annotated[
        bool, typer.Option("--measured", help="Measure the list's second run on scratch: locks, rewrites, WAL, time.")
    ] = False,
    database_url: options.Database = None,
    sizes: Annotated[
        Path | None,
        typer.Option(
            "--sizes", metavar="FILE", help="Sizes of tables: written with --database-url, else read.", show_default=False
        ),
    ] = None,
    scratch_url: options.ScratchUrl = None,
    scratch_template: options.ScratchTemplate = None,
) -> None:
    """Say what in the list will hurt, and what to write instead; exit 1 where there is an error."""
    from omega_bridge.lint import is_failing
    from omega_bridge.lint import lint as judge
    from omega_bridge.planning import edited
    from omega_bridge.planning.unfounded import told

    setup = prepare(config, steps, database_url, env_file)
    ignored = (*setup.config.lint_ignore, *(ignore or ()))
    if write and not fix:
        raise typer.BadParameter("it goes with --fix", param_hint="--write")
    if fix:
        from omega_bridge.cli.lint_fix import fix as rewrite

        raise typer.Exit(rewrite(setup, select or (), ignored, scratch_url, scratch_template, write=write, json=json))
    there = read_there(setup if database_url else None, sizes)
    found = judge(
        setup.analysis,
        models=setup.models,
        select=select or (),
        ignore=ignored,
        catalog=there.catalog,
        sizes=there.sizes,
        foundation=setup.foundation,
        deploys=setup.deploys,
    )
    if with_squawk:
        from omega_bridge.squawk import squawk

        found = (*found, *squawk(setup.analysis, models=setup.models, select=select or (), ignore=ignored))
    runs = measure(setup, scratch_url, scratch_template) if measured else None
    match options.format_of(format_, json=json):
        case Format.JSON:
            more = {} if runs is None else {"measured": [m.as_dict() for m in runs]}
            split = [s.as_dict() for s in setup.splits]
            output.as_json(
                {"findings": [f.as_dict() for f in found], "stands_on": list(setup.unfounded), "splits": split, **more}
            )
        case Format.TEXT:
            output.aside(told(setup.unfounded))
            output.aside(edited.told(setup.splits))
            show(of_findings(found, Sources(setup.root, setup.registry.source)), instead=instead, all_notes=bool(select))
            if runs is not None:
                show_measured(runs)
        case other:
            print_for_programs(of_findings(found, Sources(setup.root, setup.registry.source)), other)
    raise typer.Exit(1 if is_failing(found, strict=strict) else 0)
