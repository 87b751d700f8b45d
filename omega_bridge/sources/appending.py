"""Appends steps to a list where it is written: before the bracket that ends it, behind the last append, or as files.

The file is changed at that one place, byte for byte. What was written is read again: where it is not the old list and the
new steps, nothing is written.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from omega_bridge.errors import DynamicStep, OmegaBridgeError
from omega_bridge.sources.folder import from_folder
from omega_bridge.sources.imported import importable
from omega_bridge.sources.text import OfSelf, parse_list, scope_of, statements_of, tree_of
from omega_bridge.steps import Step
from omega_bridge.writing import write


def append(
    source: str, steps: Sequence[Step], known: Iterable[Step], *, root: Path = Path(), python_path: Sequence[Path] = ()
) -> tuple[Path, ...]:
    """Write ``steps`` to the end of the list that ``source`` names; the files that were written.

    ``known``: the list's steps, as they were loaded. Raises ``DynamicStep`` where the file does not hold just them, or has no
    end that could be written to.
    """
    before, colon, name = source.rpartition(":")
    if not colon:
        return tuple(_files(root / source, steps))
    path = root / before if before.endswith(".py") else _module_file(before, (root, *python_path))
    if path is None:
        raise _nowhere(source)
    raw = path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        written = appended(raw.decode(encoding), name, steps, shown=source, known=known).encode(encoding)
    except (SyntaxError, UnicodeError) as error:
        raise _nowhere(source) from error
    write(path, written)
    return (path,)


def appended(text: str, variable: str, steps: Sequence[Step], *, shown: str, known: Iterable[Step] | None = None) -> str:
    """Source text with the steps at the end of its list. Raises ``DynamicStep``."""
    plain = text.replace("\r\n", "\n")
    try:
        old = parse_list(plain, variable, shown)
        if known is not None and [s.sql for s in old] != [s.sql for s in known]:
            raise _nowhere(shown)
        written = _written(plain, variable, steps, shown)
        new = parse_list(written, variable, shown)
    except (OmegaBridgeError, SyntaxError) as error:
        raise _nowhere(shown) from error
    if [s.sql for s in new] != [s.sql for s in (*old, *steps)]:
        raise _nowhere(shown)
    return _spliced(text, plain, written)


def _spliced(text: str, plain: str, written: str) -> str:
    """What was put into ``plain``, put into the text that it was made of: its line ends stay, and the new ones are like them."""
    start = _common(plain, written)
    end = _common(plain[start:][::-1], written[start:][::-1])
    before, after = _raw_place(text, start), _raw_place(text, len(plain) - end)
    last = text.rfind("\n", 0, before)
    newline = "\r\n" if (text[last - 1] == "\r" if last > 0 else "\r\n" in text) else "\n"
    return text[:before] + written[start : len(written) - end].replace("\n", newline) + text[after:]


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _raw_place(text: str, place: int) -> int:
    """A place in the text with plain line ends, in the text itself."""
    found = 0
    for line in text.splitlines(keepends=True) if place else ():
        length = len(line) - line.endswith("\r\n")
        if place < length:
            return found + place
        place, found = place - length, found + len(line)
    return found + place


def _nowhere(shown: str) -> DynamicStep:
    return DynamicStep(
        f"{shown} has no end that steps could be written to",
        hint="Paste them into the list: omega-bridge add --check shows them.",
    )


def _module_file(module: str, paths: Sequence[Path]) -> Path | None:
    with importable(paths):
        found = find_spec(module)
    return Path(found.origin) if found is not None and found.origin and found.origin.endswith(".py") else None


# --- Python source ---------------------------------------------------------------------------------------------


def _written(text: str, variable: str, steps: Sequence[Step], shown: str) -> str:
    owner, _, name = variable.rpartition(".")
    tree = tree_of(text, shown)
    scope, lines = (scope_of(tree, owner) if owner else tree) or tree, _Lines(text)
    last = _last(scope, name)
    if isinstance(last, ast.FunctionDef | ast.AsyncFunctionDef):
        returned = next(n.value for n in ast.walk(last) if isinstance(n, ast.Return))
        if not isinstance(returned, ast.Name):
            return _into(_literal(returned), steps, lines, shown)
        name, scope = returned.id, last
        last = _last(scope, name)
    around = _function_around(scope, last)
    is_local = around is not None and all(n in ast.walk(around) for n in _about(scope, name))
    whole = _unconditional(around if is_local and around is not None else scope, last)
    if whole is None or (whole is not last and any(isinstance(n, ast.Return) for n in ast.walk(whole))):
        raise _nowhere(shown)
    if whole is not last or _is_append(last):
        indent = " " * whole.col_offset
        owner = "self." if any(isinstance(n, OfSelf) and n.id == name for n in ast.walk(last)) else ""
        entries = "".join(f"\n\n{_comment(step, indent)}{indent}{owner}{name}.append({_entry(step)})" for step in steps)
        return lines.inserted(lines.end_of_line(whole.end_lineno or whole.lineno), entries)
    return _into(_literal(last), steps, lines, shown)


def _last(scope: ast.AST, name: str) -> ast.stmt:
    """The last statement about the list."""
    about = _about(scope, name)
    if not about:
        raise SyntaxError(name)
    return max(about, key=lambda n: (n.lineno, n.col_offset))


def _about(scope: ast.AST, name: str) -> list[ast.stmt]:
    return [node for node in statements_of(scope) if _is_about(node, name) and node is not scope]


def _function_around(scope: ast.AST, last: ast.stmt) -> ast.AST | None:
    """The innermost function of the scope that a statement stands in."""
    functions = (n for n in ast.walk(scope) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n is not scope)
    return max((f for f in functions if last in ast.walk(f) and f is not last), key=lambda f: f.lineno, default=None)


def _unconditional(scope: ast.AST, last: ast.stmt) -> ast.stmt | None:
    """The statement, or the outermost one around it that may leave it out, such as an ``if``.

    ``None``: it stands in a function that somebody would have to call.
    """
    parents = {child: node for node in ast.walk(scope) for child in ast.iter_child_nodes(node)}
    found, node = last, parents.get(last)
    while isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case) and node is not scope:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        if isinstance(node, ast.ClassDef):
            break
        found, node = node if isinstance(node, ast.stmt) else found, parents.get(node)
    return found


def _is_append(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=verb))):
            return verb != "extend"
    return False


def _is_about(node: ast.stmt, name: str) -> bool:
    """Whether a statement makes the list, or makes it longer."""
    match node:
        case ast.Assign(targets=targets):
            return any(isinstance(t, ast.Name) and t.id == name for t in targets)
        case ast.AnnAssign(target=ast.Name(id=target), value=value):
            return target == name and value is not None
        case ast.AugAssign(target=ast.Name(id=target)):
            return target == name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=target)))):
            return target == name
        case ast.FunctionDef(name=function) | ast.AsyncFunctionDef(name=function):
            return function == name
    return False


def _literal(node: ast.AST | None) -> ast.List | ast.Tuple | None:
    """The list whose end is the end of what a statement adds."""
    match node:
        case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.AugAssign(value=value):
            return _literal(value)
        case ast.Expr(value=ast.Call(args=[value])) | ast.Call(func=ast.Name(id="list" | "tuple"), args=[value]):
            return _literal(value)
        case ast.BinOp(op=ast.Add(), right=right):
            return _literal(right)
        case ast.List() | ast.Tuple():
            return node
    return None


def _into(literal: ast.List | ast.Tuple | None, steps: Sequence[Step], lines: _Lines, shown: str) -> str:
    """Before the closing bracket; on lines of their own, as deep as the entries that are there."""
    if literal is None:
        raise _nowhere(shown)
    bracket = lines.place(literal.end_lineno or 0, literal.end_col_offset or 0) - 1
    last = literal.elts[-1] if literal.elts else None
    line_of_bracket = lines.text.rfind("\n", 0, bracket) + 1
    outer = re.match(r"[ \t]*", lines.text[lines.start(literal.lineno) :])
    indent = (outer[0] if outer else "") + "    "
    if last is not None and last.lineno != literal.lineno:
        indent = lines.indent(literal.elts)
    entries = "".join(f"{_comment(step, indent)}{indent}{_entry(step)},\n" for step in steps)
    text = lines.text
    if last is not None and not lines.has_comma(last, bracket):
        end = lines.place(last.end_lineno or 0, last.end_col_offset or 0)
        text, bracket = text[:end] + "," + text[end:], bracket + 1
        line_of_bracket += line_of_bracket > end
    if not text[line_of_bracket:bracket].strip():
        before = text[:line_of_bracket].rstrip("\n").rpartition("\n")[2]
        entries = "\n" + entries if before.lstrip().startswith("#") else entries  # else it would be part of the title
        return text[:line_of_bracket] + entries + text[line_of_bracket:]
    return text[:bracket].rstrip(" \t") + "\n" + entries + (outer[0] if outer else "") + text[bracket:]


def _comment(step: Step, indent: str) -> str:
    return f"{indent}# {' '.join(step.title.split())}\n" if step.title else ""


def _entry(step: Step) -> str:
    """The step's text as a literal: on one line where it is one, else in triple quotes."""
    sql = step.sql
    if any(c in sql for c in '\\"') or (not sql.isprintable() and "\n" not in sql):
        return repr(sql)
    if "\n" not in sql:
        return f'"{sql}"'
    return f'"""{sql}"""' if sql.replace("\n", "").isprintable() else repr(sql)


class _Lines:
    """A text by the places of its tree, whose columns are bytes of a line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0]
        for line in text.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def start(self, line: int) -> int:
        """Where a line begins."""
        return self._starts[line - 1]

    def end_of_line(self, line: int) -> int:
        """Where a line ends, before its line break."""
        return min(self._starts[line] - 1, len(self.text))

    def place(self, line: int, column: int) -> int:
        """Characters from the start of the text."""
        start = self.start(line)
        whole = self.text[start : self.end_of_line(line)]
        return start + len(whole.encode()[:column].decode())

    def indent(self, entries: Sequence[ast.expr]) -> str:
        """How deep the last entry stands that begins a line."""
        for entry in reversed(entries):
            before = self.text[self.start(entry.lineno) : self.place(entry.lineno, entry.col_offset)]
            if not before.strip():
                return before
        return "    "

    def has_comma(self, last: ast.expr, bracket: int) -> bool:
        """Whether a comma stands between the last entry and the bracket, other than in a comment."""
        between = self.text[self.place(last.end_lineno or 0, last.end_col_offset or 0) : bracket]
        return any(token.string == "," for token in _tokens(between))

    def inserted(self, place: int, what: str) -> str:
        """The text with something put in."""
        return self.text[:place] + what + self.text[place:]


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except (tokenize.TokenError, IndentationError):
        return


# --- a folder --------------------------------------------------------------------------------------------------


def _files(folder: Path, steps: Sequence[Step]) -> Iterator[Path]:
    """One file a step, numbered on from the last version, and named like it."""
    versions = (re.match(r"(v?)(\d+)", step.id or "", re.I) for step in reversed(from_folder(folder).steps))
    last = next((found for found in versions if found is not None), None)
    if last is None:
        raise _nowhere(str(folder))
    before, number = last.groups()
    between = "__" if re.match(r"[\d._]*__", last.string[last.start(2) :]) else "_"
    for n, step in enumerate(steps, start=int(number) + 1):
        name = re.sub(r"[^a-z0-9]+", "_", (step.title or "step").lower().removesuffix(", from the models")).strip("_")
        path = folder / f"{before}{n:0{len(number)}d}{between}{name}.sql"
        told = f"-- {' '.join(step.title.split())}\n" if step.title else ""
        write(path, f"{told}{step.sql}\n")
        yield path
