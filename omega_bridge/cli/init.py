"""``omega-bridge init``: wires a project. Shows what it writes, and overwrites nothing."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import dumps as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omega_bridge.cli import options, output

if TYPE_CHECKING:
    from omega_bridge.cli.finding import Found

FOUNDATION = "db/schema.sql"


@dataclass(frozen=True, slots=True)
class Wire:
    """One file: what becomes of it, and why. ``text`` is its new content, ``None`` where it stays."""

    path: Path
    action: str
    text: str | None = None


def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    steps: options.Steps = None,
    metadata: options.Models = None,
    sentinel: Annotated[
        bool,
        typer.Option("--sentinel", help="In the database: an event trigger that notes DDL, for starts that cost still less."),
    ] = False,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="With --sentinel: a role that starts, and may read what was noted."),
    ] = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    from_database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Write the schema of this database as the foundation of the list (by pg_dump).",
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Wire this folder: configuration in pyproject.toml, alembic.ini, alembic/env.py."""
    from omega_bridge.config import load_config

    written = load_config()  # what cannot be read, cannot be added to
    if env_file is not None:
        from omega_bridge.cli.setup import take

        take(env_file, written)
    if sentinel:
        _sentinel(database_url, role or [], json)
        return
    from omega_bridge.planning.unfounded import told
    from omega_bridge.writing import write

    root = Path.cwd()
    found = _found(root, steps, metadata)
    wires = plan_wiring(root, found, _schema_of(from_database) if from_database else None)
    writes = [w for w in wires if w.text is not None]
    if not json:
        for note in found.notes:
            typer.echo(note)
        for wire in wires:
            typer.echo(f"{wire.action:10} {wire.path.relative_to(Path.cwd())}")
        section = next((w.text for w in writes if w.path.name == "pyproject.toml"), None)
        if section:
            typer.echo("\n[tool.omega-bridge]" + section.rpartition("[tool.omega-bridge]")[2])
    if writes and not yes and not json and not _is_confirmed():
        raise typer.Exit(1)
    for wire in writes:
        write(wire.path, wire.text or "")
    stands_on = _stands_on()
    if json:
        output.as_json(
            {
                "files": [{"path": str(w.path), "action": w.action} for w in wires],
                "steps": found.steps,
                "metadata": found.metadata,
                "notes": [*found.notes],
                "stands_on": list(stands_on),
            }
        )
    else:
        if any(w.action == YOURS for w in wires):
            typer.echo(TWO_LINES)
        output.aside(told(stands_on))
        typer.echo("next: omega-bridge export && alembic history")


def _is_confirmed() -> bool:
    try:
        return typer.confirm("Write these files?", default=True)
    except typer.Abort:
        output.aside("\nnothing was written; where nobody answers: omega-bridge init --yes")
        return False


def _stands_on() -> tuple[str, ...]:
    """The tables that the list needs and nobody makes: an export from which their foundation was left out is told of nothing else."""
    from omega_bridge.cli.setup import prepare
    from omega_bridge.errors import OmegaBridgeError

    try:
        return prepare(None, None).unfounded
    except OmegaBridgeError:  # what cannot be read here and now, the next command says
        return ()


YOURS = "yours"
TWO_LINES = """
env.py is yours, and runs the exported revisions as it is. Two lines give it the lock of a start and its state (how-to, "You have Alembic already"):
  from omega_bridge.own_environment import guarded
  with guarded(context), context.begin_transaction():    # instead of: with context.begin_transaction():
"""


def _sentinel(database_url: str | None, roles: list[str], json: bool) -> None:
    """Install the event trigger, and nothing else."""
    from omega_bridge.cli.setup import prepare
    from omega_bridge.postgres.dsn import normalise
    from omega_bridge.postgres.fast_path import sentinel
    from omega_bridge.postgres.session import open_session

    with open_session(normalise(prepare(None, None, database_url).database)) as session:
        sentinel.install(session, roles)
    if json:
        output.as_json({"files": [], "sentinel": True})
    else:
        typer.echo("the event triggers omega_bridge_ddl and omega_bridge_drop are there; the next start records anew")


def _schema_of(database: str) -> str:
    """The text of the foundation's file."""
    from omega_bridge.audit.grounds import copied_schema
    from omega_bridge.planning.foundation import understood
    from omega_bridge.postgres.dsn import normalise

    copied = copied_schema(normalise(database))
    understood(copied.text, FOUNDATION)
    return f"-- a database's schema, made by: omega-bridge init --from-database URL ({copied.witness})\n\n{copied.text}"


def _found(root: Path, steps: str | None, metadata: str | None) -> Found:
    """What there is to wire; of a project that is configured already, nothing is looked for."""
    from omega_bridge.cli.finding import Found, find

    configured = _configured(root)
    if "steps" in configured:
        return Found(str(configured["steps"]), None, (), ())
    return find(root, steps, metadata)


def plan_wiring(root: Path, found: Found, schema: str | None = None) -> list[Wire]:
    """Decide every file. ``schema``: the text of a foundation. Pure but for reading."""
    wires = []
    folder = _history(root)
    source = found.steps
    if source is None:
        source = "migration_steps.py:migration_steps"
        wires.append(
            _fresh(
                root / "migration_steps.py",
                '"""The repair list: each entry runs at every start, and says itself whether it has to."""\n\nmigration_steps: list[str] = []\n',
            )
        )
    if schema is not None:
        wires.append(_fresh(root / FOUNDATION, schema))
    said = {"foundation": FOUNDATION} if schema is not None else {}
    said |= _versions(root, folder)
    wires.append(_configuration(root / "pyproject.toml", _section(source, found, folder, said), said))
    wires.extend(_ini(root, folder))
    env = root / folder / "env.py"
    if env.exists() and "omega_bridge" not in env.read_text(encoding="utf-8"):
        wires.append(Wire(env, YOURS))
    else:
        wires.append(_fresh(env, _template("env.py.txt")))
    wires.append(_fresh(root / folder / "script.py.mako", _template("script.py.mako")))
    if not any((root / folder / "versions").glob("*.py")):
        wires.append(_fresh(root / folder / "versions" / ".gitkeep", ""))
    return wires


def _ini(root: Path, folder: str) -> Iterator[Wire]:
    """Alembic's configuration: the project's own stays, and a folder of which it does not speak gets one with the folder's name."""
    path = root / "alembic.ini"
    theirs = _location(root)
    if theirs is not None and theirs != folder:
        path = root / f"{folder.replace('/', '-')}.ini"
    elif theirs is not None and not path.exists():
        return  # [tool.alembic] in pyproject.toml
    yield _fresh(path, _template("alembic.ini").replace("%(here)s/alembic", f"%(here)s/{folder}"))


def _history(root: Path) -> str:
    """The history's folder: as it is configured already, else where Alembic has it."""
    return str(_configured(root).get("alembic") or _location(root) or "alembic")


def _configured(root: Path) -> dict[str, Any]:
    path = root / "pyproject.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    section: dict[str, Any] = found.get("tool", {}).get("omega-bridge", {})
    return section


def _location(root: Path) -> str | None:
    """Alembic's ``script_location``, below the project; ``None`` where nothing names one."""
    ini, project = root / "alembic.ini", root / "pyproject.toml"
    found = None
    if ini.exists():
        read = configparser.RawConfigParser(strict=False)
        read.read_string(ini.read_text(encoding="utf-8"))
        found = read.get("alembic", "script_location", fallback=None)
    elif project.exists():
        found = tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {}).get("alembic", {}).get("script_location")
    if found is None:
        return None
    named = str(found).replace("%(here)s/", "").replace(":", "/").strip()
    return named.removeprefix(f"{root}/").removeprefix("./").rstrip("/")


def _fresh(path: Path, text: str) -> Wire:
    return Wire(path, "keep") if path.exists() else Wire(path, "write", text)


def _versions(root: Path, folder: str) -> dict[str, str]:
    """Where the revision is to be kept, beside the project's other history, or where the ``env.py`` that is there has it."""
    env = root / folder / "env.py"
    if env.exists() and (kept := kept_in(env.read_text(encoding="utf-8"))):
        return kept
    theirs = _location(root)
    if theirs is None or theirs == folder or not any((root / theirs / "versions").glob("*.py")):
        return {}
    return {"version-table": f"alembic_version_{re.sub(r'[^a-z0-9]+', '_', folder.lower()).strip('_')}"}


def kept_in(environment: str) -> dict[str, str]:
    """The ``version_table`` that an ``env.py`` gives to ``context.configure()``, where it says so plainly, as keys of the configuration."""
    try:
        tree = ast.parse(environment)
    except SyntaxError:
        return {}
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        keyword.arg.replace("_", "-"): keyword.value.value
        for call in calls
        for keyword in call.keywords
        if keyword.arg in ("version_table", "version_table_schema")
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


def _configuration(path: Path, section: str, said: Mapping[str, str]) -> Wire:
    """``said``: keys that an existing section gets where it lacks them."""
    if not path.exists():
        return Wire(path, "write", section)
    text = path.read_text(encoding="utf-8")
    if "[tool.omega-bridge]" not in text:
        return Wire(path, "append", text.rstrip("\n") + "\n\n" + section)
    lines = [_line(key, value) for key, value in said.items() if not re.search(rf"^{key}\s*=", text, re.M)]
    if lines:
        return Wire(path, "add", text.replace("[tool.omega-bridge]\n", "\n".join(["[tool.omega-bridge]", *lines, ""]), 1))
    return Wire(path, "keep")


def _section(steps: str, found: Found, folder: str, said: Mapping[str, str]) -> str:
    keys = {"steps": steps, **({"metadata": found.metadata} if found.metadata else {})}
    lines = ["[tool.omega-bridge]", *(_line(key, value) for key, value in keys.items())]
    if found.python_path:
        lines.append(f"python-path = [{', '.join(json_text(path) for path in found.python_path)}]")
    return "\n".join([*lines, *(_line(key, value) for key, value in {"alembic": folder, **said}.items())]) + "\n"


def _line(key: str, value: str) -> str:
    return f"{key} = {json_text(value, ensure_ascii=False)}"


def _template(name: str) -> str:
    from importlib import resources

    return resources.files("omega_bridge.cli").joinpath("templates", name).read_text(encoding="utf-8")
