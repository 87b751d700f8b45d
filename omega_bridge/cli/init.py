"""``omega-bridge init``: wires a project. Shows what it writes, and overwrites nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from omega_bridge.cli import options, output

_LIST = re.compile(r"^(\w*migration_steps\w*|\w*MIGRATION_STEPS\w*)\s*(?::[^=]+)?=\s*[\[(]", re.M)
_SKIPPED = {".venv", "venv", "node_modules", ".git", "site-packages", "tests"}


FOUNDATION = "db/schema.sql"
_GROUND = f'foundation = "{FOUNDATION}"'


@dataclass(frozen=True, slots=True)
class Wire:
    """One file: what becomes of it, and why. ``text`` is its new content, ``None`` where it stays."""

    path: Path
    action: str
    text: str | None = None


def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    steps: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Where the list is (default: found in the project).", show_default=False),
    ] = None,
    metadata: Annotated[str | None, typer.Option(metavar="MODULE:ATTR", help="The models' MetaData.", show_default=False)] = None,
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
    json: Annotated[bool, typer.Option("--json", help="Print JSON.", show_default=False)] = False,
) -> None:
    """Wire this folder: configuration in pyproject.toml, alembic.ini, alembic/env.py."""
    if env_file is not None:
        from omega_bridge.cli.setup import take
        from omega_bridge.config import load_config

        take(env_file, load_config())
    if sentinel:
        _sentinel(database_url, role or [], json)
        return
    from omega_bridge.writing import write

    wires = plan_wiring(Path.cwd(), steps, metadata, _schema_of(from_database) if from_database else None)
    writes = [w for w in wires if w.text is not None]
    if not json:
        for wire in wires:
            typer.echo(f"{wire.action:10} {wire.path.relative_to(Path.cwd())}")
        section = next((w.text for w in writes if w.path.name == "pyproject.toml"), None)
        if section:
            typer.echo("\n[tool.omega-bridge]" + section.rpartition("[tool.omega-bridge]")[2])
    if writes and not yes and not json and not typer.confirm("Write these files?", default=True):
        raise typer.Exit(1)
    for wire in writes:
        write(wire.path, wire.text or "")
    if json:
        output.as_json({"files": [{"path": str(w.path), "action": w.action} for w in wires]})
    else:
        typer.echo("next: omega-bridge export && alembic history")


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


def plan_wiring(root: Path, steps: str | None, metadata: str | None, schema: str | None = None) -> list[Wire]:
    """Decide every file. ``schema``: the text of a foundation. Pure but for reading."""
    wires = []
    source = steps or _found_list(root)
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
    wires.append(
        _configuration(root / "pyproject.toml", _section(source, metadata, schema is not None), with_ground=schema is not None)
    )
    wires.append(_fresh(root / "alembic.ini", _template("alembic.ini")))
    env = root / "alembic" / "env.py"
    if env.exists() and "omega_bridge" not in env.read_text(encoding="utf-8"):
        wires.append(Wire(env, "yours: add the two lines of docs/how-to.md"))
    else:
        wires.append(_fresh(env, _template("env.py.txt")))
    wires.append(_fresh(root / "alembic" / "script.py.mako", _template("script.py.mako")))
    wires.append(_fresh(root / "alembic" / "versions" / ".gitkeep", ""))
    return wires


def _fresh(path: Path, text: str) -> Wire:
    return Wire(path, "keep") if path.exists() else Wire(path, "write", text)


def _configuration(path: Path, section: str, *, with_ground: bool) -> Wire:
    if not path.exists():
        return Wire(path, "write", section)
    text = path.read_text(encoding="utf-8")
    if "[tool.omega-bridge]" not in text:
        return Wire(path, "append", text.rstrip("\n") + "\n\n" + section)
    if with_ground and not re.search(r"^foundation\s*=", text, re.M):
        return Wire(path, "add", text.replace("[tool.omega-bridge]\n", f"[tool.omega-bridge]\n{_GROUND}\n", 1))
    return Wire(path, "keep")


def _section(steps: str, metadata: str | None, with_ground: bool) -> str:
    lines = ["[tool.omega-bridge]", f'steps = "{steps}"', *([_GROUND] if with_ground else [])]
    if metadata:
        lines.append(f'metadata = "{metadata}"')
    return "\n".join([*lines, 'alembic = "alembic"']) + "\n"


def _found_list(root: Path) -> str | None:
    for path in sorted(root.rglob("*.py"), key=lambda p: (len(p.parts), p)):
        if _SKIPPED & set(path.relative_to(root).parts):
            continue
        found = _LIST.search(path.read_text(encoding="utf-8", errors="replace"))
        if found:
            return f"{path.relative_to(root).as_posix()}:{found[1]}"
    return None


def _template(name: str) -> str:
    from importlib import resources

    return resources.files("omega_bridge.cli").joinpath("templates", name).read_text(encoding="utf-8")
