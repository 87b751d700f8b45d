"""The history's folder: reading what stands, writing what comes, and saying whether it is stale."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omega_bridge.analysis import Analysis
from omega_bridge.revisions.chain import Chain, Revision, RevisionKind, compile_chain
from omega_bridge.revisions.lifting import lift
from omega_bridge.revisions.rendering import SQL_HEADING, render_file
from omega_bridge.revisions.sums import NAME, Recorded, SumLine, check, cumulative, read_sum, text_of


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the list became Alembic operations. ``verbatim``: (step, statement's kind, reason)."""

    steps: int
    steps_lifted: int
    statements: int
    statements_lifted: int
    verbatim: tuple[tuple[str, str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The public JSON keys."""
        return {
            "steps": self.steps,
            "steps_lifted": self.steps_lifted,
            "statements": self.statements,
            "statements_lifted": self.statements_lifted,
            "verbatim": [{"step": s, "statement": t, "reason": r} for s, t, r in self.verbatim],
        }


@dataclass(frozen=True, slots=True)
class Export:
    """What an export wrote, or (``check``) would write. ``revisions`` are the new ones."""

    written: tuple[Path, ...]
    revisions: tuple[Revision, ...]
    head: str | None
    coverage: Coverage
    lines: tuple[SumLine, ...] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The public JSON keys."""
        return {
            "written": [str(p) for p in self.written],
            "revisions": [
                {"revision": r.id, "step": r.labels[0] if len(r.labels) == 1 else list(r.labels), "kind": str(r.kind)}
                for r in self.revisions
            ],
            "head": self.head,
            "coverage": self.coverage.as_dict(),
        }


def export(analysis: Analysis, folder: Path, *, write: bool = True) -> Export:
    """Append to the history what the list has and it lacks. With ``write=False`` nothing is written.

    Raises ``HistoryTampered`` when what stands is not what was exported, ``AmbiguousMatch``.
    """
    kept = read_sum(folder)
    check(folder, kept)
    texts = recorded_texts(folder, kept)
    chain = compile_chain(analysis, kept, texts)
    rendered = [(_file_name(r), render_file(r, texts.get(r.past.revision) if r.past else None), r) for r in chain.new]
    lines = _lines(chain, [(name, text, r) for name, text, r in rendered])
    written = [folder / "versions" / name for name, _, _ in rendered]
    if rendered:
        written.append(folder / NAME)
    if write and rendered:
        (folder / "versions").mkdir(parents=True, exist_ok=True)
        for name, text, _ in rendered:
            (folder / "versions" / name).write_text(text, encoding="utf-8", newline="\n")
        (folder / NAME).write_text(text_of(lines), encoding="utf-8", newline="\n")
    return Export(tuple(written), chain.new, chain.head, coverage(analysis), lines)


def coverage(analysis: Analysis) -> Coverage:
    """Count what is lifted, with the reasons for the rest."""
    total = lifted = whole = 0
    verbatim = []
    for step in analysis:
        found = lift(step)
        whole += found.is_whole
        for statement in found.statements:
            total += 1
            if statement.operations is not None and found.is_whole:
                lifted += 1
            else:
                verbatim.append((step.id, statement.tag, statement.reason if statement.operations is None else found.reason))
    return Coverage(len(analysis), whole, total, lifted, tuple(verbatim))


def recorded_texts(folder: Path, lines: tuple[SumLine, ...]) -> dict[str, str]:
    """The SQL of each exported revision, from its file's docstring: to match edited steps by likeness."""
    return {
        line.revision: text
        for line in lines
        if line.kind in ("step", "amend", "settle") and (text := _sql_of(folder / "versions" / line.file)) is not None
    }


def _sql_of(path: Path) -> str | None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=False) or ""
    _, found, text = docstring.partition(f"\n{SQL_HEADING}\n\n")
    if not found:
        return None
    return "\n".join(line.removeprefix("    ") for line in text.removesuffix("\n").split("\n"))


def _lines(chain: Chain, rendered: list[tuple[str, str, Revision]]) -> tuple[SumLine, ...]:
    lines = list(chain.kept)
    for name, text, revision in rendered:
        previous = lines[-1].hash if lines else ""
        steps = tuple(
            Recorded(label, step.checksum, step.step.id is not None, revision.settled, revision.id)
            for label, step in zip(revision.labels, revision.steps, strict=True)
        )
        if revision.kind is RevisionKind.RETIRE and revision.past:
            steps = (Recorded(revision.past.label, revision.past.checksum, revision.past.explicit, True, revision.id),)
        lines.append(SumLine(revision.id, revision.kind, steps, name, cumulative(previous, revision.id, text.encode())))
    return tuple(lines)


def _file_name(revision: Revision) -> str:
    return f"{revision.number:04d}_{revision.id}_{revision.slug.replace('-', '_')[:48].rstrip('_')}.py"
