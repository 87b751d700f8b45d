"""What a repair begins with: the list, read; what the last start left; the schema as it is; the end of the ledger's chain."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from omega_bridge import errors
from omega_bridge.analysis import Analysis, analyse, with_escapes
from omega_bridge.cache_folder import folder
from omega_bridge.catalog import Catalog
from omega_bridge.ledger import Tip
from omega_bridge.planning.plan import Planner
from omega_bridge.postgres import clean_state, states
from omega_bridge.postgres.catalog_reader import CatalogReader
from omega_bridge.postgres.deferred import Deferred
from omega_bridge.postgres.printing import takes_escapes
from omega_bridge.postgres.session import Session
from omega_bridge.postgres.warm_up import Ready
from omega_bridge.readings import Readings
from omega_bridge.sources.located import located
from omega_bridge.startup.ahead import BEHIND
from omega_bridge.startup.run import Options
from omega_bridge.steps import Registry
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from sqlalchemy import MetaData

log = logging.getLogger("omega_bridge")


def understood(
    registry: Registry,
    steps: object,
    metadata: MetaData | None,
    critical_tables: Collection[str],
    reader: CatalogReader,
    deferred: Deferred,
    *,
    keeps: bool = True,
) -> tuple[Planner, clean_state.Promised]:
    """The list with the place of each step, ahead of it what only the models know, read; what was read before is kept. Asks no server, while
    one reads for the ``reader``.

    ``steps``: what ``registry`` was made of. ``deferred`` takes what has time till the end of the start. ``keeps``: whether
    what is read is kept for later starts.
    """
    complete = _complete(registry, metadata)
    readings = Readings(folder(os.environ) if keeps else None, (step.sql for step in complete))
    names = readings.names()
    if names is not None:
        reader.look_ahead(_scope(names, critical_tables, metadata))
    placed = located(registry, steps) if keeps else registry  # while the server reads
    readings.give()
    of_models = complete.steps[: len(complete) - len(registry)]
    analysis = analyse(Registry((*of_models, *placed.steps), placed.source) if of_models else placed)
    deferred.load(BEHIND)
    deferred.add(lambda: readings.keep(step.reading for step in analysis))
    promised = clean_state.Promised(analysis, scope(analysis, critical_tables, metadata))
    if reader.is_early:
        deferred.add(promised.think)
    return Planner(analysis), promised


@dataclass(frozen=True, slots=True)
class Situation:
    """``known``: what the last start left in this schema; ``before``: the schema as it is, by the names of the list and of the models."""

    planner: Planner
    promised: clean_state.Promised
    known: states.State | None
    before: Catalog
    tip: Tip


def situation(
    session: Session,
    ready: Ready,
    planner: Planner,
    promised: clean_state.Promised,
    metadata: MetaData | None,
    options: Options,
    head: str | None,
) -> Situation:
    """Ask for it. The caller holds the lock. Raises ``DatabaseIsNewer``, ``LedgerBroken``."""
    if takes_escapes(session.connection):
        planner = Planner(with_escapes(planner.analysis))
        promised = clean_state.Promised(planner.analysis, scope(planner.analysis, options.critical_tables, metadata))
    known = ready.recall()
    refuse_if_newer(known, planner.analysis, head, options)
    before = ready.reader.read_first(promised.names, known.names if known is not None else ())
    return Situation(planner, promised, known, before, ready.tip())


def refuse_if_newer(known: states.State | None, analysis: Analysis, head: str | None, options: Options) -> None:
    """A start of the release before must not judge a database that the release after it has repaired."""
    if known is None or options.accept_newer:
        return
    mine = {s.checksum for s in analysis}
    theirs = {s["checksum"] for s in known.steps}
    later = [s for s in known.steps if s["checksum"] not in mine]
    if not later or mine - theirs or (head is not None and known.revision == head):
        return
    if head is not None and known.revision is not None and clean_state.knows_revision(options.history, known.revision):
        return
    told = ", ".join(s["id"] for s in later[:5])
    if all(s["additive"] for s in later):
        log.warning("[MIGRATION] the database was repaired by a later list; what it has beyond this one only adds (%s)", told)
        return
    raise errors.DatabaseIsNewer(
        f"the database was repaired by a list with {len(later)} more step(s), and not all of them only add: {told}",
        hint="Start the newer release. If the steps were removed from the list on purpose: boot(accept_newer=True), --accept-newer.",
    )


def scope(analysis: Analysis, critical_tables: Iterable[str], metadata: MetaData | None) -> frozenset[str]:
    """Every identifier that a start has to look at: of the list, the models, the inspection."""
    return _scope(analysis.names(), critical_tables, metadata)


def _scope(names: frozenset[str], critical_tables: Iterable[str], metadata: MetaData | None) -> frozenset[str]:
    models: frozenset[str] = frozenset()
    if metadata is not None:
        from omega_bridge.planning.needs import type_names

        models = frozenset(metadata.tables[t].name for t in metadata.tables) | type_names(metadata)
    return names | frozenset(t.rpartition(".")[2] for t in critical_tables) | models


def _complete(registry: Registry, metadata: MetaData | None) -> Registry:
    """The list, with a step ahead of it for each table that only the models know."""
    if metadata is None:
        return registry
    from omega_bridge.revisions.models import with_models

    return with_models(registry, metadata)
