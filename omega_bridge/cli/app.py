"""The verbs, and the one border where errors become text and exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup

from omega_bridge.cli.plain_values import take_plain_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omega_bridge.errors import OmegaBridgeError

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""Of the Click that Typer works with, which may be its own."""

VERBS = {
    "boot": "Bring one database up to the list: what is missing is repaired, what is there is not touched.",
    "plan": "Show what a boot would do, with the SQL and the locks; exit 1 where something would run.",
    "status": "Show where the list, the history and the database stand; exit 1 where one lags behind.",
    "export": "Append to the Alembic history what the list has and it lacks.",
    "verify": "Boot one scratch database and upgrade another, from every start; exit 1 where they differ, or a step is rejected.",
    "lint": "Say what in the list will hurt, and what to write instead; exit 1 where there is an error.",
    "drift": "Show what the database has otherwise than the list and the models lead to; exit 1 where there is anything.",
    "explain": "Explain a step of the list, an error code such as OB301, a rule, or the configuration's keys.",
    "check": "The gate for CI: lint, export --check, and the models against the steps; exit 1 where one says no.",
    "add": "Append to the list, where it is written, steps for what the models have and it lacks.",
    "adopt": "Stamp a database that was repaired without a record; exit 1, and say what is missing, where something is.",
    "init": "Wire this folder: configuration in pyproject.toml, alembic.ini, alembic/env.py.",
    "report": "Write the auditor's page: history, record, and what of them can be checked; exit 1 where a check says no.",
    "demo": "Repair a legacy database, start again, export, read the history, prove the two equivalent.",
    "ledger": "The record in the database of what was done to its schema.",
}
"""Each verb with its line of the help. Its module, of the same name, is loaded when it is called."""


class Interrupted(Exception):
    """The verb was interrupted."""


class Uncut(TyperGroup):
    """A group whose list of commands has every line whole, on as many lines as the terminal's width takes."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list."""
        rows = [(name, " ".join((self.commands[name].help or "").split())) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Verbs(Uncut):
    """The list of verbs, of which the one that is called is loaded: all of them would be most of what ``--help`` costs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The verb that ``args`` name, loaded. Fails, with what was probably meant, where there is no such verb."""
        name, verb, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name in VERBS else verb, rest

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the arguments. An interruption goes on as ours: of its own Typer makes an exit code without a word, or "Aborted", as its version has it."""
        try:
            return super().make_context(*args, **options)
        except KeyboardInterrupt as exc:
            raise Interrupted from exc

    def invoke(self, ctx: Any) -> Any:
        """Call the verb, with interruptions as above."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as exc:
            raise Interrupted from exc


app = typer.Typer(
    name="omega-bridge",
    cls=Verbs,
    help="Runs a service's PostgreSQL self-repair list fast and safely, and compiles the same list into an Alembic history.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _stands_for_a_verb() -> None:
    """What Typer lists until the verb is loaded."""


for _verb, _line in VERBS.items():
    app.command(_verb, help=_line)(_stands_for_a_verb)


def _load(name: str) -> Any:
    """The verb's command: the function of the module's own name, or its ``app`` where it has verbs of its own."""
    from importlib import import_module

    module = import_module(f"omega_bridge.cli.{name}")
    found = getattr(module, "app", None)
    if found is None:
        found = typer.Typer(rich_markup_mode=None, add_completion=False)
        found.command(name, context_settings={"help_option_names": ["-h", "--help"]})(getattr(module, name))
    command = typer.main.get_command(found)
    take_plain_values(command)
    return command


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context, version: bool = typer.Option(False, "--version", "-V", help="Print the version.", is_eager=True)
) -> None:
    """Runs a service's PostgreSQL self-repair list fast and safely, and compiles the same list into an Alembic history."""
    from omega_bridge.cli.output import colour_asked

    context.color = colour_asked()
    if version:
        from omega_bridge import __version__

        typer.echo(f"omega-bridge {__version__}")
        raise typer.Exit


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and end the process with its exit code."""
    from omega_bridge.errors import OmegaBridgeError

    given = _with_values(sys.argv[1:] if arguments is None else arguments)
    try:
        command = typer.main.get_command(app)
        take_plain_values(command)
        sys.exit(command(given, standalone_mode=False) or 0)
    except (Interrupted, KeyboardInterrupt) as exc:
        _interrupted(exc.__cause__ or exc, given)
    except OmegaBridgeError as error:
        _unless_interrupted(error, given)
        report(error, as_json=_wants_json(given))
        sys.exit(error.exit_code)
    except UsageError as error:
        _misused(error, given)
        sys.exit(2)
    except typer.Abort:
        print("aborted: a question was not answered", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        told = _of_a_file(error)
        report(told, as_json=_wants_json(given)) if told else unforeseen(error, given)
        sys.exit(2)
    except Exception as error:
        _unless_interrupted(error, given)
        unforeseen(error, given)
        sys.exit(2)


def _unless_interrupted(error: BaseException, given: Sequence[str]) -> None:
    """An error that an interruption became on its way, or that it met there, is told as the interruption."""
    from omega_bridge.cli.interruption import interruption

    if (why := interruption(error)) is not None:
        _interrupted(why, given)


def _interrupted(why: BaseException, given: Sequence[str]) -> NoReturn:
    from omega_bridge.cli.interruption import ended, verb_of

    sys.exit(ended(why, verb_of(given)))


def _of_a_file(error: OSError) -> OmegaBridgeError | None:
    """A file or folder that cannot be had; ``None`` where the error names none."""
    from omega_bridge.errors import ConfigurationInvalid

    if error.filename is None:
        return None
    return ConfigurationInvalid(
        f"{error.filename}: {error.strerror}",
        hint="See that it is what the command needs there, and that you may read and write it.",
    )


def _misused(error: Any, given: Sequence[str]) -> None:
    """A verb or an option that there is not, or one without its value: as text with the line of usage, or as JSON."""
    from omega_bridge.errors import ConfigurationInvalid
    from omega_bridge.redaction import known_here, without_secrets

    error.message = without_secrets(error.message, known_here(given))
    if not _wants_json(given):
        error.show()
        return
    path = error.ctx.command_path if error.ctx else "omega-bridge"
    report(ConfigurationInvalid(error.format_message(), hint=f"See the options with: {path} --help"), as_json=True)


def unforeseen(error: Exception, given: Sequence[str]) -> None:
    """An error that is none of ours, with its traceback, and without the secrets of any URL that was given."""
    import traceback

    from omega_bridge.errors import OmegaBridgeError
    from omega_bridge.redaction import known_here, without_secrets

    urls = known_here(given)
    print(without_secrets("".join(traceback.format_exception(error)), urls), file=sys.stderr)
    told = OmegaBridgeError(
        without_secrets(f"unforeseen: {type(error).__name__}: {error}", urls),
        hint="This should not happen: please report it, with the traceback on stderr.",
    )
    report(told, as_json=_wants_json(given))


def _wants_json(given: Sequence[str]) -> bool:
    """Whether the verb was asked for JSON."""
    from itertools import pairwise

    return "--json" in given or "--format=json" in given or ("--format", "json") in pairwise(given)


def _with_values(arguments: Sequence[str]) -> list[str]:
    """``--from-git [REV..REV]``: options whose value may be left out, which the parser of options does not know."""
    given = list(arguments)
    for option in ("--from-git", "--baseline"):
        if option in given:
            place = given.index(option)
            following = given[place + 1] if place + 1 < len(given) else "-"
            value = "" if following.startswith("-") else given.pop(place + 1)
            given[place] = f"{option}={value}"
    return given


def report(error: OmegaBridgeError, *, as_json: bool) -> None:
    """An error as text on stderr; as JSON on stdout where JSON was asked for."""
    if as_json:
        import json

        found: dict[str, object] = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
        run = getattr(error, "run", None)
        if run is not None:
            found |= run.as_dict()
        print(json.dumps(found, ensure_ascii=False, indent=2))
    print(f"error {error}", file=sys.stderr)
    from omega_bridge.pages import page

    if page(error.code) is not None:
        print(f"  more: omega-bridge explain {error.code}", file=sys.stderr)
