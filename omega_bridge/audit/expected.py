"""What a list leads to: made on a scratch database, or read from the file that an export left beside the history."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from omega_bridge.analysis import Analysis, owners
from omega_bridge.analysis.reaching import ELSEWHERE, may_reach_elsewhere
from omega_bridge.analysis.server import DATABASE, said_of_server
from omega_bridge.audit.by_hand import by_hand_in
from omega_bridge.audit.scratch import Scratch, ScratchDatabase, scratch_database
from omega_bridge.catalog import Catalog, Key
from omega_bridge.expectation import Expectation
from omega_bridge.kinds.privileges import RUNNER
from omega_bridge.ledger import Outcome
from omega_bridge.outcomes import StepOutcome
from omega_bridge.planning.foundation import LABEL, Foundation
from omega_bridge.planning.world import World
from omega_bridge.postgres import of_server
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.printing import alike
from omega_bridge.postgres.runner import runs_as
from omega_bridge.postgres.session import Session
from omega_bridge.revisions.sums import read_sum
from omega_bridge.steps import Registry

WENT_WRONG = frozenset({Outcome.FAILED, Outcome.NO_EFFECT, Outcome.REFUSED})


def make(
    analysis: Analysis, listed: str, scratch: Scratch, foundation: Foundation | None = None, history: Path | None = None
) -> Expectation:
    """Run the list, with what only the models know ahead of it, on an empty database or the foundation; read all that is there then.

    ``listed``: the digest of the list, the models and the foundation. ``history``: the folder in which revisions that were written by
    hand may be; they run there, too.
    """
    elsewhere = {step.id: ELSEWHERE for step in analysis if may_reach_elsewhere(step.step.sql)}
    steps = Registry(
        tuple(replace(s.step, destructive=True) for s in analysis if s.id not in elsewhere)
    )  # the rows are the list's own
    with scratch_database(scratch, "expected") as database:
        database.lay(foundation)
        before = _there(database) if foundation is not None else frozenset()
        written = by_hand_in(history, read_sum(history)) if history is not None else None
        runs = written.boot(database, steps) if written is not None else (database.boot(steps),)
        with database.session() as session, alike(session.connection):
            catalog = with_server(read_catalog(session.connection), session, analysis)
            role = runs_as(session.connection)
    rejected = elsewhere | {s.id: str(s.error or s.reason) for s in runs[-1].steps if s.outcome in WENT_WRONG}
    world = World(catalog)
    promised = frozenset(
        world.place(effect.key)
        for step in analysis
        if step.id in rejected
        for statement in step.reading.statements
        for effect in (*statement.effects, *statement.implied)
        if effect.present
    )
    by = {**makers(catalog, analysis, [s for run in runs for s in run.steps]), **{key: LABEL for key in before if key in catalog}}
    return Expectation(catalog, role, listed, by, rejected, promised, owned(catalog, analysis, role))


def with_server(catalog: Catalog, session: Session, analysis: Analysis) -> Catalog:
    """With what the list says of the server; nothing of the database where no step gave it anything."""
    there = of_server.read(session.connection, said_of_server(analysis))
    told = {
        key: attributes for key, attributes in there.items() if key != DATABASE or any(v is not None for v in attributes.values())
    }
    return replace(catalog, objects={**catalog.objects, **told}) if told else catalog


def owned(catalog: Catalog, analysis: Analysis, role: str) -> dict[Key, str]:
    """Whom the list gives what is there to, as far as that came true."""
    world, found = World(catalog), {}
    for given in owners.given(analysis):
        key = world.find(given.key)
        if key is not None:
            found[key] = given.role or RUNNER
    return {key: to for key, to in found.items() if catalog.objects[key].get("owner") == (role if to == RUNNER else to)}


def _there(database: ScratchDatabase) -> frozenset[Key]:
    with database.session() as session:
        return frozenset(read_catalog(session.connection))


def makers(catalog: Catalog, analysis: Analysis, outcomes: Iterable[StepOutcome]) -> dict[Key, str]:
    """The step that each object comes from: by what was read of it, by what was seen to change, or by being the only one to name it."""
    world = World(catalog)
    found: dict[Key, str] = {}
    for step in analysis:
        for statement in step.reading.statements:
            for effect in (*statement.effects, *statement.implied):
                if effect.present and (key := world.find(effect.key)) is not None:
                    found.setdefault(key, step.id)
    for outcome in outcomes:
        for difference in outcome.differences:
            if difference.key in catalog:
                found.setdefault(difference.key, outcome.id)
    words = {step.id: frozenset(re.findall(r"\w+", step.step.sql.lower())) for step in analysis}
    for key in catalog:
        if key not in found and len(naming := [name for name, said in words.items() if _words(key) <= said]) == 1:
            found[key] = naming[0]
    return found


def _words(key: Key) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", f"{key.table} {key.name.partition('(')[0]}".lower())) - {
        "of",
        "on",
        "using",
        "at",
        "as",
        "for",
    }
