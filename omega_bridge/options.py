"""Every option once: its name, what it takes, its default, its words.

The configuration's checks, those of ``boot``, the command line, the tables of docs/reference.md and the JSON schema are made from it.
Every start loads it, so it imports next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import TypeGuard

OnError = Literal["stop", "continue"]
OnBusy = Literal["fail", "degraded"]
OnGap = Literal["stop", "degraded"]
SqlOrder = Literal["version", "name"]
RepeatWord = Literal["always", "once"]
Takes = Literal["text", "texts", "text or texts", "path", "seconds", "switch", "choice"]

LONGEST = 2_147_483
"""Seconds: PostgreSQL keeps its time-outs as milliseconds in 32 bits."""


class Option(NamedTuple):
    """``name`` as in the file; ``argument`` of ``boot`` and ``flag`` of the command line, where they are called otherwise."""

    name: str
    takes: Takes
    help: str
    default: object = None
    choices: tuple[str, ...] = ()
    in_file: bool = True
    in_boot: bool = False
    flag: str = ""
    metavar: str = ""
    variable: str = ""

    @property
    def argument(self) -> str:
        """The keyword of ``boot``."""
        return self.name.replace("-", "_")

    @property
    def parameter(self) -> str:
        """What stands on the command line."""
        return self.flag or f"--{self.name}"


def _boot(
    name: str, takes: Takes, words: str, default: object, *, flag: str = "", metavar: str = "", variable: str = ""
) -> Option:
    return Option(name, takes, words, default, in_boot=True, flag=flag, metavar=metavar, variable=variable)


def _choice(name: str, words: str, default: str, choices: object) -> Option:
    return Option(name, "choice", words, default, get_args(choices), in_boot=True)


OPTIONS = (
    Option(
        "steps",
        "text",
        "Where the list is: package.module:attribute (imported), path/to/main.py:variable (read as text), or a folder of .sql.",
        metavar="SOURCE",
    ),
    Option("metadata", "text", "The models' MetaData, package.module:attribute.", metavar="MODULE:ATTR"),
    _boot(
        "foundation",
        "text or texts",
        "What the list stands on and no step makes: a file of SQL, a folder of them, or several in their order. "
        "A start lays it where it is asked to and none of its tables is there; where only some are, that is an error (OB506).",
        None,
        metavar="PATH",
    ),
    Option("python-path", "texts", "Folders to import the list and the models from.", (), metavar="DIR"),
    Option("alembic", "text", "The history's folder.", "alembic", flag="--output", metavar="DIR"),
    _boot(
        "version-table",
        "text",
        "The table in which a database keeps the history's revision (alembic_version, or the one that the last export noted in omega.sum).",
        None,
        metavar="TABLE",
    ),
    _boot(
        "version-table-schema",
        "text",
        "The schema of that table, made where it is missing; without it, the one that the search path gives.",
        None,
        metavar="SCHEMA",
    ),
    Option(
        "history",
        "path",
        "The Alembic folder whose head is stamped after a clean start.",
        in_file=False,
        in_boot=True,
        metavar="DIR",
    ),
    Option(
        "database-url",
        "text",
        "The database: postgresql://user@host:5432/database, or a libpq string. In the environment also as DATABASE_URL or POSTGRES_DSN.",
        in_file=False,
        metavar="URL",
        variable="OMEGA_BRIDGE_DATABASE_URL",
    ),
    Option("database-url-env", "texts", "Further environment variables that may hold the URL, asked first.", (), metavar="NAME"),
    _boot(
        "direct-url",
        "text",
        "Where the database is reached through a pooler, the way past it, for the repair. In the file a libpq string without a secret.",
        None,
        metavar="URL",
        variable="OMEGA_BRIDGE_DIRECT_URL",
    ),
    _boot(
        "pooler-keeps-sessions",
        "switch",
        "The pooler in between gives each client a server connection of its own (pool_mode = session): a repair may go through it.",
        False,
    ),
    _boot(
        "critical-tables",
        "texts",
        "Tables that the inspection after a start reports on: where one is missing, the start is not ready.",
        (),
        flag="--critical-table",
        metavar="TABLE",
    ),
    _boot(
        "trusted-owners",
        "texts",
        "Roles whose objects in the schema omega_bridge are used, beside the current role, its groups, superusers and the database's owner.",
        (),
        flag="--trusted-owner",
        metavar="ROLE",
    ),
    _choice(
        "on-error", "When a step fails: stop with an error at the end, or continue (the start is degraded).", "stop", OnError
    ),
    _choice(
        "on-busy",
        "When other sessions keep a table locked for the whole boot-timeout: fail, or serve degraded and go on trying in a thread.",
        "fail",
        OnBusy,
    ),
    _choice(
        "on-gap",
        "When the models need what is not there at the end: stop with an error (OB308), or serve degraded.",
        "stop",
        OnGap,
    ),
    _boot("strict", "switch", "Fail on a step without effect, or refused, too.", False),
    _boot("allow-destructive", "texts", "Ids of steps that may drop what holds rows.", (), metavar="ID"),
    _boot("lock-timeout", "seconds", "How long to wait for another start.", 60.0),
    _boot("table-lock-timeout", "seconds", "How long one try at a table's lock may wait.", 0.5),
    _boot("statement-timeout", "seconds", "How long one statement may take; 0: as long as it likes.", 0.0),
    _boot("boot-timeout", "seconds", "How long to try for the locks of busy tables, all tries together.", 30.0),
    _boot("retry-after", "seconds", "How long a step that stands failed is left alone; 0: it is tried at every start.", 0.0),
    Option(
        "retry",
        "switch",
        "Judge everything anew, also what stands refused or without effect.",
        False,
        in_file=False,
        in_boot=True,
    ),
    Option(
        "accept-newer",
        "switch",
        "Start although a later list repaired this database.",
        False,
        in_file=False,
        in_boot=True,
    ),
    Option(
        "sql-order",
        "choice",
        "How the files of a folder stand in the list: by the version that their names begin with, or in plain name order.",
        "version",
        get_args(SqlOrder),
    ),
    Option(
        "allow-rejected", "texts", "Ids of steps that PostgreSQL may reject on a scratch database, for verify.", (), metavar="ID"
    ),
    Option("lint-ignore", "texts", "Rules that lint and check pass over.", (), flag="--ignore", metavar="RULE"),
)

STEP_FLAGS = (
    Option("repeat", "choice", "Of a data step: once, it does not run again when it succeeded.", "always", get_args(RepeatWord)),
    Option("destructive", "switch", "The step may drop what holds rows.", False),
    Option("optional", "switch", "A start goes on without the step when its table stays locked.", False),
)
"""Of ``[tool.omega-bridge.step.<id>]``."""

BY_NAME = {option.name: option for option in OPTIONS}
FILE = {option.name: option for option in OPTIONS if option.in_file}
BOOT = {option.argument: option for option in OPTIONS if option.in_boot}
STEP = {option.name: option for option in STEP_FLAGS}


def takes(option: Option, *, in_python: bool = False) -> str:
    """What the option takes, in words: those of TOML, or of Python."""
    match option.takes:
        case "choice":
            return " or ".join(repr(choice) if in_python else f'"{choice}"' for choice in option.choices)
        case "seconds":
            return f"a number of seconds, from 0 to {LONGEST}"
        case "switch":
            return "True or False" if in_python else "true or false"
        case "texts":
            return "a list of strings"
        case "text or texts":
            return "a string, or a list of strings"
        case "path":
            return "a path"
        case "text":
            return "a string that is not empty"


def fits(option: Option, value: object) -> bool:
    """Whether the option takes the value. Of ``boot`` any collection of strings is a list, and a path stands for its text."""
    match option.takes:
        case "choice":
            return isinstance(value, str) and value in option.choices
        case "seconds":
            return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST
        case "switch":
            return isinstance(value, bool)
        case "texts":
            return _is_list(value) and all(isinstance(one, str) for one in value)
        case "text or texts":
            return _is_path(value) or (_is_list(value) and all(_is_path(one) for one in value))
        case "path":
            return _is_path(value)
        case "text":
            return isinstance(value, str) and value != ""


def _is_path(value: object) -> bool:
    return (isinstance(value, str) and value != "") or hasattr(value, "__fspath__")


def _is_list(value: object) -> TypeGuard[Collection[object]]:
    return not isinstance(value, str | bytes) and hasattr(value, "__iter__") and hasattr(value, "__len__")
