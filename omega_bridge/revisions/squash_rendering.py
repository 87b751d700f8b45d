"""The file of a squash: the upgrades of its revisions, one after the other, taken from their files word for word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from omega_bridge.revisions.quoting import quoted
from omega_bridge.revisions.rendering import UNSORTED, sorted_imports, tuple_of
from omega_bridge.revisions.sums import HEADER, SumLine

_NO_WAY_BACK = re.compile(r"revision \S+ \(.*?\) has no way back: (.*)", re.S)


@dataclass(frozen=True, slots=True)
class PartOfSquash:
    """A revision to be squashed, as its file has it. ``irreversible``: why its downgrade has no way back, or nothing."""

    line: SumLine
    title: str
    imports: frozenset[str]
    upgrade: str
    downgrade: str
    irreversible: str
    destructive: tuple[str, ...] = ()


def read_part(line: SumLine, text: str) -> PartOfSquash:
    """The parts of a revision file that an export wrote."""
    tree, lines = ast.parse(text), text.splitlines(keepends=True)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    imports = {lines[n.lineno - 1].rstrip("\n") for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)}
    return PartOfSquash(
        line,
        (ast.get_docstring(tree) or "").partition("\n")[0],
        frozenset(imports),
        _body(functions["upgrade"], lines),
        _body(functions["downgrade"], lines),
        _reason(functions["downgrade"]),
        _destructive(tree),
    )


def _destructive(tree: ast.Module) -> tuple[str, ...]:
    """The steps that the list let take rows away."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "destructive":
            return tuple(ast.literal_eval(node.value))
    return ()


def _body(function: ast.FunctionDef, lines: Sequence[str]) -> str:
    return "".join(lines[function.lineno : function.end_lineno])


def _reason(function: ast.FunctionDef) -> str:
    match function.body:
        case [ast.Raise(exc=ast.Call(args=[ast.Constant(value=str(message)), *_]))]:
            found = _NO_WAY_BACK.fullmatch(message)
            return found[1] if found else message
    return ""


def render_squash(parts: Sequence[PartOfSquash], told: str, down: str | None = None) -> str:
    """The text of the file. ``told``: up to where, in the words of whoever asked for it; may be empty. ``down``: what it follows."""
    last = parts[-1].line.revision
    final = next((p for p in reversed(parts) if p.irreversible), None)
    reason = f"revision {final.line.revision}: {final.irreversible}" if final else ""
    ours = "upgrade_parts" if final else "downgrade_parts, upgrade_parts"
    imports = {i for p in parts for i in p.imports} | {f"from omega_bridge.revisions.parts import {ours}"}
    steps = [s for p in parts if p.line.kind != "retire" for s in p.line.steps]
    return "\n".join(
        [
            HEADER,
            quoted(_docstring(parts, told, reason, down)),
            "",
            UNSORTED,
            *sorted_imports(imports),
            "",
            f'revision = "{last}"',
            f"down_revision = {quoted(down) if down else None}",
            "branch_labels = None",
            "depends_on = None",
            "",
            f"steps = {tuple_of([s.label for s in steps])}",
            f"checksums = {tuple_of([s.checksum for s in steps])}",
            *([f"destructive = {tuple_of(allowed)}"] if (allowed := [d for p in parts for d in p.destructive]) else []),
            "",
            "",
            *(block for p in parts for block in _functions(p, with_downgrade=final is None)),
            "parts = (",
            *(f'    ("{p.line.revision}", up_{_name(p)}, {"None" if final else f"down_{_name(p)}"}),' for p in parts),
            ")",
            "",
            "",
            "def upgrade() -> None:",
            "    upgrade_parts(parts)",
            "",
            "",
            "def downgrade() -> None:",
            *_downgrade(last, parts, reason),
            "",
        ]
    )


def _functions(part: PartOfSquash, *, with_downgrade: bool) -> Iterable[str]:
    yield from (f"def up_{_name(part)}() -> None:", part.upgrade.rstrip("\n"), "", "")
    if with_downgrade:
        yield from (f"def down_{_name(part)}() -> None:", part.downgrade.rstrip("\n"), "", "")


def _name(part: PartOfSquash) -> str:
    """The file's name without the revision in it, as Python takes it."""
    number, _, slug = part.line.file.removesuffix(".py").split("_", 2)
    return re.sub(r"\W", "_", f"{number}_{slug}", flags=re.ASCII)


def _downgrade(last: str, parts: Sequence[PartOfSquash], reason: str) -> list[str]:
    if not reason:
        return ["    downgrade_parts(parts)"]
    message = quoted(f"revision {last} (a squash of {len(parts)}) has no way back: {reason}")
    hint = quoted("Restore a backup, or write the way back by hand; what the revision did is in the ledger.")
    return [f"    raise Irreversible(\n        {message},\n        hint={hint},\n    )"]


def _docstring(parts: Sequence[PartOfSquash], told: str, reason: str, down: str | None) -> str:
    last = parts[-1].line.revision
    lines = [
        f"squash: {len(parts)} revisions as one{f', up to {told}' if told else ''}",
        "",
        f"Revision ID: {last}",
        f"Revises: {down or ''}".rstrip(),
        "Kind: squash",
        f"Archive: archive/{last}/ holds each revision as it was, with its SQL; omega.sum goes on checking them",
        *([f"Downgrade: none: {reason}"] if reason else []),
        "Revisions:",
        *(f"  {p.line.revision}  {p.line.kind:6}  {p.title}" for p in parts),
    ]
    return "\n".join(lines) + "\n"
