"""Imports point one way, down the layers, and each heavy library has one home."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "omega_bridge"

# Top to bottom. A module may import what stands below its layer, and its own room; rooms of one layer are strangers.
LAYERS: tuple[tuple[frozenset[str], ...], ...] = tuple(
    tuple(frozenset(room.split("+")) for room in layer.split("|"))
    for layer in (
        "pytest_plugin|asgi|otel",
        "cli",
        "audit",
        "startup+readings+adoption+environment+own_environment+lint+fixing+squawk+drift+explaining|embedded",
        "sources+config|postgres|revisions",
        "planning",
        "analysis",
        "outcomes",
        "expectation+expectation_file+expected_grants",
        "kinds",
        "catalog|ledger",
        "steps",
        "sql",
        "errors+options+option_schema+redaction+writing+cache_folder+unread+pages+who+discarding+model_files+user_code+version_table+tags",
        "values+regexes",
    )
)
# Who may import a module besides what the layers say (the package itself, which is the public API, imports any).
ONLY_FOR = {"embedded": {"cli", "audit", "embedded"}}
ONLY_NEEDS = {"embedded": {"errors", "redaction"}, "errors": set[str](), "redaction": set[str](), "writing": {"errors"}}
HOMES = {
    "psycopg": {"postgres", "embedded"},
    "alembic": {"revisions"},
    "sqlalchemy": {"revisions"},
    "postgast": {"sql"},
    "typer": {"cli"},
    "rich": {"cli"},
    "opentelemetry": {"otel"},
}


def imports(source: str, module: str, *, is_package: bool = False) -> Iterator[tuple[str, int]]:
    """The dotted names that a module's text imports, with their lines; what only type checkers see is left out."""
    tree = ast.parse(source)
    unseen = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{origin}.{alias.name}", node.lineno) for alias in node.names)


def modules() -> list[tuple[str, Path]]:
    """Every module of the package, by its room's name (the package itself is ``""``)."""
    paths = sorted((ROOT / PACKAGE).rglob("*.py"))
    return [((path.relative_to(ROOT / PACKAGE).with_suffix("").parts[0].removesuffix("__init__")), path) for path in paths]


def complaint(importer: str, imported: str) -> str | None:
    """What is wrong with a module of one room importing another, or ``None``."""
    if importer in ("", "__main__") or importer == imported:
        return None
    for room in (importer, imported):
        if room not in {name for layer in LAYERS for names in layer for name in names}:
            return f"{room} has no place in LAYERS: give it one"
    if importer not in ONLY_FOR.get(imported, {importer}):
        return f"only {', '.join(sorted(ONLY_FOR[imported]))} may import {imported}"
    if imported not in ONLY_NEEDS.get(importer, {imported}):
        return f"{importer} may not import {imported}"
    if any(importer in room and imported in room for layer in LAYERS for room in layer):
        return None
    height, depth = (
        next(n for n, layer in enumerate(LAYERS) if any(name in room for room in layer)) for name in (importer, imported)
    )
    return None if height < depth else f"{imported} does not stand below {importer}"


def room_of(name: str) -> str | None:
    """The room that a dotted name is in; ``None`` for what is not ours or the package's own API."""
    parts = name.split(".")
    if parts[0] != PACKAGE or len(parts) == 1:
        return None
    is_module = (ROOT / PACKAGE / parts[1]).is_dir() or (ROOT / PACKAGE / f"{parts[1]}.py").is_file()
    return parts[1] if is_module else ""


@pytest.mark.parametrize(
    ("room", "path"), modules(), ids=lambda value: str(value.relative_to(ROOT)) if isinstance(value, Path) else ""
)
def test_a_module_imports_only_what_stands_below_it(room: str, path: Path) -> None:
    """Who reads a module needs to know the layers below it, and nothing else."""
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    wrong = []
    for name, line in imports(path.read_text(), dotted, is_package=path.name == "__init__.py"):
        imported = room_of(name)
        reason = None
        if imported is not None:
            reason = "inner modules import each other, not the public API" if imported == "" and room not in ("", "cli") else None
            reason = reason or (complaint(room, imported) if imported else None)
        elif (home := HOMES.get(name.split(".")[0])) is not None and room not in home:
            reason = f"only {', '.join(sorted(home))} may import {name.split('.')[0]}"
        if reason:
            wrong.append(f"{path.relative_to(ROOT)}:{line}: imports {name}: {reason}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("startup", "planning", True),
        ("startup", "adoption", True),
        ("planning", "startup", False),
        ("postgres", "revisions", False),
        ("catalog", "ledger", False),
        ("analysis", "sql", True),
        ("sources", "config", True),
        ("audit", "embedded", True),
        ("startup", "embedded", False),
        ("embedded", "errors", True),
        ("embedded", "postgres", False),
        ("errors", "sql", False),
        ("", "cli", True),
        ("startup", "novelty", False),
    ],
)
def test_the_order_is_what_the_design_says(importer: str, imported: str, allowed: bool) -> None:
    """The judge of imports itself lets through what the design allows, and nothing more."""
    assert (complaint(importer, imported) is None) is allowed


def test_imports_are_read_in_every_form() -> None:
    """No form of import escapes the judge, and what only type checkers see is not held against a module."""
    source = """
import a.b
from c import d
from . import e
from ..f import g
def lazily():
    import h
if TYPE_CHECKING:
    import unseen
else:
    import i
"""
    found = {name for name, _ in imports(source, "p.q.r")}
    assert found == {"a.b", "c.d", "p.q.e", "p.f.g", "h", "i"}
    assert {name for name, _ in imports("from . import e", "p.q", is_package=True)} == {"p.q.e"}


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh process has after some code, besides those of a process that does nothing."""
    tell = "import sys; bare = set(sys.modules)\n{}\nprint('LOADED', *(set(sys.modules) - bare))"
    done = subprocess.run([sys.executable, "-c", tell.format(code)], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_importing_the_package_is_light() -> None:
    """A service that imports omega_bridge does not pay for Alembic, SQLAlchemy, Typer or the parser; nor for what it leaves unused."""
    heavy = {"alembic", "sqlalchemy", "typer", "rich", "postgast", "google", "psycopg"}
    assert {name for name in loaded_by("import omega_bridge") if name.startswith(PACKAGE)} == {PACKAGE}
    assert not loaded_by("from omega_bridge import boot, boot_async, Step, Registry, Repeat, Run, Place") & heavy


def test_every_public_name_is_found_and_no_other() -> None:
    """What ``__all__`` promises is there although it is loaded late, listed, and a wrong name is the usual error."""
    import omega_bridge

    for name in omega_bridge.__all__:
        assert getattr(omega_bridge, name).__name__ == name
        assert name in dir(omega_bridge)
    assert not hasattr(omega_bridge, "bot")
    with pytest.raises(ImportError, match="bot"):
        exec("from omega_bridge import bot")


def test_a_start_that_repairs_loads_what_each_of_them_needs() -> None:
    """One more step on a database that holds the rest is added without what is only for models, for failures and for exports."""
    loaded = loaded_by("import omega_bridge.startup.start, omega_bridge.postgres.warm_up, omega_bridge.startup.repair")
    for_some = (
        "model_files user_code sources.folder sources.imported startup.lacks startup.preview planning.gaps planning.needs "
        "planning.renames planning.settling planning.foundation postgres.outside postgres.journal postgres.hidden_errors "
        "postgres.scratch expectation"
    )
    assert not loaded & {f"{PACKAGE}.{name}" for name in for_some.split()}
    assert not loaded & {"alembic", "sqlalchemy", "typer", "rich", "postgast", "difflib", "pkgutil", "getpass"}


def test_help_loads_no_verb() -> None:
    """``omega-bridge --help`` lists the verbs without loading what they work with."""
    code = "import os, sys; sys.argv = ['omega-bridge', '--help']\nfrom omega_bridge.cli import main\n"
    loaded = loaded_by(f"{code}try: main()\nexcept SystemExit: pass")
    assert {name for name in loaded if name.startswith(PACKAGE)} == {
        PACKAGE,
        f"{PACKAGE}.errors",
        f"{PACKAGE}.cli",
        f"{PACKAGE}.cli.app",
        f"{PACKAGE}.cli.interruption",
        f"{PACKAGE}.cli.plain_values",
        f"{PACKAGE}.cli.streams",
        f"{PACKAGE}.unread",
    }
    assert not loaded & {"rich", "pydantic", "psycopg", "sqlalchemy", "alembic", "postgast", "google", "logging", "json"}


@pytest.mark.parametrize(
    "arguments", [["boot", "--help"], ["ledger", "log", "--help"], ["explain", "OB301"], ["explain", "config"]], ids=" ".join
)
def test_a_verb_loads_what_it_needs(arguments: list[str]) -> None:
    """Its help, and what needs no list, load nothing that reads a list or checks types."""
    code = f"import sys; sys.argv = ['omega-bridge', *{arguments}]\nfrom omega_bridge.cli import main\n"
    loaded = loaded_by(f"{code}try: main()\nexcept SystemExit: pass")
    assert not loaded & {"rich", "pydantic", "psycopg", "sqlalchemy", "alembic", "postgast", "google"}
    if "--help" in arguments:
        assert not loaded & {f"{PACKAGE}.config", f"{PACKAGE}.steps", "logging", "hashlib"}


def test_the_history_does_not_shadow_the_library() -> None:
    """``import alembic`` from the repository's root gets the library: the folder is no package."""
    assert not (ROOT / "alembic" / "__init__.py").exists()
    done = subprocess.run(
        [sys.executable, "-c", "import alembic; print(alembic.__version__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip()


def test_parse_trees_stay_where_statements_are_read() -> None:
    """The parser's own messages and enumerations stay in its folder; its nodes concern who reads statements, or writes revisions of them."""
    parsers, nodes = re.compile(r"\bpb\b|\bDESCRIPTOR\b"), re.compile(r"\bParseNode\b|\.node\b(?!\()")
    texts = {path: path.read_text() for path in (ROOT / "omega_bridge").rglob("*.py")}
    assert {path.relative_to(ROOT).parts[1] for path, text in texts.items() if parsers.search(text)} == {"sql"}
    assert {path.relative_to(ROOT).parts[1] for path, text in texts.items() if nodes.search(text)} == {
        "sql",
        "analysis",
        "revisions",
    }
