"""``omega-bridge explain``: a step of the list, an error code, a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from omega_bridge.cli import options, output

if TYPE_CHECKING:
    from omega_bridge.cli.setup import Setup
    from omega_bridge.explaining import Explanation


def explain(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A step's id, an error code (OB301), a rule's name, or config, for its keys.")
    ],
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.Database = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    json_schema: Annotated[
        bool,
        typer.Option(
            "--json-schema", help="With config: the JSON schema of [tool.omega-bridge], for editors.", show_default=False
        ),
    ] = False,
) -> None:
    """Explain a step of the list, an error code such as OB301, a rule, or the configuration's keys."""
    from omega_bridge.pages import page

    if name == "config":
        _configuration(json=json, json_schema=json_schema)
        return
    if json_schema:
        raise typer.BadParameter("it goes with: omega-bridge explain config", param_hint="--json-schema")
    if (found := page(name)) is not None:
        kind, text = found
        if json:
            output.as_json({"name": name, "kind": kind, "text": text})
        else:
            typer.echo(text.rstrip())
        return
    from omega_bridge.cli.setup import prepare

    explained = _step(prepare(config, steps, database_url, env_file), name, is_asked=database_url is not None)
    if json:
        output.as_json(explained.as_dict())
    else:
        _tell(explained.as_dict())


def _step(setup: Setup, name: str, *, is_asked: bool) -> Explanation:
    """The step's explanation; of the database only where its URL is given."""
    from difflib import get_close_matches

    from omega_bridge.errors import ConfigurationInvalid
    from omega_bridge.explaining import explain
    from omega_bridge.revisions.sums import read_sum

    asked: dict[str, Any] = {}
    if is_asked:
        from omega_bridge.cli.ledger import entries_of
        from omega_bridge.startup.preview import preview

        asked = {"planned": preview(setup.database, setup.analysis, setup.promise).plan.steps, "entries": entries_of(setup)}
    folder = setup.history()
    lines = read_sum(folder) if (folder / "omega.sum").exists() else ()
    found = explain(setup.analysis, name, lines, models=setup.models, **asked)
    if found is None:
        near = get_close_matches(name, [s.id for s in setup.analysis], n=3)
        raise ConfigurationInvalid(
            f"{name!r} is neither a step of the list nor an error code nor a rule",
            hint=(f"Did you mean {', '.join(near)}? " if near else "")
            + "See the ids with: omega-bridge plan, or omega-bridge export --explain.",
        )
    return found


def _configuration(*, json: bool, json_schema: bool) -> None:
    """The keys of ``[tool.omega-bridge]``: what each takes, its default, what it is."""
    from omega_bridge.option_schema import schema
    from omega_bridge.options import FILE, STEP_FLAGS, takes

    if json_schema:
        output.as_json(schema())
        return
    prefixed = [("step.<id>." + option.name, option) for option in STEP_FLAGS]
    keys = [
        {"key": key, "takes": takes(option), "default": option.default, "help": option.help}
        for key, option in (*FILE.items(), *prefixed)
    ]
    if json:
        output.as_json({"name": "config", "kind": "configuration", "keys": keys})
        return
    typer.echo("[tool.omega-bridge] in pyproject.toml:")
    for key in keys:
        default = "" if key["default"] in (None, ()) else f" (default: {output.as_toml(key['default'])})"
        typer.echo(f"\n{key['key']} = {key['takes']}{default}\n    {key['help']}")


def _tell(told: dict[str, Any]) -> None:
    step = told["step"]
    typer.echo(f"{step['id']}: {step['kind']} step" + (f", {step['place']}" if step["place"] else ""))
    if step["title"]:
        typer.echo(step["title"])
    typer.echo(f"\n{step['sql'].strip()}\n")
    for statement in told["statements"]:
        for effect in statement["effects"]:
            typer.echo(f"makes true: {effect}")
    for lock in told["locks"]:
        typer.echo(f"lock when it runs: {lock}")
    if step["kind"] == "schema":
        typer.echo("lock when all of it is there: none, it is not sent")
    for revision in told["revisions"]:
        typer.echo(f"revision: {revision['revision']} ({revision['kind']}), {revision['file']}")
    if not told["revisions"]:
        typer.echo("revision: none yet; omega-bridge export makes it")
    for finding in told["findings"]:
        typer.echo(f"{output.painted(finding['severity'])} {finding['rule']}: {finding['message']}")
        typer.echo(f"    hint: {finding['hint']}")
        typer.echo(f"    more: omega-bridge explain {finding['rule']}")
    if told["now"] is not None:
        typer.echo(f"now: {told['now']['action']}, {told['now']['reason']}")
    for entry in told["history"] or ():
        typer.echo(f"{entry['at']}: {entry['event']} by {entry['driver']}: {entry['outcome']}")
