"""The history's folder: reading what stands, writing what comes, and saying whether it is stale."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omega_bridge.analysis import Analysis, analyse
from omega_bridge.planning import World, evaluate
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.revisions.chain import Chain, Revision, RevisionKind, compile_chain
from omega_bridge.revisions.coverage import Coverage, coverage_of
from omega_bridge.revisions.lifting import lift
from omega_bridge.revisions.rendering import SQL_HEADING, render_file
from omega_bridge.revisions.sums import NAME, Recorded, SumLine, check, cumulative, read_sum, text_of
from omega_bridge.steps import Registry


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
    texts = RecordedTexts(folder, kept)
    chain = compile_chain(analysis, kept, texts)
    rendered = list(_rendered(chain, texts))
    lines = _lines(chain, rendered)
    written = [folder / "versions" / name for name, _, _ in rendered]
    if rendered:
        written.append(folder / NAME)
    if write and rendered:
        (folder / "versions").mkdir(parents=True, exist_ok=True)
        for name, text, _ in rendered:
            (folder / "versions" / name).write_text(text, encoding="utf-8", newline="\n")
        (folder / NAME).write_text(text_of(lines), encoding="utf-8", newline="\n")
    return Export(tuple(written), chain.new, chain.head, _coverage(folder, kept, rendered), lines)


def _rendered(chain: Chain, texts: RecordedTexts) -> Iterator[tuple[str, str, Revision]]:
    """File name, text and revision of each new one, each lifted in the schema that those before it leave."""
    if not chain.new:
        return
    world = World(empty_catalog())
    for line in chain.kept:
        if (text := texts.get(line.revision)) is not None:
            for step in analyse(Registry.of([text])):
                evaluate(step.program, world)
    for revision in chain.new:
        settled = revision.settled or revision.kind is RevisionKind.SETTLE
        lifted = [lift(s, world, settled=settled) for s in revision.steps]
        before = texts.get(revision.past.revision) if revision.past else None
        yield _file_name(revision), render_file(revision, lifted, before), revision


def _coverage(folder: Path, kept: Sequence[SumLine], rendered: Sequence[tuple[str, str, Revision]]) -> Coverage:
    """Of the history as it stands after this export, read from its files."""
    files = [(",".join(s.label for s in line.steps), (folder / "versions" / line.file).read_text("utf-8")) for line in kept]
    return coverage_of([*files, *((",".join(r.labels), text) for _, text, r in rendered)])


class RecordedTexts:
    """The SQL of each exported revision, from its file's docstring: read where an edited step has to be recognised."""

    def __init__(self, folder: Path, lines: Iterable[SumLine]) -> None:
        self._files = {
            line.revision: folder / "versions" / line.file for line in lines if line.kind in ("base", "step", "amend", "settle")
        }
        self._read: dict[str, str | None] = {}

    def get(self, revision: str) -> str | None:
        """The text, or ``None`` for a revision without SQL of a step."""
        if revision not in self._read:
            path = self._files.get(revision)
            self._read[revision] = _sql_of(path) if path is not None else None
        return self._read[revision]


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
