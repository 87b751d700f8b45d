"""Public signatures say what they take and give."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "omega_bridge"
OF_THE_PARSER = {"ParseNode", "Tree"}
"""A node of PostgreSQL's grammar, whose fields the grammar knows, and PL/pgSQL's tree, which is JSON."""


def is_public(name: str) -> bool:
    """Whether others may call it: a method by whose name Python calls it itself is its class's own business, but for ``__init__``."""
    return not name.startswith("_") or name == "__init__"


def says_any(annotation: ast.expr | None) -> bool:
    """Whether an annotation, or a text that holds one, has ``Any`` in it."""
    if annotation is None:
        return False
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name) and node.id == "Any":
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                continue
            if not isinstance(inner, ast.Constant) and says_any(inner):
                return True
    return False


def public(body: list[ast.stmt], known: set[str], where: str = "") -> Iterator[tuple[str, list[ast.expr | None]]]:
    """What is public in a module or a class, with its annotations. What overrides another library's method has that one's signature."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if is_public(name):
                taken = node.args
                given = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
                yield f"{where}{name}", [*(a.annotation for a in given if a is not None), node.returns]
            case ast.ClassDef(name=name, bases=bases) if is_public(name) and name not in OF_THE_PARSER:
                if all(ast.unparse(base).partition("[")[0] in known for base in bases):
                    yield from public(node.body, known, f"{where}{name}.")
            case ast.AnnAssign(target=ast.Name(id=name)) if is_public(name) and name not in OF_THE_PARSER:
                is_alias = ast.unparse(node.annotation) == "TypeAlias"
                yield f"{where}{name}", [node.value if is_alias else node.annotation]
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() as value) if is_public(name):
                yield f"{where}{name}", [value]


MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in MODULES}
PLAIN = {"Protocol", "TypedDict", "NamedTuple", "StrEnum", "Enum", "Exception", "tuple", "dict", "type"}


def ours(classes: dict[str, set[str]]) -> set[str]:
    """Those that inherit of nothing but one another, and of Python's plain ones."""
    found = set(classes)
    while others := {name for name in found if not classes[name] <= found | PLAIN}:
        found -= others
    return found | PLAIN


OURS = ours(
    {
        node.name: {ast.unparse(base).partition("[")[0] for base in node.bases}
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
)


def test_public_signatures_have_types() -> None:
    """Who calls a function, or reads an attribute, is told by mypy what it is; ``Any`` would tell nothing."""
    vague = [
        f"{path.relative_to(PACKAGE.parent)}: {name}"
        for path, tree in TREES.items()
        for name, annotations in public(tree.body, OURS)
        if any(map(says_any, annotations))
    ]
    assert vague == []


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("def f(a: Any) -> int: ...", ["f"]),
        ("def f(a: int) -> dict[str, Any]: ...", ["f"]),
        ("async def f(*, a: 'list[Any]') -> None: ...", ["f"]),
        ("def _f(a: Any) -> Any: ...", []),
        ("class C:\n    a: Any\n    _b: Any\n    def f(self, **k: Any) -> None: ...", ["C.a", "C.f"]),
        ("class C(Item):\n    def f(self, a: Any) -> None: ...", []),
        ("Alias: TypeAlias = 'dict[str, Any]'", ["Alias"]),
        ("Alias = tuple[Any, ...]", ["Alias"]),
        ("def f(a: Anything) -> AnyOf: ...", []),
    ],
)
def test_any_is_found_in_every_form(source: str, wanted: list[str]) -> None:
    """The judge of signatures sees ``Any`` wherever it may stand, and nothing else."""
    found = [name for name, annotations in public(ast.parse(source).body, set()) if any(map(says_any, annotations))]
    assert found == wanted
