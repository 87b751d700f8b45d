"""The verbs, and the one border where errors become text and exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import typer

from omega_bridge.cli import adopt, boot, check, demo, drift, export, init, ledger, lint, plan, status, verify
from omega_bridge.errors import OmegaBridgeError

app = typer.Typer(
    name="omega-bridge",
    help="Runs a service's PostgreSQL self-repair list fast and safely, and compiles the same list into an Alembic history.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    boot.boot,
    plan.plan,
    status.status,
    export.export,
    verify.verify,
    lint.lint,
    drift.drift,
    check.check,
    adopt.adopt,
    init.init,
    demo.demo,
):
    app.command()(verb)
app.add_typer(ledger.app, name="ledger")


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True)) -> None:
    """Runs a service's PostgreSQL self-repair list fast and safely, and compiles the same list into an Alembic history."""
    if version:
        from omega_bridge import __version__

        typer.echo(f"omega-bridge {__version__}")
        raise typer.Exit


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and end the process with its exit code."""
    given = _with_values(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given)
    except OmegaBridgeError as error:
        report(error, as_json="--json" in given)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _with_values(arguments: Sequence[str]) -> list[str]:
    """``--from-git [REV..REV]``: an option whose value may be left out, which the parser of options does not know."""
    given = list(arguments)
    for place, argument in enumerate(given):
        if argument == "--from-git":
            following = given[place + 1] if place + 1 < len(given) else "-"
            value = "" if following.startswith("-") else given.pop(place + 1)
            given[place] = f"--from-git={value}"
            break
    return given


def report(error: OmegaBridgeError, *, as_json: bool) -> None:
    """An error as text on stderr; as JSON on stdout where JSON was asked for."""
    if as_json:
        found: dict[str, object] = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        run = getattr(error, "run", None)
        if run is not None:
            found |= run.as_dict()
        print(json.dumps(found, ensure_ascii=False, indent=2))
    print(f"error {error}", file=sys.stderr)
