"""Registry to chain: which revisions are there, and which come next. Pure, and history only grows.

Revisions stand in the order in which one boot of an empty database, or of the foundation, settles the steps. What was exported before is
never touched: an edited step appends an amendment, a removed one a retirement, a moved one nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from omega_bridge.analysis import Analysis, StepAnalysis
from omega_bridge.planning.foundation import Foundation
from omega_bridge.planning.settling import settle
from omega_bridge.revisions.matching import Matching, Texts, match
from omega_bridge.revisions.models import is_model
from omega_bridge.revisions.place_settings import Around
from omega_bridge.revisions.sums import Recorded, SumLine

ID_LENGTH = 12


class RevisionKind(StrEnum):
    """Why a revision is there."""

    FOUNDATION = "foundation"
    BASE = "base"
    STEP = "step"
    AMEND = "amend"
    RETIRE = "retire"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Origin:
    """The commit that a revision was found in, for the record. ``date`` in ISO format."""

    commit: str
    author: str
    date: str
    subject: str


@dataclass(frozen=True, slots=True)
class Again:
    """Why a start runs a step once more: the step ``after`` which it has work again, and what that changes, where it was tried.

    ``of_rows``: that step changes rows which may have made this one fail, and its handler hides that.
    """

    after: str
    changes: tuple[str, ...] = ()
    of_rows: bool = False


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision to be. ``steps`` has one entry, but for the base. ``past`` is what an amendment or retirement is about.

    ``waited``: what the step was missing at its place in the list. ``settled``: whether an empty database settles it.
    ``origin``: where the list's past was taken in from version control. ``again``: that it runs a step once more.
    """

    id: str
    down: str | None
    number: int
    kind: RevisionKind
    steps: tuple[StepAnalysis, ...]
    past: Recorded | None = None
    waited: str | None = None
    settled: bool = True
    labels: tuple[str, ...] = ()
    origin: Origin | None = None
    again: Again | None = None
    around: Around | None = None
    """Where the list has its step under other settings than the history comes to it with."""
    supposed: tuple[str, ...] = ()
    """Tables that nothing makes, as the step's own text implies them: where they are so its translation is proven."""
    tables: tuple[str, ...] = ()
    """Of the foundation: by which it is told whether it is there."""

    @property
    def slug(self) -> str:
        """The file name's last part."""
        if self.kind in (RevisionKind.BASE, RevisionKind.FOUNDATION):
            return str(self.kind)
        return self.labels[0] if self.kind is RevisionKind.STEP else f"{self.kind}-{self.labels[0]}"


@dataclass(frozen=True, slots=True)
class Chain:
    """What stands already, and the revisions that follow. ``places``: where the list has each step, by its label."""

    kept: tuple[SumLine, ...]
    new: tuple[Revision, ...]
    places: Mapping[str, int]

    @property
    def head(self) -> str | None:
        """The last revision's id."""
        if self.new:
            return self.new[-1].id
        return self.kept[-1].revision if self.kept else None


def compile_chain(
    analysis: Analysis,
    kept: Sequence[SumLine] = (),
    texts: Texts | None = None,
    origin: Origin | None = None,
    foundation: Foundation | None = None,
    head: str | None = None,
    *,
    has_by_hand: bool = False,
) -> Chain:
    """The chain after this export. ``texts`` gives the SQL of recorded steps by revision, to match by likeness.

    ``head``: what the first new revision follows, where that is not the last one that was exported. ``has_by_hand``: whether there are
    revisions that were written by hand: they may make what the list's steps need.

    ``foundation``: what the list stands on. It is the first revision, where it was there at the first export.
    Raises ``AmbiguousMatch``.
    """
    settling = settle(analysis, foundation.catalog if foundation is not None else None)
    is_late = foundation is not None and bool(kept) and kept[0].kind != RevisionKind.FOUNDATION
    never = settle(analysis).unsettled if is_late else settling.unsettled  # a foundation that came later settles nothing anew
    matching = match(analysis, kept, texts or {})
    drafts: list[Revision] = []
    if foundation is not None and not kept:
        drafts.append(replace(_draft(RevisionKind.FOUNDATION, (foundation.step,)), tables=foundation.tables))
    base = [] if kept else _base(analysis, settling.order, settling.waited)
    if base:
        drafts.append(_draft(RevisionKind.BASE, tuple(analysis.steps[i] for i in base)))
    drafts.extend(_draft(RevisionKind.RETIRE, (), past=past) for past in matching.removed)
    for index in settling.order:
        kind, past = _what_to_append(index, matching, never)
        if kind is None or index in base or (kind is RevisionKind.STEP and analysis.steps[index].is_empty):
            continue
        waited = settling.waited.get(index) if kind is RevisionKind.STEP else None
        drafts.append(
            _draft(
                kind,
                (analysis.steps[index],),
                past=past,
                waited=str(waited) if waited else None,
                settled=has_by_hand or index not in settling.unsettled,
            )
        )
    new = tuple(_numbered(drafts, kept, origin, head))
    return Chain(tuple(kept), new, _places(analysis, matching, new))


def _places(analysis: Analysis, matching: Matching, new: Sequence[Revision]) -> dict[str, int]:
    """The list's index of each step, by the label that the history has for it."""
    index_of = {id(step): index for index, step in enumerate(analysis)}
    named = {past.label: index for index, past in matching.known.items()}
    steps = [
        (label, s) for r in new if r.kind is not RevisionKind.FOUNDATION for label, s in zip(r.labels, r.steps, strict=False)
    ]
    return named | {label: index_of[id(s)] for label, s in steps}


def _base(analysis: Analysis, order: Iterable[int], waited: Mapping[int, object]) -> list[int]:
    """What only the models create and an empty database takes at once."""
    return [i for i in order if is_model(analysis.steps[i].step) and i not in waited]


def _what_to_append(index: int, matching: Matching, unsettled: frozenset[int]) -> tuple[RevisionKind | None, Recorded | None]:
    past = matching.known.get(index)
    if past is None:
        return RevisionKind.STEP, None
    if index in matching.edited:
        return RevisionKind.AMEND, past
    if not past.settled and index not in unsettled:
        return RevisionKind.SETTLE, past
    return None, None


def _draft(
    kind: RevisionKind,
    steps: tuple[StepAnalysis, ...],
    *,
    past: Recorded | None = None,
    waited: str | None = None,
    settled: bool = True,
) -> Revision:
    return Revision("", None, 0, kind, steps, past, waited, settled)


def _numbered(drafts: Iterable[Revision], kept: Sequence[SumLine], origin: Origin | None, head: str | None) -> Iterable[Revision]:
    down = head or (kept[-1].revision if kept else None)
    used = {step.label for line in kept for step in line.steps if line.kind != RevisionKind.FOUNDATION}
    for number, draft in enumerate(drafts, start=len(kept) + 1):
        labels = (draft.past.label,) if draft.past else tuple(_unused(s.id, used) for s in draft.steps)
        if draft.kind is not RevisionKind.FOUNDATION:
            used.update(labels)
        revision = follow(replace(draft, labels=labels, origin=origin), down, number)
        yield revision
        down = revision.id


def follow(draft: Revision, down: str | None, number: int) -> Revision:
    """A revision in its place: its id is a hash over what it is and what it follows."""
    content = [
        down or "",
        draft.kind,
        *(s.checksum for s in draft.steps),
        draft.past.checksum if draft.past else "",
    ]
    identity = hashlib.sha256("\n".join(content).encode()).hexdigest()[:ID_LENGTH]
    return replace(draft, id=identity, down=down, number=number)


def _unused(label: str, used: set[str]) -> str:
    """A label that the history has not given to another step."""
    if label not in used:
        return label
    number = 2
    while f"{label}-{number}" in used:
        number += 1
    return f"{label}-{number}"
