"""A database that was repaired for years without a record: how far does the history hold in it, and may it be stamped?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omega_bridge.analysis import Analysis, StepKind
from omega_bridge.catalog import Catalog
from omega_bridge.expectation import Expectation, What, compare, moved
from omega_bridge.expectation_file import kept
from omega_bridge.ledger import Draft, Driver, Event, new_run
from omega_bridge.planning import World, evaluate
from omega_bridge.planning.foundation import LABEL
from omega_bridge.planning.grantees import Grantees
from omega_bridge.planning.made_here import MadeHere
from omega_bridge.postgres import clean_state, ledger_store, states
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.postgres.lock import exclusive, prove
from omega_bridge.postgres.of_server import read_against
from omega_bridge.postgres.runner import runs_as
from omega_bridge.postgres.session import Session, permissions
from omega_bridge.revisions.files import RecordedTexts
from omega_bridge.revisions.matching import match
from omega_bridge.revisions.standing import standing_of
from omega_bridge.revisions.sums import SumLine, check, head_of, read_sum, revisions
from omega_bridge.startup.foundation import how_to_lay, not_laid
from omega_bridge.startup.lacks import lacks
from omega_bridge.startup.situation import scope
from omega_bridge.startup.start import promise_digest
from omega_bridge.steps import Registry
from omega_bridge.version_table import VersionTable

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from omega_bridge.typed import Connection


@dataclass(frozen=True, slots=True)
class Gap:
    """A revision whose step does not hold, and what is missing."""

    revision: str
    step: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """The public JSON keys."""
        return {"revision": self.revision, "step": self.step, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Survey:
    """``prefix``: the last revision up to which every one holds. ``gaps``: those that do not, in the history's order."""

    head: str | None
    prefix: str | None
    holding: int
    revisions: int
    gaps: tuple[Gap, ...]
    beyond: tuple[str, ...] = ()
    """Revisions that hold although one before them does not."""
    first: str = ""
    """What to do before a start repairs the rest: where the foundation is missing, no start lays it unasked."""


def survey(
    connection: Connection,
    analysis: Analysis,
    folder: Path,
    amiss: Mapping[str, str] | None = None,
    expected: Expectation | None = None,
) -> Survey:
    """Compare the live catalog with each revision's steps, as the list has them now; see ``hold_against``. Reads only.

    ``expected``: what the list leads to; whatever is missing or different is a gap of the step that it comes from.
    """
    if expected is None:
        ground = {LABEL: lacking} if (lacking := not_laid(connection, analysis, folder)) else {}
        return hold_against(read_catalog(connection, analysis.names()), analysis, folder, {**ground, **(amiss or {})})
    catalog = read_against(connection, expected)
    role = runs_as(connection)
    expected = moved(expected, catalog, role)
    seen = Grantees.of(expected, analysis).set_apart(compare(expected, catalog, role))
    seen = MadeHere.of(expected, catalog, analysis).set_apart(seen, catalog)
    denied = [d for d in seen.departures if d.what in (What.MISSING, What.DIFFERENT)]
    told: dict[str, str] = {}
    for departure in denied:
        text = f"{departure} is not there" if departure.what is What.MISSING else str(departure)
        told.setdefault(expected.maker(departure.key), text)
    found = hold_against(catalog, analysis, folder, {**told, **(amiss or {})})
    lone = {step: text for step, text in told.items() if step not in {gap.step for gap in found.gaps}}
    more = tuple(Gap(found.head or "", step, text) for step, text in lone.items())
    return replace(found, gaps=(*found.gaps, *more)) if more else found


def hold_against(catalog: Catalog, analysis: Analysis, folder: Path, amiss: Mapping[str, str] | None = None) -> Survey:
    """Compare a catalog with each revision's steps. ``amiss``: steps that are known not to have worked out, and why; under
    ``foundation`` what of the history's is not there.
    """
    lines = read_sum(folder)
    check(folder, lines)
    world, provided = World(catalog), analysis.provided()
    index_of = {
        past.label: index for index, past in match(analysis, revisions(lines), RecordedTexts(folder, lines)).known.items()
    }
    gaps: list[Gap] = []
    beyond: list[str] = []
    prefix, holding, is_whole = None, 0, True
    every = revisions(lines)
    for line in every:
        found = list(_gaps(line, analysis, index_of, world, provided, amiss or {}))
        gaps.extend(found)
        holding += not found
        is_whole = is_whole and not found
        if is_whole:
            prefix = line.revision
        elif not found:
            beyond.append(line.revision)
    return Survey(head_of(lines), prefix, holding, len(every), tuple(gaps), tuple(beyond))


def _gaps(
    line: SumLine, analysis: Analysis, index_of: dict[str, int], world: World, provided: Any, amiss: Mapping[str, str]
) -> Sequence[Gap]:
    if line.kind == LABEL and LABEL in amiss:
        return [Gap(line.revision, LABEL, amiss[LABEL])]
    found = []
    for recorded in line.steps:
        index = index_of.get(recorded.label)
        if index is not None and line.kind != "retire" and analysis.steps[index].id in amiss:
            found.append(Gap(line.revision, recorded.label, amiss[analysis.steps[index].id]))
            continue
        if index is None or line.kind == "retire" or analysis.steps[index].kind is StepKind.DATA:
            continue
        mark = world.mark()
        outcome = evaluate(analysis.steps[index].program, world, provided)
        world.rollback(mark)
        if outcome.is_nothing or outcome.unknown or outcome.touches_rows:
            continue
        if needed := outcome.fails or outcome.swallowed:
            found.append(Gap(line.revision, recorded.label, f"needs {needed}, which is not there"))
            continue
        lacking = next((e for e in outcome.missing), None)
        told = (
            "only the server can tell" if lacking is None else f"{lacking.key} is not there" if outcome.absent else str(lacking)
        )
        found.append(Gap(line.revision, recorded.label, told))
    return found


def adopt(
    session: Session,
    registry: Registry,
    analysis: Analysis,
    metadata: MetaData | None,
    folder: Path,
    critical: Sequence[str],
    *,
    keeps_sessions: bool = False,
    accepted: Collection[str] = (),
    listed: str | None = None,
    table: VersionTable | None = None,
) -> Survey:
    """Stamp the head and leave the record of a clean boot, where there is no gap; else change nothing.

    ``accepted``: steps whose gaps are known and stay, such as legacy tables of another shape. ``listed``: the digest under which what
    is expected is kept, where the list stands on a foundation. ``table``: where the history's
    revision is kept. No step is sent. A version that the history does not know, or ahead of which
    a revision written by hand is still to come, is a gap. Raises
    ``LockNotAcquired``, ``PoolerDetected``, ``NotPermitted``, ``HistoryTampered``.
    """
    with permissions(session), exclusive(session, 60.0, keeps_sessions=keeps_sessions):
        connection = session.connection
        expected = kept(folder, listed or promise_digest(registry.digest(), metadata, None))
        every = survey(connection, analysis, folder, expected=expected)
        found = replace(every, gaps=tuple(gap for gap in every.gaps if gap.step not in accepted))
        if found.gaps or found.head is None:
            return replace(found, first=how_to_lay(connection, folder) if found.gaps else "")
        names = scope(analysis, critical, metadata)
        if lacking := lacks(read_catalog(connection, names), metadata):
            return replace(found, gaps=tuple(Gap(found.head, lack.name, str(lack)) for lack in lacking))
        standing = standing_of(folder, table=table)
        move = standing.move(ledger_store.versions(connection, table), found.head)
        if move.told:
            return replace(found, gaps=(Gap(found.head, standing.table, move.warning),))
        ledger_store.prepare(connection, table=table)
        if table is not None:  # before the schema is looked at: making it is a change of the schema
            with connection.transaction():
                clean_state.make_version_table(connection, table)
        promised = clean_state.Promised(analysis, names).with_effects(connection, states.recall(connection), folder)
        asked = probe_function.ask(connection, promised.watched)
        catalog = read_catalog(connection, names)
        detail = {"adopted": True, "revisions": found.revisions, "catalog": catalog.digest()}
        if len(every.gaps) > len(found.gaps):
            detail["accepted"] = [gap.as_dict() for gap in every.gaps if gap.step in accepted]
        with connection.transaction():
            stamped = clean_state.stamp(connection, lambda versions: standing.move(versions, found.head).revision, table)
            draft = Draft(Driver.BOOT, Event.STAMP, new_run(), found.head, "", "already-there", detail)
            ledger_store.append(connection, [draft])
            digest = promise_digest(registry.digest(), metadata, found.head, table)
            clean_state.remember(connection, promised, (), catalog, asked, digest, stamped, table=table)
            prove(session)
    return found
