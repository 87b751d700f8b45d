"""Whether a list that was rewritten leads to the catalog that it led to before: on scratch databases, empty and complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from omega_bridge.audit.expected import WENT_WRONG
from omega_bridge.audit.scratch import Scratch, ScratchDatabase, scratch_database
from omega_bridge.catalog import Catalog
from omega_bridge.fixing import Rewriting, without
from omega_bridge.planning.foundation import Foundation
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.steps import Registry, Step


def disproven(
    rewriting: Rewriting, models: Sequence[Step], scratch: Scratch, foundation: Foundation | None = None
) -> frozenset[int]:
    """The places of rewrites with which the list leads elsewhere, or stops where it did not; none where all of them keep it.

    ``models``: steps ahead of the list. Where all together differ, each is tried alone beside those that were kept.
    """
    before = Registry(
        tuple(
            rewriting.rewrites[n].before if n is not None else step
            for step, n in zip(rewriting.registry.steps, _places(rewriting), strict=True)
        )
    )
    expected = _led_to(before, models, scratch, foundation)
    if _led_to(rewriting.registry, models, scratch, foundation) == expected:
        return frozenset()
    every = {r.index for r in rewriting.rewrites}
    refused = set(every)
    for index in sorted(every):
        tried = refused - {index}
        if _led_to(without(rewriting, tried), models, scratch, foundation) == expected:
            refused = tried
    return frozenset(refused)


def _places(rewriting: Rewriting) -> list[int | None]:
    by_index = {r.index: n for n, r in enumerate(rewriting.rewrites)}
    return [by_index.get(n) for n in range(len(rewriting.registry.steps))]


def _led_to(registry: Registry, models: Sequence[Step], scratch: Scratch, foundation: Foundation | None) -> tuple[object, ...]:
    """The catalog after a start of an empty database and after one more, and how each step came out."""
    steps = Registry(tuple(replace(step, destructive=True) for step in (*models, *registry.steps)))  # the rows are the list's own
    with scratch_database(scratch, "fixed") as database:
        database.lay(foundation)
        first = database.boot(steps)
        once = _catalog(database)
        database.boot(steps)
        twice = _catalog(database)
    failed = tuple(str(step.outcome) if step.outcome in WENT_WRONG else "" for step in first.steps)
    return once.objects, twice.objects, failed


def _catalog(database: ScratchDatabase) -> Catalog:
    with database.session() as session:
        return read_catalog(session.connection)
