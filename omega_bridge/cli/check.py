"""``omega-bridge check``: the gate for CI."""

from __future__ import annotations

from functools import partial

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.problems import Format, Sources, of_checks, print_for_programs, show
from omega_bridge.cli.setup import prepare


def check(
    config: options.Config = None,
    steps: options.Steps = None,
    json: options.Json = False,
    database_url: options.Database = None,
    env_file: options.EnvFile = None,
    directory: options.Output = None,
    scratch_url: options.ScratchUrl = None,
    scratch_template: options.ScratchTemplate = None,
    strict: options.Strict = False,
    format_: options.Format = None,
) -> None:
    """The gate for CI: lint, export --check, and the models against the steps; exit 1 where one says no."""
    from omega_bridge.audit import gate
    from omega_bridge.audit.scratch import scratch_server

    setup = prepare(config, steps, database_url, env_file)
    output.log_to_stderr(silent=True)
    servers = partial(scratch_server, scratch_url, scratch_template)
    checks = (
        gate.check_findings(
            setup.analysis,
            setup.models,
            setup.config.lint_ignore,
            strict=strict,
            foundation=setup.foundation,
            deploys=setup.deploys,
        ),
        gate.check_export(setup.analysis, setup.history(directory), setup.listed, setup.foundation, setup.config.version_table),
        gate.check_models(setup.setting(directory), servers),
    )
    ok = all(c.ok for c in checks)
    problems = of_checks(checks, Sources(setup.root, setup.registry.source))
    match options.format_of(format_, json=json):
        case Format.JSON:
            output.as_json({"ok": ok, "checks": [c.as_dict() for c in checks]})
        case Format.TEXT:
            output.table([(c.name, "ok" if c.ok else "failed", c.told) for c in checks], ("check", "", ""))
            for line in (line for c in checks for line in c.lines):
                typer.echo(f"  {line}")
            if failing := [p for p in problems if p.code and p.severity in (("error", "warning") if strict else ("error",))]:
                show(failing, all_notes=True)
        case other:
            print_for_programs(problems, other)
    raise typer.Exit(0 if ok else 1)
