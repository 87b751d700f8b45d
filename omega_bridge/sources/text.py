"""A list read from Python source: nothing is imported, so a service's ``main.py`` can be read anywhere.

Relies on ``ast`` for the values and on ``tokenize`` for the comments, which are often the only titles.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import threading
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from omega_bridge.errors import DynamicStep, NotAList, SourceNotFound, SourceSyntaxError
from omega_bridge.regexes import regex
from omega_bridge.steps import Place, Registry, Step
from omega_bridge.values import dataclass

_one_at_a_time = threading.Lock()
"""CPython counts its recursion for all threads together while it makes a tree: two at once end in SystemError ("AST
constructor recursion depth mismatch", CPython issue 106905; seen with 3.11.7 and eight starts in one process)."""


def from_text(path: Path, variable: str, shown: str | None = None) -> Registry:
    """The list ``variable`` of a Python file. ``shown`` is the file's name in messages.

    Raises ``SourceNotFound``, ``SourceSyntaxError``, ``NotAList``, ``DynamicStep``, ``DuplicateStepId``.
    """
    name = shown or str(path)
    if not path.is_file():
        near = _near(path.name, [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else [])
        raise SourceNotFound(f"there is no file {name}", hint=f"Did you mean {near[0]}?" if near else "Check the path.")
    try:
        with tokenize.open(path) as file:
            text = file.read()
    except (UnicodeDecodeError, SyntaxError) as exc:
        raise not_in_its_encoding(name, exc) from exc
    return parse_list(text, variable, name)


def not_in_its_encoding(name: str, error: Exception) -> SourceSyntaxError:
    """The error for Python source that cannot be decoded."""
    return SourceSyntaxError(
        f"{name} is not in the encoding that Python takes it for: {error}",
        hint="Save the file as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-",
    )


def _near(name: str, among: Iterable[str]) -> list[str]:
    from difflib import get_close_matches  # a start finds what it looks for

    return get_close_matches(name, list(among), n=1)


def parse_list(text: str, variable: str, shown: str) -> Registry:
    """The same for source text at hand, such as that of a commit."""
    tree = tree_of(text, shown)
    reader = _Reader(shown, _comments(text), _constants(tree), tree)
    owner, _, name = variable.rpartition(".")
    body = scope_of(tree, owner) if owner else tree
    entries = list(reader.entries(body, name)) if body is not None else None
    if body is None or not reader.found:
        raise SourceNotFound(f"{shown} has no {variable!r}", hint=_candidates(tree, name))
    return Registry(tuple(entries or ()), f"{shown}:{variable}")


_OF_SELF = regex(r"\b(self|cls)\.\w+\s*(:[^=\n]+)?(=|\+=|\.append|\.extend|\.insert)")


class OfSelf(ast.Name):
    """An attribute of ``self`` or ``cls`` that is assigned to or appended to, by its name alone."""


class _Plain(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        match node.value:
            case ast.Name(id="self" | "cls"):
                return ast.copy_location(OfSelf(id=node.attr, ctx=node.ctx), node)
        return node


def tree_of(text: str, shown: str) -> ast.Module:
    """The tree of Python source. Raises ``SourceSyntaxError``."""
    try:
        with _one_at_a_time:
            tree = ast.parse(text)
            return _Plain().visit(tree) if ("self." in text or "cls." in text) and _OF_SELF.search(text) else tree
    except SyntaxError as exc:
        marker = re.search(r"^(<{7}|={7}|>{7})( |$)", text, re.M)
        if marker:
            line = text.count("\n", 0, marker.start()) + 1
            raise SourceSyntaxError(f"{shown}:{line} holds merge markers", hint="Resolve the merge, then try again.") from exc
        raise SourceSyntaxError(
            f"{shown}:{exc.lineno} is not valid Python: {exc.msg}", hint="Correct the file; python -m py_compile shows the same."
        ) from exc


def _comments(text: str) -> dict[int, tuple[str, bool]]:
    """By line: the comment, and whether it stands alone."""
    found: dict[int, tuple[str, bool]] = {}
    if "#" not in text:
        return found
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            words = token.string.lstrip("#").strip().strip("-=─ ").strip()
            found[row] = (words, not lines[row - 1][:column].strip())
    return found


def _constants(tree: ast.Module) -> dict[str, Any]:
    """Module-level names that hold a plain string or number."""
    found: dict[str, Any] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str() | int() as value)):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str() | int() as value)):
                found[name] = value
    return found


def scope_of(tree: ast.Module, owner: str) -> ast.AST | None:
    """The class or function, by its dotted name."""
    scope: ast.AST | None = tree
    for part in owner.split("."):
        scope = next(
            (
                n
                for n in ast.walk(scope or tree)
                if isinstance(n, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and n.name == part
            ),
            None,
        )
        if scope is None:
            return None
    return scope


def _candidates(tree: ast.Module, name: str) -> str:
    names = [
        t.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign | ast.AnnAssign) and isinstance(n.value, ast.List | ast.Tuple | ast.Dict)
        for t in (n.targets if isinstance(n, ast.Assign) else [n.target])
        if isinstance(t, ast.Name)
    ]
    near = _near(name, names)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Lists in the file: {', '.join(dict.fromkeys(names))}." if names else "The file holds no list at all."


@dataclass(slots=True)
class _Reader:
    shown: str
    comments: dict[int, tuple[str, bool]]
    constants: dict[str, Any]
    tree: ast.Module
    found: bool = False
    within: tuple[str, ...] = ()
    """The lists that are being read, of which this one is a part."""

    def entries(self, scope: ast.AST, name: str) -> Iterator[Step]:
        """Every entry of the list, in source order: the assignment, then what is appended."""
        steps: list[Step] = []
        for node in sorted(statements_of(scope), key=lambda n: (n.lineno, n.col_offset)):
            match node:
                case ast.Assign(targets=targets, value=value) if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                    steps = self._assigned(value, name, steps)
                case ast.AnnAssign(target=ast.Name(id=target), value=value) if target == name and value is not None:
                    steps = self._assigned(value, name, steps)
                case ast.AugAssign(target=ast.Name(id=target), op=ast.Add(), value=value) if target == name:
                    steps += self._list(value)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=target), attr=verb), args=args)) if (
                    target == name
                ):
                    self._called(verb, args, steps, node)
                case ast.FunctionDef(name=function) | ast.AsyncFunctionDef(name=function) if function == name:
                    steps = self._returned(node)
        yield from steps

    def _assigned(self, value: ast.expr, name: str, steps: list[Step]) -> list[Step]:
        self.found = True
        match value:
            case ast.BinOp(left=ast.Name(id=left), op=ast.Add(), right=right) if left == name:
                return [*steps, *self._list(right)]
        return self._list(value)

    def _returned(self, function: ast.AST) -> list[Step]:
        self.found = True
        returns = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None]
        if len(returns) != 1 or returns[0].value is None:
            raise self._dynamic(function, "a function that does more than return one list")
        value = returns[0].value
        if isinstance(value, ast.Name):
            return list(_Reader(self.shown, self.comments, self.constants, self.tree).entries(function, value.id))
        return self._list(value)

    def _called(self, verb: str, args: list[ast.expr], steps: list[Step], node: ast.AST) -> None:
        match verb, args:
            case "append", [entry]:
                steps.append(self._entry(entry))
            case "extend", [entries]:
                steps.extend(self._list(entries))
            case "insert", [ast.Constant(value=int() as position), entry]:
                steps.insert(position, self._entry(entry))
            case _:
                raise self._dynamic(node, f".{verb}(...)")

    def _list(self, value: ast.expr) -> list[Step]:
        match value:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return [s for e in elements for s in (self._list(e.value) if isinstance(e, ast.Starred) else [self._entry(e)])]
            case ast.Name(id=name) if name not in self.within and (named := self._named(name)) is not None:
                return named
            case ast.Call(func=ast.Name(id="list" | "tuple"), args=[inner]):
                return self._list(inner)
            case ast.Call(func=ast.Name(id="list" | "tuple"), args=[]):
                return []
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return [*self._list(left), *self._list(right)]
            case ast.Dict(keys=keys, values=values):
                return [s for k, v in zip(keys, values, strict=True) for s in self._columns(k, v)]
            case ast.ListComp() | ast.GeneratorExp() | ast.Call() | ast.Name() | ast.Attribute():
                raise self._dynamic(value, "entries that Python computes")
        raise NotAList(f"{self.shown}:{value.lineno}: this is no list of steps", hint="Name the variable that holds the list.")

    def _named(self, name: str) -> list[Step] | None:
        """Another list of the module, where it has one by that name."""
        reader = _Reader(self.shown, self.comments, self.constants, self.tree, within=(*self.within, name))
        steps = list(reader.entries(self.tree, name))
        return steps if reader.found else None

    def _columns(self, key: ast.expr | None, columns: ast.expr) -> list[Step]:
        if key is None or not isinstance(columns, ast.List | ast.Tuple):
            raise self._dynamic(columns, "a dictionary that is not {table: [(column, ddl)]}")
        pairs = []
        for pair in columns.elts:
            if not isinstance(pair, ast.Tuple) or len(pair.elts) != 2:
                raise self._dynamic(pair, "an entry that is not (column, ddl)")
            pairs.append((self._text(pair.elts[0]), self._text(pair.elts[1])))
        made = Registry.of({self._text(key): pairs})
        return [Step(s.sql, id=s.id, place=Place(self.shown, pair.lineno)) for s, pair in zip(made, columns.elts, strict=True)]

    def _entry(self, entry: ast.expr) -> Step:
        place = Place(self.shown, entry.lineno)
        if type(entry) is ast.Constant and type(entry.value) is str:  # most entries of most lists
            return Step(entry.value, title=self._title(entry), place=place)
        match entry:
            case ast.Tuple(elts=[name, text]):
                return Step(self._text(text), id=self._text(name), title=self._title(entry), place=place)
            case ast.Call(func=ast.Name(id="Step") | ast.Attribute(attr="Step"), args=args, keywords=keywords):
                given = {k.arg: self._value(k.value) for k in keywords if k.arg is not None}
                if args:
                    given["sql"] = self._text(args[0])
                return Step(**{"title": self._title(entry), "place": place, **given})
        return Step(self._text(entry), title=self._title(entry), place=place)

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() as value):
                return value
            case ast.Attribute(value=ast.Name(id="Repeat"), attr=word):
                return word.lower()
        return self._text(node)

    def _text(self, node: ast.expr) -> str:
        """The runtime value of an expression that is a string without computing."""
        match node:
            case ast.Constant(value=str() as value):
                return value
            case ast.Name(id=name) if isinstance(self.constants.get(name), str):
                return str(self.constants[name])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._text(left) + self._text(right)
            case ast.JoinedStr(values=values):
                return "".join(self._formatted(v) for v in values)
            case ast.Call(func=ast.Name(id="text") | ast.Attribute(attr="text"), args=[inner], keywords=[]):
                return self._text(inner)
            case ast.Call(func=ast.Name(id="dedent") | ast.Attribute(attr="dedent"), args=[inner]):
                return textwrap.dedent(self._text(inner))
            case ast.Call(func=ast.Attribute(value=inner, attr="strip"), args=[]):
                return self._text(inner).strip()
        raise self._dynamic(node, _seen(node))

    def _formatted(self, part: ast.expr) -> str:
        match part:
            case ast.FormattedValue(value=ast.Name(id=name), conversion=-1, format_spec=None) if name in self.constants:
                return str(self.constants[name])
            case ast.FormattedValue():
                raise self._dynamic(part, "an f-string with a computed value")
        return self._text(part)

    def _title(self, entry: ast.expr) -> str | None:
        """The comment lines directly above, or the comment behind the entry's last line."""
        if not self.comments:
            return None
        lines: list[str] = []
        row = entry.lineno - 1
        while row in self.comments and self.comments[row][1]:
            lines.insert(0, self.comments[row][0])
            row -= 1
        told = " ".join(line for line in lines if line)
        if not told and entry.end_lineno in self.comments and not self.comments[entry.end_lineno][1]:
            told = self.comments[entry.end_lineno][0]
        return told or None

    def _dynamic(self, node: Any, seen: str) -> DynamicStep:
        self.found = True
        return DynamicStep(
            f"{self.shown}:{getattr(node, 'lineno', '?')}: the text of this entry is not in the file: {seen}",
            hint="Use the importable form, package.module:attribute: there Python has computed it.",
        )


def _seen(node: ast.expr) -> str:
    shown = ast.unparse(node)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def statements_of(scope: ast.AST) -> Iterator[ast.stmt]:
    """Statements of a scope: a module's own first of all; those inside functions and classes where the name is not there."""
    waiting = [scope]
    for node in waiting:  # expressions hold no statements, and those of a long list are most of a file
        if isinstance(node, ast.stmt):
            yield node
        for part in ("body", "handlers", "orelse", "finalbody", "cases"):
            held = getattr(node, part, None)
            if isinstance(held, list):
                waiting.extend(held)
