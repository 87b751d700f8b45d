"""Equivalence: both drivers lead to the same catalog, shown on scratch databases from every start.

One start lives through the list's past: prefixes grow in the chain's order, which is the one in which a boot of an empty
database settles the steps, and the boots are those of one database that has each text as the history records it, in the list's order. The others
begin with the list as it is today. Who looks at both is our own reader, and a witness that is not ours.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge import errors
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.analysis.reaching import ELSEWHERE, SHARED, is_of_the_server, may_reach_elsewhere
from omega_bridge.audit.fresh import begun
from omega_bridge.audit.grounds import ground_of, grounds_of
from omega_bridge.audit.prefixes import walked
from omega_bridge.audit.proofs import prover
from omega_bridge.audit.scratch import Scratch
from omega_bridge.audit.verdict import Equivalence, Predictions
from omega_bridge.audit.witness import find_witness
from omega_bridge.planning.foundation import Foundation
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session
from omega_bridge.revisions import files, sums
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
) -> Equivalence:
    """Compare from every start. ``history`` is an exported folder; without one the history is compiled for the occasion.

    ``databases``: URLs of those whose schema is a further start, or files of dumps; or a revision of the history, from which on its
    prefixes are compared. ``alike`` is called with each revision up to which nothing has differed. ``foundation``: what the list stands on.
    A witness looks at both at the end of each start.
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
        with walked(folder, lines, grounds[0], scratch, witness, advance, since, alike, _places(analysis, folder, lines)) as past:
            found = [past.begun]
            for ground in grounds:
                upgraded = past.upgraded if ground is grounds[0] else None
                found.append(begun(ground, analysis, folder, lines, scratch, witness, upgraded))
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
        catalog_digest=past.catalog.digest(),
        server_version=server_version,
        predictions=Predictions(sum(f.predictions.made for f in found), tuple(m for f in found for m in f.predictions.mistaken)),
    )


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
