"""The foundation that a history stands on: the one with which it begins, or the one that was given since."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omega_bridge.catalog import Catalog, Kind
from omega_bridge.errors import FoundationEdited, HistoryTampered
from omega_bridge.planning.foundation import LABEL, Foundation, understood
from omega_bridge.revisions.sums import SumLine, paths
from omega_bridge.sql import identifier


def stands_on(folder: Path, lines: Sequence[SumLine], given: Foundation | None = None) -> Foundation | None:
    """``given``, or else what the first revision holds. Raises ``FoundationEdited`` where they differ."""
    line = begins_with(lines)
    if line is None:
        return given
    if given is None:
        return _recorded(folder, lines, line)
    if given.checksum != line.steps[0].checksum:
        raise FoundationEdited(
            f"{given.source} is not what the history's first revision {line.revision} holds",
            hint=f"Put the file back (git checkout {given.source.partition(',')[0]}), and write what shall change as a step of the list",
        )
    return given


def begins_with(lines: Sequence[SumLine]) -> SumLine | None:
    """The line of the foundation's revision; ``None`` where the history has none."""
    return next((line for line in lines if line.kind == LABEL), None)


def tables_of(folder: Path, lines: Sequence[SumLine]) -> tuple[str, ...]:
    """The tables that the foundation of a history makes, as ``to_regclass`` takes them; none where it begins without one."""
    line = begins_with(lines)
    if line is None:
        return ()
    for node in ast.walk(ast.parse(_path(folder, lines, line).read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr="lay_foundation"), keywords=[ast.keyword(arg="tables", value=tables)]):
                return tuple(ast.literal_eval(tables))
    return ()


def _path(folder: Path, lines: Sequence[SumLine], line: SumLine) -> Path:
    return next(path for found, path in paths(folder, lines) if found is line)


def _recorded(folder: Path, lines: Sequence[SumLine], line: SumLine) -> Foundation:
    path = _path(folder, lines, line)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr="lay_foundation"), args=[ast.Constant(value=str(text)), *_]):
                return understood(text, str(path))
    raise HistoryTampered(f"{path} lays no foundation", hint="Restore the file from version control (git checkout).")


def with_tables_of(foundation: Foundation, catalog: Catalog) -> Foundation:
    """The foundation with the tables that a server has after it was laid: a block may make some that were not read."""
    there = {k for k in catalog if k.kind is Kind.TABLE}
    read = {k for k in foundation.catalog if k.kind is Kind.TABLE}
    if there == read:
        return foundation
    bare = any("." not in name for name in foundation.tables)
    of_read = {identifier(*(part for part in (k.schema, k.name))): k for k in read}
    kept = {n for n in foundation.tables if of_read.get(n if "." in n else identifier(catalog.search_path[0], n)) in there}
    more = {identifier("" if bare and k.schema == catalog.search_path[0] else k.schema, k.name) for k in there - read}
    return replace(foundation, tables=tuple(sorted(kept | more)))
