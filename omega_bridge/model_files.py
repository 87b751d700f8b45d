"""Models that nobody imported: found by looking at the files beside those that are imported. Nothing is imported for it.

A table is known to a ``MetaData`` only once its module was imported; what is not known there is neither made nor missed by anybody.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import MetaData


from omega_bridge.values import dataclass

_MOST = 2000
"""Files that are looked at; a folder with more holds something else."""


@dataclass(frozen=True, slots=True)
class Unimported:
    """``name``: the class, or the variable of a ``Table``. ``into``: the file whose import of it would do."""

    table: str
    name: str
    file: str
    line: int
    module: str
    into: str

    @property
    def statement(self) -> str:
        """The import to add."""
        return f"from {self.module} import {self.name}" if self.name else f"import {self.module}"

    def __str__(self) -> str:
        what = f"class {self.name}" if self.name else "a table"
        return (
            f"{self.file}:{self.line}: {what} (table {self.table}) is imported by nothing: add to {self.into}: {self.statement}"
        )


def unimported(metadata: MetaData) -> tuple[Unimported, ...]:
    """The models in the files beside those of ``metadata`` whose modules are not loaded, and whose tables it does not know."""
    known = {str(table.name) for table in metadata.tables.values()}
    bases, folders = _loaded(metadata)
    files = {os.path.realpath(f) for m in list(sys.modules.values()) if isinstance(f := getattr(m, "__file__", None), str)}
    found: dict[tuple[str, int], Unimported] = {}
    for folder, package in folders.items():
        for path in islice(_sources(folder, package), _MOST):
            if os.path.realpath(path) not in files:
                for table, name, line in _models(path, bases):
                    if table not in known:
                        one = Unimported(table, name, _shown(path), line, _module(path, folder, package), _into(folder, package))
                        found.setdefault((str(path), line), one)
    return tuple(found.values())


def of_table(metadata: MetaData, table: str) -> Unimported | None:
    """The model of a table that is not known, where a file has one."""
    return next((one for one in unimported(metadata) if one.table == table.rpartition(".")[2]), None)


# --- what is loaded --------------------------------------------------------------------------------------------


def _loaded(metadata: MetaData) -> tuple[frozenset[str], dict[Path, str]]:
    """The names of classes of these models, and the folders of their modules, with the package that each is."""
    bases: set[str] = set()
    folders: dict[Path, str] = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _NOT_OURS or not isinstance(module, ModuleType):
            continue
        held = [v for v in list(vars(module).values()) if _is_of(v, metadata)]
        classes = [v for v in held if isinstance(v, type)]
        bases.update(c.__name__ for c in classes)
        if any(c.__module__ == name for c in classes) or any(v is metadata for v in held) or (held and not classes):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and file.endswith(".py"):
                package = name if file.endswith("__init__.py") else name.rpartition(".")[0]
                folders.setdefault(Path(file).resolve().parent, package)
    return frozenset(bases), folders


def _is_of(value: Any, metadata: MetaData) -> bool:
    """Whether it is the metadata, a table or a class of it. Other values are not asked for an attribute: some make it up."""
    if isinstance(value, type):
        return any(vars(base).get("metadata") is metadata for base in value.__mro__)
    return value is metadata or (type(value).__name__ == "Table" and getattr(value, "metadata", None) is metadata)


_NOT_OURS = frozenset(sys.stdlib_module_names) - {"__main__"} | {
    "omega_bridge",
    "psycopg",
    "sqlalchemy",
    "alembic",
    "google",
    "postgast",
}


def _sources(folder: Path, package: str) -> Iterator[Path]:
    """The Python files of a package and those below it; of a folder that is none, its own."""
    if package:
        return (p for p in sorted(folder.rglob("*.py")) if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    return iter(sorted(folder.glob("*.py")))


def _module(path: Path, folder: Path, package: str) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    own = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join([package, *own] if package else own)


def _into(folder: Path, package: str) -> str:
    return _shown(folder / "__init__.py") if package else "the module of the models"


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


# --- what is written -------------------------------------------------------------------------------------------


def _models(path: Path, bases: frozenset[str]) -> Iterator[tuple[str, str, int]]:
    """The tables that a file defines on one of ``bases``: table, class, line."""
    try:
        text = path.read_text(encoding="utf-8")
        if not any(word in text for word in ("__tablename__", "Table(", "table=True")):
            return
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):  # what Python does not read is no model
        return
    ours = set(bases)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            if not any(_last(base) in ours for base in node.bases):
                ours.discard(node.name)  # a base of its own, of the same name
                continue
            ours.add(node.name)
            table = _tablename(node)
            if table is not None:
                yield table, node.name, node.lineno
        elif isinstance(node, ast.Assign) and (table := _table_call(node.value)) is not None:
            target = node.targets[0]
            yield table, target.id if isinstance(target, ast.Name) else "", node.lineno


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _last(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _tablename(node: ast.ClassDef) -> str | None:
    for statement in node.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and target.id == "__tablename__" and isinstance(value, ast.Constant):
            return str(value.value)
    is_table = any(k.arg == "table" and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords)
    return node.name.lower() if is_table else None


def _table_call(node: ast.expr) -> str | None:
    """The name in ``Table("name", metadata, ...)``."""
    if not (isinstance(node, ast.Call) and _last(node.func) == "Table" and len(node.args) > 1):
        return None
    name, metadata = node.args[:2]
    is_ours = _last(metadata) in ("metadata", "metadata_obj", "meta")
    return str(name.value) if is_ours and isinstance(name, ast.Constant) else None
