"""``omega-bridge lint``: what the rules have to say about the list. No database is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare

if TYPE_CHECKING:
    from omega_bridge.analysis.findings import Finding


def lint(
    config: options.Config = None,
    steps: options.Steps = None,
    json: options.Json = False,
    select: Annotated[list[str] | None, typer.Option(metavar="RULE", help="This rule only (repeatable).")] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="RULE", help="Not this rule (repeatable).")] = None,
    strict: options.Strict = False,
    instead: Annotated[bool, typer.Option("--instead", help="Show why, and what to write instead.")] = False,
) -> None:
    """Say what in the list will hurt, and what to write instead; exit 1 where there is an error."""
    from omega_bridge.lint import is_failing
    from omega_bridge.lint import lint as judge

    setup = prepare(config, steps)
    found = judge(setup.analysis, models=setup.models, select=select or (), ignore=(*setup.config.lint_ignore, *(ignore or ())))
    if json:
        output.as_json({"findings": [f.as_dict() for f in found]})
    else:
        show(found, instead=instead)
    raise typer.Exit(1 if is_failing(found, strict=strict) else 0)


def show(findings: Iterable[Finding], *, instead: bool = False) -> None:
    """Findings for a person and for an editor: ``file:line: severity rule: message``, the hint, and a closing count."""
    counts: Counter[str] = Counter()
    for f in findings:
        counts[f.severity] += 1
        typer.echo(f"{f.place}: {output.painted(f.severity)} {f.rule}: {f.step}: {f.message}")
        if instead:
            typer.echo(f"    why: {f.why}")
        typer.echo(f"    hint: {f.hint}")
        for text in f.instead if instead else ():
            typer.echo("\n".join(["    instead:", *(f"        {line}".rstrip() for line in text.splitlines())]))
    told = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word in ("error", "warning", "note") if (n := counts[word]))
    typer.echo(told or "no findings")
