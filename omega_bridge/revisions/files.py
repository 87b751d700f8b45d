"""The history's folder: reading what stands, writing what comes, and saying whether it is stale."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge import writing
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.planning import World, evaluate
from omega_bridge.planning.foundation import Foundation
from omega_bridge.planning.settling import empty_catalog
from omega_bridge.revisions.chain import Chain, Origin, Revision, RevisionKind, compile_chain, follow
from omega_bridge.revisions.exported import Export, covered
from omega_bridge.revisions.graph import graph_of
from omega_bridge.revisions.ground import stands_on, with_tables_of
from omega_bridge.revisions.lifting import Lifted, lift, lift_attempted, once_more
from omega_bridge.revisions.locations import require_own
from omega_bridge.revisions.matching import match
from omega_bridge.revisions.place_settings import Around
from omega_bridge.revisions.proving import Proof, Prover, Verdict, unproven
from omega_bridge.revisions.quoting import quoted
from omega_bridge.revisions.rendering import SQL_HEADING, render_file
from omega_bridge.revisions.repeated_steps import ROUNDS, Held, Places
from omega_bridge.revisions.sums import (
    NAME,
    PENDING,
    VERSIONS,
    Recorded,
    SumLine,
    behind,
    catalog_noted,
    check,
    clear_interrupted,
    head_of,
    paths,
    read_sum,
    revisions,
    text_of,
    version_table,
)
from omega_bridge.revisions.supposed import supposed
from omega_bridge.steps import Registry

if TYPE_CHECKING:
    from omega_bridge.typed import JsonObject


ENVIRONMENT = '''"""Reads the same step registry as the start of the service: see pyproject.toml, [tool.omega-bridge]."""

from alembic import context

from omega_bridge.environment import run

run(context)
'''
"""Alembic's ``env.py`` where the folder has none."""

Provers = Callable[[int], AbstractContextManager[Prover | None]]
"""Makes a prover for a number of revisions; its block ends with the export."""


@dataclass(frozen=True, slots=True)
class PastList:
    """The list as it once was, and where that is known from; ``None`` for as it is now."""

    analysis: Analysis
    origin: Origin | None = None


def export(
    analysis: Analysis,
    folder: Path,
    *,
    write: bool = True,
    prover: Provers | None = None,
    listed: str = "",
    foundation: Foundation | None = None,
) -> Export:
    """Append to the history what the list has and it lacks. With ``write=False`` nothing is written.

    ``listed``: digest of the list and the models, which ``unchanged`` compares. ``prover`` makes who compares each
    translation with the step, for so many revisions; without one they are unproven. ``foundation``: what the list stands on; where
    none is given, that with which the history begins.
    Raises ``HistoryTampered`` when what stands is not what was exported, ``AmbiguousMatch``, ``FoundationEdited``, ``SeveralHeads``.
    """
    return export_past([PastList(analysis)], folder, write=write, prover=prover, listed=listed, foundation=foundation)


def export_past(
    lists: Iterable[PastList],
    folder: Path,
    *,
    write: bool = True,
    prover: Provers | None = None,
    listed: str = "",
    advance: Callable[[int], object] = lambda _n: None,
    foundation: Foundation | None = None,
) -> Export:
    """``export`` for one list after the other: the history as it happened. Nothing is written before all are compiled."""
    if write:
        clear_interrupted(folder)
    compilation = _Compilation(folder, foundation)
    chains = []
    for past in lists:
        chains.append(compilation.compile(past))
        advance(1)
    count = sum(revision.kind is not RevisionKind.FOUNDATION for chain in chains for revision in chain.new)
    with prover(count) if prover is not None and count and write else nullcontext() as judge:
        rendered = list(compilation.rendered(chains, judge))
    new = [r.revision for r in rendered]
    lines = (*compilation.kept, *_lines(compilation.kept, rendered))
    written = [folder / VERSIONS / r.name for r in rendered]
    if rendered:
        written.append(folder / NAME)
    has_environment = (folder / "env.py").exists()
    if write and rendered:
        _write(folder, rendered, text_of(lines, listed, catalog_noted(folder), version_table(folder)))
    if write and rendered and not has_environment:
        written.append(folder / "env.py")
    new_texts = {r.name: r.text for r in rendered}
    texts = ((line, new_texts.get(line.file) or path.read_text("utf-8")) for line, path in paths(folder, lines))
    return Export(tuple(written), tuple(new), head_of(lines), covered(texts), lines)


def _write(folder: Path, rendered: Sequence[_Rendered], sum_text: str) -> None:
    """The files, the sum file last: killed before it, the next export begins anew and ends with the same bytes."""
    writing.write(folder / PENDING, "".join(f"{r.name}\n" for r in rendered))
    for r in rendered:
        writing.write(folder / VERSIONS / r.name, r.text)
    if not (folder / "env.py").exists():
        writing.write(folder / "env.py", ENVIRONMENT)
    writing.write(folder / NAME, sum_text)
    writing.remove(folder / PENDING)


class _Compilation:
    """The history of a folder, and what comes to it; the files of what comes are not there yet."""

    def __init__(self, folder: Path, foundation: Foundation | None) -> None:
        require_own(folder)
        self.kept = read_sum(folder)
        check(folder, self.kept)
        self.texts = RecordedTexts(folder, self.kept)
        self.lines = list(revisions(self.kept))
        self.foundation = stands_on(folder, self.kept, foundation)
        graph = graph_of(folder, self.kept)
        self.folder, self.has_by_hand = folder, not graph.is_ours_alone
        self.follows = graph.head
        """The head that the first new revision follows, whoever wrote it."""
        self._head = self.follows

    def compile(self, past: PastList) -> Chain:
        """The revisions that this list adds."""
        chain = compile_chain(
            past.analysis, self.lines, self.texts, past.origin, self.foundation, self._head, has_by_hand=self.has_by_hand
        )
        for revision in chain.new:
            self.texts.add(revision.id, tuple(s.step.sql for s in revision.steps))
            self.lines.append(SumLine(revision.id, revision.kind, _recorded(revision), "", ""))
            self._head = revision.id
        return chain

    def rendered(self, chains: Sequence[Chain], judge: Prover | None) -> Iterator[_Rendered]:
        """The file of each new revision, each lifted in the schema that those before it leave."""
        if not any(chain.new for chain in chains):
            return
        ground = self.foundation
        held, world = Held(), World(ground.catalog if ground is not None else empty_catalog())
        if judge is not None and ground is not None:
            ground = with_tables_of(ground, judge.lay(ground))
        past = [(line, self.texts.all(line.revision)) for line in revisions(self.kept)]
        sent: list[str] = []
        analysed = iter(analyse(Registry.of([text for _, texts in past for text in texts])))
        for line, texts in past:
            steps = [next(analysed) for _ in texts]
            sent += self._as_sent(line, texts, held.around([s.label for s in line.steps], chains[0].places))
            held.take(line.kind, line.steps, steps)
            for step in steps:
                evaluate(step.program, world)
        if judge is not None and self.has_by_hand and self.follows is not None:
            world = World(judge.upgrade(self.folder, self.follows))
        elif judge is not None:
            judge.remember(sent)
        writer = _Writer(self, world, held, judge)
        for chain in chains:
            writer.places = chain.places
            for revision in chain.new:
                yield from writer.retries(revision, chain.places)
                is_ground = revision.kind is RevisionKind.FOUNDATION
                yield writer.write(replace(revision, tables=ground.tables) if ground is not None and is_ground else revision)
                yield from writer.itself(chain.places)
            yield from writer.passes(chain.places) if chain.new else ()
        for draft in held.again_unproven(world, writer.last, chains[-1].places) if judge is None else ():
            yield writer.write(draft)

    def _as_sent(self, line: SumLine, texts: Sequence[str], put: Around | None) -> Iterable[str]:
        """The texts of a revision, between what its file says that they are put between."""
        if put is None or quoted(put.before) not in (self.folder / VERSIONS / line.file).read_text("utf-8"):
            return texts
        return (put.before, *texts, put.behind)


class _Writer:
    """Lifts and renders one revision after the other. Where one came between, those behind it move, and so do their ids."""

    def __init__(self, compilation: _Compilation, world: World, held: Held, judge: Prover | None) -> None:
        self._texts = compilation.texts
        self._world, self._held, self._judge = world, held, judge
        kept = list(revisions(compilation.kept))
        self._down = compilation.follows
        self._number = len(kept)
        self._moved: dict[str, str] = {}
        self._furthest = -1
        """The place in the list of the furthest step so far."""
        self._place = -1
        """That of the last one: what comes ahead of it begins a further pass."""
        self.places: Places = {}
        """Where the list has each step, by label."""
        self.last: Revision

    def passes(self, places: Places) -> Iterator[_Rendered]:
        """The further passes over the list behind its revisions, until one has nothing to do; without a judge what hangs on rows alone."""
        yield from map(self.write, self._held.mended(self.last, places))
        if self._judge is None:
            return
        for _ in range(ROUNDS):
            late = self._held.again(self.last, self._judge, places)
            yield from map(self.write, late)
            if not late:
                return

    def itself(self, places: Places) -> Iterator[_Rendered]:
        """Behind a step that gives itself work: the same again, until it has none."""
        for _ in range(ROUNDS if self._judge is not None else 0):
            more = self._held.itself(self.last, self._judge, places) if self._judge is not None else []
            yield from map(self.write, more)
            if not more:
                return

    def retries(self, draft: Revision, places: Places) -> Iterator[_Rendered]:
        """Before a step that waited: what was rejected ahead of it in the list, and is taken now, or has work again.

        One that never settles is no sign of a further pass: it stands behind who makes a part of what it needs.
        """
        if not draft.settled:
            return
        place = min((places[label] for label in draft.labels if label in places), default=self._furthest)
        if self._judge is not None and place < self._furthest:
            ahead = range(self._place + 1 if self._place < place else 0, place)
            yield from map(self.write, self._held.retried(draft, self.last, self._judge, places, ahead))
        self._furthest, self._place = max(self._furthest, place), place

    def _judged(self, revision: Revision, lifted: Sequence[Lifted]) -> Verdict:
        if self._judge is None:
            return unproven(lifted)
        if revision.around is None:
            return self._judge.judge(revision.steps, lifted)
        self._judge.set(revision.around.before)
        verdict = self._judge.judge(revision.steps, lifted)
        self._judge.set(revision.around.behind)
        return verdict

    def _implied(self, revision: Revision, verdict: Verdict) -> tuple[Revision, Verdict]:
        """A step that needs what nothing makes, as an operation if that is proven where its text has what it implies."""
        if self._judge is None or len(revision.steps) != 1 or revision.around is not None:
            return revision, verdict
        (step,) = revision.steps
        ground, lifted = supposed(step, self._world), lift_attempted(step, self._world)
        if ground is None or lifted is None or not self._judge.judge_on(step, lifted, ground.ways):
            return revision, verdict
        return replace(revision, supposed=ground.tables), replace(verdict, lifted=(lifted,), proof=Proof.IMPLIED)

    def write(self, draft: Revision) -> _Rendered:
        """The next revision's file."""
        before = self._texts.get(draft.past.revision) if draft.past else None
        past = replace(draft.past, revision=self._moved.get(draft.past.revision, draft.past.revision)) if draft.past else None
        revision = follow(replace(draft, past=past), self._down, self._number + 1)
        if revision.kind is RevisionKind.FOUNDATION:  # its own text is run: there is nothing to translate, and nothing to prove
            self._down, self._number, self.last = revision.id, revision.number, revision
            return _Rendered(_file_name(revision), render_file(revision, ()), revision, Proof.VERBATIM)
        revision = replace(revision, around=self._held.around(revision.labels, self.places))
        lifted = [lift(s, self._world, settled=revision.settled) for s in revision.steps]
        verdict = self._judged(revision, lifted)
        if not revision.settled:
            revision, verdict = self._implied(revision, verdict)
        self._held.take(revision.kind, _recorded(revision), revision.steps, rejected=verdict.rejected)
        if self._judge is not None:
            self._held.changed(self._judge.changed(), revision.labels[-1])
        if draft.id:
            self._moved[draft.id] = revision.id
        self._down, self._number, self.last = revision.id, revision.number, revision
        written = tuple(map(once_more, verdict.lifted)) if revision.again else verdict.lifted
        return _Rendered(_file_name(revision), render_file(revision, written, before), revision, verdict.proof)


@dataclass(frozen=True, slots=True)
class Explained:
    """How one step of the list, or of the history, was matched, and what an export would do about it."""

    step: str | None
    revision: str | None
    how: str
    then: str

    def as_dict(self) -> JsonObject:
        """The public JSON keys."""
        return {"step": self.step, "revision": self.revision, "matched_by": self.how, "export": self.then}


def explain(analysis: Analysis, folder: Path) -> tuple[Explained, ...]:
    """The matching of the list with the history, in the list's order. Raises ``HistoryTampered``, ``AmbiguousMatch``."""
    kept = read_sum(folder)
    check(folder, kept)
    found = match(analysis, revisions(kept), RecordedTexts(folder, kept))
    rows = []
    for index, step in enumerate(analysis):
        past = found.known.get(index)
        if past is None:
            rows.append(Explained(step.id, None, "nothing", "nothing" if step.is_empty else "append a revision"))
        else:
            rows.append(
                Explained(step.id, past.revision, found.how[index], "append an amendment" if index in found.edited else "nothing")
            )
    rows += [Explained(None, past.revision, f"nothing (was {past.label})", "append a retirement") for past in found.removed]
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A new revision's file."""

    name: str
    text: str
    revision: Revision
    proof: Proof


class RecordedTexts:
    """The SQL of each exported revision, from its file's docstring: read where an edited step has to be recognised."""

    def __init__(self, folder: Path, lines: Sequence[SumLine]) -> None:
        kinds = ("base", "step", "amend", "settle")
        self._files = {line.revision: path for line, path in paths(folder, lines) if line.kind in kinds}
        self._read: dict[str, tuple[str, ...]] = {}

    def add(self, revision: str, texts: tuple[str, ...]) -> None:
        """Remember a revision whose file is not written yet."""
        self._read[revision] = texts

    def get(self, revision: str, /) -> str | None:
        """The text, or ``None`` for a revision without SQL of a step, or with that of several."""
        found = self.all(revision)
        return found[0] if len(found) == 1 else None

    def all(self, revision: str) -> tuple[str, ...]:
        """The text of each of the revision's steps."""
        if revision not in self._read:
            path = self._files.get(revision)
            self._read[revision] = _sql_of(path) if path is not None else ()
        return self._read[revision]


def _sql_of(path: Path) -> tuple[str, ...]:
    return texts_in(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=False) or "")


def texts_in(docstring: str) -> tuple[str, ...]:
    """The SQL of each step that a revision's docstring holds."""
    _, *texts = docstring.split(f"\n{SQL_HEADING}\n\n")
    return tuple("\n".join(line.removeprefix("    ") for line in text.removesuffix("\n").split("\n")) for text in texts)


def _lines(kept: Sequence[SumLine], rendered: Sequence[_Rendered]) -> Iterator[SumLine]:
    seal = behind(kept)
    for r in rendered:
        yield seal.sealed(SumLine(r.revision.id, r.revision.kind, _recorded(r.revision), r.name, "", r.proof), r.text.encode())


def _recorded(revision: Revision) -> tuple[Recorded, ...]:
    if revision.kind is RevisionKind.RETIRE and revision.past:
        return (Recorded(revision.past.label, revision.past.checksum, revision.past.explicit, True, revision.id),)
    return tuple(
        Recorded(label, step.checksum, step.step.id is not None, revision.settled, revision.id)
        for label, step in zip(revision.labels, revision.steps, strict=True)
    )


def _file_name(revision: Revision) -> str:
    told = re.sub(r"\W+", "_", revision.slug)[:48].strip("_") or "step"
    return f"{revision.number:04d}_{revision.id}_{told}.py"
