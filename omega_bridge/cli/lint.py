"""``omega-bridge lint``: what the rules have to say about the list. No database is asked."""

from __future__ import annotations

from typing import Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.problems import Format, Sources, of_findings, print_for_programs, show
from omega_bridge.cli.setup import prepare


def lint(
    config: options.Config = None,
    steps: options.Steps = None,
    json: options.Json = False,
    select: Annotated[list[str] | None, typer.Option(metavar="RULE", help="This rule only (repeatable).")] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Not this rule (repeatable).")] = None,
    strict: options.Strict = False,
    format_: options.Format = None,
    instead: Annotated[bool, typer.Option("--instead", help="Show why, and what to write instead.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Print a patch with the rewrites that ask nobody, proven on scratch.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="With --fix: apply the patch.")] = False,
    scratch_url: options.ScratchUrl = None,
    scratch_template: options.ScratchTemplate = None,
) -> None:
    """Say what in the list will hurt, and what to write instead; exit 1 where there is an error."""
    from omega_bridge.lint import is_failing
    from omega_bridge.lint import lint as judge

    setup = prepare(config, steps)
    ignored = (*setup.config.lint_ignore, *(ignore or ()))
    if write and not fix:
        raise typer.BadParameter("it goes with --fix", param_hint="--write")
    if fix:
        from omega_bridge.cli.lint_fix import fix as rewrite

        raise typer.Exit(rewrite(setup, select or (), ignored, scratch_url, scratch_template, write=write, json=json))
    found = judge(setup.analysis, models=setup.models, select=select or (), ignore=ignored)
    match options.format_of(format_, json=json):
        case Format.JSON:
            output.as_json({"findings": [f.as_dict() for f in found]})
        case Format.TEXT:
            show(of_findings(found, Sources(setup.root)), instead=instead, all_notes=bool(select))
        case other:
            print_for_programs(of_findings(found, Sources(setup.root)), other)
    raise typer.Exit(1 if is_failing(found, strict=strict) else 0)
