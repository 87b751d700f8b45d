"""Where a project's list is written, found by looking at its files: by its name, and by the SQL in it. Nothing is imported here."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from omega_bridge.errors import OmegaBridgeError
from omega_bridge.sources.text import not_in_its_encoding, tree_of

_MOST = 5000
"""Files that are looked at."""
_SKIPPED = {"venv", "env", "node_modules", "site-packages", "tests", "test", "build", "dist", "__pycache__", "versions", "docs"}
_MEANT = re.compile(r"_?(get_|build_|make_|all_)?migration_?steps", re.I)
_LIKELY = re.compile(r"_?(get_|build_|make_|all_)?(\w*migrations?|\w*_?steps|\w*repairs?|\w*ddl|\w*statements)", re.I)
_BEGINS = r"^(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_SQL = re.compile(
    _BEGINS + r"((create|alter|drop|do|grant|revoke|truncate|set)\s+\S|comment\s+on\s|insert\s+into\s|delete\s+from\s"
    r"|update\s+\S+\s+(as\s+\w+\s+)?set\s|with\s+\S+\s+as\s|select\b.*(\(|\bfrom\s|\d))",
    re.I | re.S,
)
_DDL = re.compile(_BEGINS + r"(create|alter|drop|do|grant|comment\s+on)\s", re.I | re.S)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A list, or a function that gives one. ``owner``: the classes or functions around it. ``importable``: by module and name."""

    path: Path
    name: str
    owner: str
    line: int
    statements: int
    importable: bool

    @property
    def is_meant(self) -> bool:
        """Whether its name says that it is the list."""
        return _MEANT.fullmatch(self.name) is not None

    @property
    def attribute(self) -> str:
        """Its name below the module."""
        return f"{self.owner}.{self.name}" if self.owner else self.name


def python_files(root: Path) -> Iterator[Path]:
    """The project's own, those near the root first; no tests, environments, or revisions of Alembic's."""
    found = (
        path
        for path in root.rglob("*.py")
        if not any(part in _SKIPPED or part.startswith(".") for part in path.relative_to(root).parts[:-1])
    )
    return islice(iter(sorted(found, key=lambda p: (len(p.parts), p))), _MOST)


def read_tree(path: Path) -> ast.Module | None:
    """The file's tree; ``None`` for one that Python does not read."""
    try:
        return tree_of(text_of(path), str(path))
    except (OSError, ValueError, SyntaxError, OmegaBridgeError):
        return None


def text_of(path: Path) -> str:
    """In the encoding that Python takes it for. Raises ``OSError``, ``SyntaxError`` and ``UnicodeDecodeError``."""
    with tokenize.open(path) as file:
        return file.read()


def unread(root: Path) -> Iterator[OmegaBridgeError]:
    """Why files that speak of a list by its name are not read."""
    for path in python_files(root):
        shown = path.relative_to(root).as_posix()
        try:
            if b"migration_steps" in path.read_bytes():
                tree_of(text_of(path), shown)
        except OmegaBridgeError as error:
            yield error
        except (SyntaxError, UnicodeDecodeError) as error:
            yield not_in_its_encoding(shown, error)
        except (OSError, ValueError):
            continue


def lists(root: Path) -> tuple[Candidate, ...]:
    """What may be the list, the likeliest first."""
    found = [one for path in python_files(root) if (tree := read_tree(path)) is not None for one in _in_file(path, tree)]
    return tuple(sorted(found, key=lambda c: (not c.is_meant, -c.statements, len(c.path.parts), c.path, c.line)))


def folders(root: Path) -> tuple[str, ...]:
    """Folders of ``.sql`` files that may be the list."""
    names = ("migrations", "migration_steps", "sql/migrations", "db/migrations", "database/migrations")
    return tuple(name for name in names if any((root / name).glob("*.sql")))


def packages(path: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Module names under which a file may be imported, with the folder that has to be on Python's path ("" for the root)."""
    parts = path.relative_to(root).with_suffix("").parts
    own = parts[:-1] if parts[-1] == "__init__" else parts
    top = len(parts) - 1
    while top > 0 and (root.joinpath(*parts[:top]) / "__init__.py").exists():
        top -= 1
    for start in dict.fromkeys((top, 0, 1 if parts[0] == "src" else top)):
        module = ".".join(own[start:])
        if module and all(part.isidentifier() for part in own[start:]):
            yield module, "/".join(parts[:start])


# --- one file --------------------------------------------------------------------------------------------------


def _in_file(path: Path, tree: ast.Module) -> Iterator[Candidate]:
    if any(isinstance(n, ast.Assign) and "down_revision" in _targets(n) for n in tree.body):
        return
    found: list[Candidate] = []
    parts: set[str] = set()
    for scope, owner, is_local in _scopes(tree, "", False):
        made = {name: node for node in _body(scope) for name in _targets(node)}
        for name, node in made.items():
            value = getattr(node, "value", None)
            if value is None or not _is_listed(value):
                continue
            texts = [*_texts(value), *_added(scope, name)]
            named = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
            parts |= {n for n in named if n != name}
            count = sum(map(_is_sql, texts)) + sum(
                _is_sql(t) for n in named & made.keys() for t in _texts(getattr(made[n], "value", None))
            )
            is_content = any(map(_is_ddl, texts)) and 3 * count >= len(texts) and not isinstance(value, ast.Dict)
            if _MEANT.fullmatch(name) or (count and _LIKELY.fullmatch(name)) or is_content:
                found.append(Candidate(path, name, owner, node.lineno, count, not is_local))
    for given in _given(path, tree):
        found = [c for c in found if c.owner != given.by]
        found.append(given.candidate)
    for function, owner, is_method in _functions(tree, "", False):
        count = sum(map(_is_sql, _texts(function)))
        gives = any(isinstance(n, ast.Yield) or (isinstance(n, ast.Return) and n.value is not None) for n in ast.walk(function))
        own = [c for c in found if c.owner.startswith(f"{owner}.{function.name}".lstrip("."))]
        if gives and count and _LIKELY.fullmatch(function.name) and not any(c.is_meant for c in own):
            found = [c for c in found if c not in own]
            found.append(Candidate(path, function.name, owner, function.lineno, count, not is_method))
    yield from (c for c in found if c.name not in parts or c.is_meant)


@dataclass(frozen=True, slots=True)
class _Given:
    """A list that is what a call gives. ``by``: the function, where it is the file's own."""

    candidate: Candidate
    by: str


def _given(path: Path, tree: ast.Module) -> Iterator[_Given]:
    """``migration_steps = build()`` in a module: by its name, since what it holds is known to who imports it alone."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in _body(tree):
        for name in _targets(node):
            value = getattr(node, "value", None)
            if _MEANT.fullmatch(name) and isinstance(value, ast.Call) and not _is_listed(value):
                by = value.func.id if isinstance(value.func, ast.Name) else ""
                count = sum(map(_is_sql, _texts(functions.get(by))))
                yield _Given(Candidate(path, name, "", node.lineno, count, True), by)


def _scopes(node: ast.AST, owner: str, is_local: bool) -> Iterator[tuple[ast.AST, str, bool]]:
    yield node, owner, is_local
    for child in _body(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inside = is_local or not isinstance(child, ast.ClassDef)
            yield from _scopes(child, f"{owner}.{child.name}".lstrip("."), inside)


def _functions(node: ast.AST, owner: str, is_method: bool) -> Iterator[tuple[ast.FunctionDef, str, bool]]:
    for child in _body(node):
        if isinstance(child, ast.FunctionDef) and (is_method or not _needs_arguments(child)):
            yield child, owner, is_method
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{owner}.{child.name}".lstrip("."), True)


def _needs_arguments(function: ast.FunctionDef) -> bool:
    given = function.args
    return len(given.args) + len(given.posonlyargs) > len(given.defaults) or None in given.kw_defaults


def _body(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a scope, those inside ``if``, ``with``, ``try`` and loops too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
            if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _body(child)
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from _body(child)


def _targets(node: ast.stmt) -> tuple[str, ...]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return tuple(t.id for t in targets if isinstance(t, ast.Name))  # one of self is read as a name, too


def _is_listed(value: ast.expr | None) -> bool:
    match value:
        case ast.List() | ast.Tuple() | ast.ListComp() | ast.Dict():
            return True
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return any(
                isinstance(side, ast.List | ast.Tuple | ast.Name | ast.BinOp | ast.Call | ast.ListComp) for side in (left, right)
            )
        case ast.Call(func=ast.Name(id="list" | "tuple")):
            return True
    return False


def _texts(node: ast.AST | None) -> list[str]:
    """The texts in an expression, of an f-string what it begins with."""
    found = []
    waiting: list[ast.AST] = [node] if node is not None else []
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.JoinedStr):
            found.append(str(one.values[0].value) + " x" if one.values and isinstance(one.values[0], ast.Constant) else "")
        elif isinstance(one, ast.Constant):
            found.extend([one.value] if isinstance(one.value, str) else [])
        else:
            waiting.extend(ast.iter_child_nodes(one))
    return found


def _added(scope: ast.AST, name: str) -> Iterator[str]:
    """The texts that are appended to a list."""
    for node in _body(scope):
        match node:
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=target), attr="append" | "extend"), args=[entry])
            ) if target == name:
                yield from _texts(entry)
            case ast.AugAssign(target=ast.Name(id=target), value=value) if target == name:
                yield from _texts(value)


def _is_sql(text: str) -> bool:
    return _SQL.match(text) is not None


def _is_ddl(text: str) -> bool:
    return _DDL.match(text) is not None
