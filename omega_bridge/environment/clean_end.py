"""What an upgrade to the exported head leaves: what a clean boot would have left, so that the next one has nothing to do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from omega_bridge.ledger import Event
from omega_bridge.postgres import clean_state, ledger_store, states
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.failed_revisions import failing
from omega_bridge.postgres.fast_path import probe_function
from omega_bridge.revisions import sums
from omega_bridge.revisions.graph import graph_of
from omega_bridge.startup.lacks import lacks
from omega_bridge.startup.situation import scope
from omega_bridge.startup.start import promise_digest

if TYPE_CHECKING:
    from omega_bridge.environment.recorder import Recorder


log = logging.getLogger("omega_bridge")


def leave_clean(recorder: Recorder, heads: tuple[str, ...]) -> None:
    """After an upgrade to the exported head: leave what a clean boot would have left."""
    head = sums.head(recorder.folder)
    if recorder.last not in (Event.UPGRADE, Event.STAMP) or head is None or not _is_at(recorder, head, heads):
        return
    if stands := failing(recorder.raw):
        log.warning("revision(s) %s: something of them was rejected; a start tries it again", ", ".join(stands))
        probe_function.forget(recorder.raw)
        return
    registry, metadata = recorder.given or recorder.listed()
    if registry is None:
        return
    from omega_bridge.analysis import analyse
    from omega_bridge.revisions.files import export
    from omega_bridge.revisions.ground import stands_on
    from omega_bridge.revisions.models import with_models

    analysis = analyse(with_models(registry, metadata) if metadata is not None else registry)
    ground = stands_on(recorder.folder, sums.read_sum(recorder.folder)) if metadata is not None else None
    own = analysis if ground is None or metadata is None else analyse(with_models(registry, metadata, ground))
    if export(own, recorder.folder, write=False).revisions:
        return
    raw = recorder.raw
    raw.execute("RESET search_path; DISCARD TEMP")
    names = scope(analysis, recorder.config.critical_tables, metadata)
    promised = clean_state.Promised(analysis, names).with_effects(raw, states.recall(raw), recorder.folder)
    asked = probe_function.ask(raw, promised.watched)
    catalog = read_catalog(raw, names)
    if metadata is not None and (lacking := lacks(catalog, metadata)):
        for lack in lacking:
            log.warning("the models need what is not there: %s", lack)
        probe_function.forget(raw)
        return
    outcomes = clean_state.without_effect(analysis, catalog)
    if outcomes is None or (outcomes and recorder.last is Event.STAMP):
        return
    digest = promise_digest(registry.digest(), metadata, head, recorder.table)
    ledger_store.tip(raw, lock=True)  # whatever this upgrade has appended: nobody else records meanwhile
    clean_state.remember(raw, promised, outcomes, catalog, asked, digest, heads[0], table=recorder.table)


def _is_at(recorder: Recorder, head: str, heads: tuple[str, ...]) -> bool:
    """Whether the one revision at which the database stands is the exported head, or was written by hand on top of it."""
    if heads == (head,) or len(heads) != 1:
        return heads == (head,)
    graph = graph_of(recorder.folder, sums.read_sum(recorder.folder))
    return heads[0] in graph.nodes and head in graph.up_to(heads)
