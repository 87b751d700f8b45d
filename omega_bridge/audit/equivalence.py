"""Equivalence: both drivers lead to the same catalog, shown on scratch databases from every start.

One start lives through the list's past: prefixes grow in the chain's order, which is the one in which a boot of an empty
database settles the steps, and the boots are those of one database that has each text as the history records it, in the list's order. The others
begin with the list as it is today. Who looks at both is our own reader, and a witness that is not ours.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge import errors
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.analysis.reaching import ELSEWHERE, SHARED, is_of_the_server, may_reach_elsewhere
from omega_bridge.audit.by_hand import by_hand_in
from omega_bridge.audit.fresh import begun
from omega_bridge.audit.grounds import Ground, ground_of, grounds_of
from omega_bridge.audit.kept import Results, results
from omega_bridge.audit.pairs import Begun
from omega_bridge.audit.prefixes import Point, points_of, walked
from omega_bridge.audit.proofs import prover
from omega_bridge.audit.scratch import Scratch, ScratchDatabase
from omega_bridge.audit.verdict import Equivalence, Predictions
from omega_bridge.audit.witness import Witness, find_witness
from omega_bridge.planning.foundation import Foundation
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session
from omega_bridge.revisions import files, sums
from omega_bridge.revisions.graph import graph_of
from omega_bridge.revisions.ground import begins_with, stands_on
from omega_bridge.revisions.matching import match
from omega_bridge.steps import Registry

if TYPE_CHECKING:
    from sqlalchemy import MetaData


def verify(
    registry: Registry,
    metadata: MetaData | None,
    scratch: Scratch,
    *,
    history: Path | None = None,
    databases: Sequence[str] = (),
    foundation: Foundation | None = None,
    advance: Callable[[int], object] = lambda _n: None,
    alike: Callable[[str], object] = lambda _revision: None,
    keeps: Path | None = None,
    takes: bool = True,
) -> Equivalence:
    """Compare from every start. ``history`` is an exported folder; without one the history is compiled for the occasion.

    ``databases``: URLs of those whose schema is a further start, or files of dumps; or a revision of the history, from which on its
    prefixes are compared. ``alike`` is called with each revision up to which nothing has differed. ``foundation``: what the list stands on.
    A witness looks at both at the end of each start. ``keeps``: the folder where results are kept for later runs; ``takes``: whether
    those of earlier ones count.
    Raises ``HistoryStale`` when the folder does not hold the list as it is now, ``FoundationEdited`` and ``HistoryTampered``.
    """
    beneath = _beneath(history, foundation)
    analysis = analyse(_complete(registry, metadata, beneath))
    with compiled(analysis, history, foundation, scratch) as folder:
        lines = sums.read_sum(folder)
        since = _since(databases, lines)
        named = tuple(ground_of(database, sums.version_table(folder)) for database in databases if database != since)
        in_history = begins_with(lines) is not None
        grounds = (*grounds_of(stands_on(folder, lines, foundation), in_history=in_history), *named)
        with open_session(normalise(scratch.url)) as session:
            server_version = session.server_version
            witness = find_witness(server_version)
            place = keeps if graph_of(folder, lines).is_ours_alone else None  # what is written by hand may read anything
            kept = results(place, analysis, folder, session, witness, takes=takes and since is None)
        points = tuple(points_of(folder, lines, grounds[0], _places(analysis, folder, lines)))
        found: list[Begun] = []
        upgraded: ScratchDatabase | None = None
        with ExitStack() as stack:
            if (known := kept.past(grounds[0])) is not None:
                past, catalog_digest = known
                advance(len(points))
            else:
                walking = _past(folder, lines, grounds[0], scratch, witness, advance, since, alike, points, kept)
                past, catalog_digest, upgraded = stack.enter_context(walking)
            found.append(past)
            for ground in grounds:
                start = kept.start(ground)
                if start is None:
                    there = upgraded if ground is grounds[0] else None
                    start = begun(ground, analysis, folder, lines, scratch, witness, there)
                    kept.keep_start(ground, start)
                found.append(start)
                advance(1)
    return Equivalence(
        starts=tuple(f.start for f in found),
        differences=tuple(d for f in found for d in f.differences),
        order_only=tuple(d for f in found for d in f.order_only),
        rejected=tuple(r for f in found for r in f.rejected),
        not_tried=tuple(_not_shown(analysis)),
        witness=str(witness) if witness else None,
        head=sums.head_of(lines),
        sum_hash=lines[-1].hash if lines else "",
        list_digest=registry.digest(),
        catalog_digest=catalog_digest,
        server_version=server_version,
        predictions=Predictions(sum(f.predictions.made for f in found), tuple(m for f in found for m in f.predictions.mistaken)),
    )


@contextmanager
def _past(
    folder: Path,
    lines: tuple[sums.SumLine, ...],
    ground: Ground,
    scratch: Scratch,
    witness: Witness | None,
    advance: Callable[[int], object],
    since: str | None,
    alike: Callable[[str], object],
    points: Sequence[Point],
    kept: Results,
) -> Iterator[tuple[Begun, str, ScratchDatabase | None]]:
    """What was found of the list's past, the digest of the catalog to which it led, and a database at the head; see ``Walked``.

    Behind what an earlier run has found alike it begins as at the revision ``since``.
    """
    reached = ""
    goes_on = since is None and not sums.squashed_away(lines) and not by_hand_in(folder, lines).blocks
    until = kept.since(ground, points) if goes_on else None

    def alike_there(revision: str) -> None:
        nonlocal reached
        reached = revision
        alike(revision)

    try:
        with walked(folder, lines, ground, scratch, witness, advance, until or since, alike_there, points=points) as walk:
            start, behind = walk.begun.start, sum(p.is_loaded for p in points) - walk.begun.start.prefixes
            found = (
                walk.begun
                if until is None
                else replace(walk.begun, start=replace(start, prefixes=start.prefixes + behind, since=None, kept=behind))
            )
            catalog = walk.catalog.digest()
            kept.keep_past(ground, found, catalog)
            if goes_on and points and not (found.differences or found.order_only):
                kept.keep_prefix(ground, points, points[-1].revision)
            yield found, catalog, walk.upgraded
    except KeyboardInterrupt:
        if goes_on and reached:
            kept.keep_prefix(ground, points, reached)
        raise


def _not_shown(analysis: Analysis) -> Iterator[tuple[str, str]]:
    for step in analysis:
        if may_reach_elsewhere(step.step.sql):
            yield step.id, ELSEWHERE
        elif is_of_the_server(step.step.sql):
            yield step.id, SHARED


_REVISION = re.compile(r"[0-9a-f]{12}")


def _since(named: Sequence[str], lines: Sequence[sums.SumLine]) -> str | None:
    """The revision among what was named. Raises ``ConfigurationInvalid`` for one that the history does not have, or has squashed."""
    away = sums.squashed_away(lines)
    known = {line.revision for line in sums.revisions(lines)} - set(away)
    asked = [name for name in named if name in known or _REVISION.fullmatch(name)]
    if any(name not in known for name in asked) or len(asked) > 1:
        raise errors.ConfigurationInvalid(
            f"--from {' --from '.join(asked)} names no one revision of the history, or one that was squashed",
            hint="The revisions are in omega.sum, and in the output of: alembic history",
        )
    return asked[0] if asked else None


def _places(analysis: Analysis, folder: Path, lines: Sequence[sums.SumLine]) -> dict[str, int]:
    """Where the list has each step of the history, by its label there."""
    known = match(analysis, sums.revisions(lines), files.RecordedTexts(folder, lines)).known
    return {past.label: place for place, past in known.items()}


def count(
    registry: Registry, metadata: MetaData | None, databases: Sequence[str] = (), foundation: Foundation | None = None
) -> int:
    """How many prefixes and starts a verification walks."""
    return len(_complete(registry, metadata, foundation)) + 1 + len(databases) + (foundation is not None)


def _complete(registry: Registry, metadata: MetaData | None, foundation: Foundation | None) -> Registry:
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
def compiled(analysis: Analysis, history: Path | None, foundation: Foundation | None, scratch: Scratch) -> Iterator[Path]:
    """The exported history, checked; or one compiled into a temporary folder, and proven as an export is: the same revisions."""
    if history is not None and sums.read_sum(history):
        if files.export(analysis, history, write=False, foundation=foundation).revisions:
            raise errors.HistoryStale(f"{history} does not hold the list as it is now", hint="Run: omega-bridge export")
        yield history
        return
    with tempfile.TemporaryDirectory(prefix="omega-bridge-") as name:
        folder = Path(name)
        files.export(analysis, folder, prover=lambda _length: prover(scratch), foundation=foundation)
        yield folder
