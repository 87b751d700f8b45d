"""Equivalence: both drivers lead to the same catalog, shown on scratch databases from every start.

One start lives through the list's past: prefixes are taken in the chain's order, which is the one in which a boot of an empty
database settles the steps, and the boots are those of one database that has each text as the history records it. The others
begin with the list as it is today. Who looks at both is our own reader, and a witness that is not ours.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omega_bridge import errors
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.analysis.reaching import ELSEWHERE, may_reach_elsewhere
from omega_bridge.audit.by_hand import by_hand_in
from omega_bridge.audit.fresh import begun
from omega_bridge.audit.grounds import Ground, ground_of, grounds_of
from omega_bridge.audit.pairs import Begun, Pair, Told, alembic, upgrade
from omega_bridge.audit.scratch import Scratch, scratch_database
from omega_bridge.audit.verdict import PAST, Equivalence, Start, Unlike
from omega_bridge.audit.witness import Witness, find_witness
from omega_bridge.catalog import Catalog
from omega_bridge.planning import settle
from omega_bridge.planning.foundation import LABEL, Foundation
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session
from omega_bridge.revisions import files, sums
from omega_bridge.revisions.ground import begins_with, stands_on
from omega_bridge.steps import Registry, Step


@dataclass(frozen=True, slots=True)
class _Point:
    """A revision, the list that it and those before it stand for, and the step to name.

    One that a squash took in is not loaded: the boots live through it, and are compared at the squash.
    """

    revision: str
    steps: tuple[Step, ...]
    label: str
    is_loaded: bool = True


def verify(
    registry: Registry,
    metadata: Any,
    scratch: Scratch,
    *,
    history: Path | None = None,
    databases: Sequence[str] = (),
    foundation: Foundation | None = None,
    advance: Callable[[int], Any] = lambda _n: None,
) -> Equivalence:
    """Compare from every start. ``history`` is an exported folder; without one the history is compiled for the occasion.

    ``databases``: URLs of those whose schema is a further start, or files of dumps. ``foundation``: what the list stands on.
    A witness looks at both at the end of each start.
    Raises ``HistoryStale`` when the folder does not hold the list as it is now, ``FoundationEdited`` and ``HistoryTampered``.
    """
    beneath = _beneath(history, foundation)
    analysis = analyse(_complete(registry, metadata, beneath))
    named = tuple(map(ground_of, databases))
    with compiled(analysis, history, foundation) as folder:
        lines = sums.read_sum(folder)
        in_history = begins_with(lines) is not None
        grounds = (*grounds_of(stands_on(folder, lines, foundation), in_history=in_history), *named)
        with open_session(normalise(scratch.url)) as session:
            server_version = session.server_version
        witness = find_witness(server_version)
        past, catalog = _past(folder, lines, grounds[0], scratch, witness, advance)
        found = [past]
        for ground in grounds:
            found.append(begun(ground, analysis, folder, lines, scratch, witness))
            advance(1)
    return Equivalence(
        starts=tuple(f.start for f in found),
        differences=tuple(d for f in found for d in f.differences),
        order_only=tuple(d for f in found for d in f.order_only),
        rejected=tuple(r for f in found for r in f.rejected),
        not_tried=tuple((s.id, ELSEWHERE) for s in analysis if may_reach_elsewhere(s.step.sql)),
        witness=str(witness) if witness else None,
        head=sums.head_of(lines),
        sum_hash=lines[-1].hash if lines else "",
        list_digest=registry.digest(),
        catalog_digest=catalog.digest(),
        server_version=server_version,
    )


def count(registry: Registry, metadata: Any, databases: Sequence[str] = (), foundation: Foundation | None = None) -> int:
    """How many prefixes and starts a verification walks."""
    return len(_complete(registry, metadata, foundation)) + 1 + len(databases) + (foundation is not None)


def _complete(registry: Registry, metadata: Any, foundation: Foundation | None) -> Registry:
    if metadata is None:
        return registry
    from omega_bridge.revisions.models import with_models

    return with_models(registry, metadata, foundation)


def _beneath(history: Path | None, foundation: Foundation | None) -> Foundation | None:
    """The foundation whose tables the models need not make: not one that was given after they were exported."""
    lines = sums.read_sum(history) if history is not None else ()
    if history is None or not lines:
        return foundation
    return stands_on(history, lines, foundation) if begins_with(lines) else None


@contextmanager
def compiled(analysis: Analysis, history: Path | None, foundation: Foundation | None) -> Iterator[Path]:
    """The exported history, checked; or one compiled into a temporary folder."""
    if history is not None and sums.read_sum(history):
        if files.export(analysis, history, write=False, foundation=foundation).revisions:
            raise errors.HistoryStale(f"{history} does not hold the list as it is now", hint="Run: omega-bridge export")
        yield history
        return
    with tempfile.TemporaryDirectory(prefix="omega-bridge-") as name:
        folder = Path(name)
        files.export(analysis, folder, foundation=foundation)
        yield folder


def _points(folder: Path, lines: tuple[sums.SumLine, ...], ground: Ground) -> Iterator[_Point]:
    """For each revision, the list as it was by then: an amended step in the words it had, a retired one while it was there."""
    texts = files.RecordedTexts(folder, lines)
    away = sums.squashed_away(lines)
    held: dict[str, Step] = {}
    unsettled: set[str] = set()
    history = list(sums.revisions(lines))
    for number, line in enumerate(history):
        if line.kind == "retire":
            held.pop(line.steps[0].label, None)
        elif line.kind != LABEL:
            for recorded, text in zip(line.steps, texts.all(line.revision), strict=True):
                held[recorded.label] = Step(text, id=recorded.label, destructive=True)
        for recorded in line.steps if line.kind != LABEL else ():
            unsettled.discard(recorded.label)
            if not recorded.settled and recorded.label in held:
                unsettled.add(recorded.label)
        early = _settled_by_now(held, unsettled, ground) if unsettled else set()
        early |= _run_again_in(history[number + 1 :]) - {recorded.label for recorded in line.steps}
        steps = tuple(step for label, step in held.items() if label not in early)
        label = line.steps[0].label if len(line.steps) == 1 else "base"
        yield _Point(line.revision, steps, label, line.revision not in away)


def _settled_by_now(held: dict[str, Step], unsettled: set[str], ground: Ground) -> set[str]:
    """Steps that could not run when they were exported and now could: a later revision of the same export settles them."""
    begun = ground.foundation.catalog if ground.foundation is not None and ground.in_history else None
    settling = settle(analyse(Registry(tuple(held.values()))), begun)
    impossible = {label for index, label in enumerate(held) if index in settling.unsettled}
    return unsettled - impossible


def _run_again_in(following: Sequence[sums.SumLine]) -> set[str]:
    """Steps that run once more further down: what they do by then is theirs to do there."""
    return {line.steps[0].label for line in following if line.kind == "settle"}


def _past(
    folder: Path,
    lines: tuple[sums.SumLine, ...],
    ground: Ground,
    scratch: Scratch,
    witness: Witness | None,
    advance: Callable[[int], Any],
) -> tuple[Begun, Catalog]:
    """The start that lives through the prefixes: what differs after each, and the catalog at the end."""
    differences: list[Unlike] = []
    order_only: list[Unlike] = []
    compared = 0
    catalog = Catalog({})
    with scratch_database(scratch, "boot") as left, scratch_database(scratch, "alembic") as right:
        ground.lay(left)
        ground.begin(right)
        config = alembic(folder, right)
        points = list(_points(folder, lines, ground))
        written = by_hand_in(folder, lines)
        for point in points:
            written.ahead_of(point.revision, left)
            left.boot(point.steps)
            if point.is_loaded:
                upgrade(config, point.revision, point.label)
                pair, told = Pair(PAST, left, right), _named(point.label)
                catalog = pair.boot
                compared += 1
                differences.extend(pair.unlike(point.revision, told))
                order_only.extend(pair.moved(point.revision, told))
                if point is points[-1]:
                    differences.extend(pair.only_seen_by(witness, point.revision, point.label))
            advance(1)
    return Begun(Start(PAST, compared), tuple(differences), tuple(order_only)), catalog


def _named(step: str) -> Told:
    return lambda _difference: (step, "")
