"""Where a project's models are, found by looking at its files. Nothing is imported here."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BASES = {"DeclarativeBase", "DeclarativeBaseNoMeta"}
_CALLS = {
    "declarative_base": "{}.metadata",
    "automap_base": "{}.metadata",
    "SQLAlchemy": "{}.metadata",
    "registry": "{}.metadata",
    "MetaData": "{}",
}
_ENTRIES = {"main", "wsgi", "asgi", "manage", "run", "__main__", "conftest"}


@dataclass(frozen=True, slots=True)
class Models:
    """A module that has a ``MetaData`` by that name, and how many models it defines itself. ``is_package``: an ``__init__.py``."""

    path: Path
    attribute: str
    defined: int
    line: int

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int]:
        """The likeliest first: a package of models, a module of models, what defines most of them; not what starts the program."""
        is_init = self.path.name == "__init__.py"
        name = self.path.parent.name if is_init else self.path.stem
        is_named = name.lower() in ("models", "model", "entities", "tables", "orm", "schema")
        return (not is_named, self.path.stem in _ENTRIES, not (is_init and is_named), -self.defined, len(self.path.parts))


def models(trees: Mapping[Path, ast.Module]) -> tuple[Models, ...]:
    """Modules from which the models' ``MetaData`` may be had, the likeliest first."""
    names: dict[str, str] = {}
    for tree in trees.values():
        names.update((name, form) for name, form, _ in _made(tree))
    found = []
    for path, tree in trees.items():
        own = {name: (form, line) for name, form, line in _made(tree)}
        taken = {name: (names[name], line) for name, line in _imported(tree) if name in names and name not in own}
        held = own | taken
        if not held and _is_sqlmodel(tree):
            held = {"SQLModel": ("{}.metadata", 1)}
        defined = sum(_is_model(node, held) for node in tree.body)
        if held:
            name, (form, line) = max(held.items(), key=lambda h: (h[0] in own, h[1][0].endswith("metadata")))
            found.append(Models(path, form.format(name), defined, line))
    return tuple(sorted(found, key=lambda m: m.rank))


def _made(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(_last(b) in _BASES for b in node.bases):
            yield node.name, "{}.metadata", node.lineno
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and (form := _CALLS.get(_last(node.value.func))):
            yield from ((t.id, form, node.lineno) for t in node.targets if isinstance(t, ast.Name))


def _imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, node.lineno) for alias in node.names)


def _is_sqlmodel(tree: ast.Module) -> bool:
    return any(name == "SQLModel" for name, _ in _imported(tree)) and any(
        isinstance(node, ast.ClassDef) and any(k.arg == "table" for k in node.keywords) for node in tree.body
    )


def _is_model(node: ast.stmt, held: Mapping[str, object]) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(_last(base) in held or (_last(base) == "Model") for base in node.bases)
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _last(node.value.func) == "Table"


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
