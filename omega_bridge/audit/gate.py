"""The gate for CI: no error among the findings, a history that holds the list, and steps that lead to what the models say.

No database is needed. Where only a server can tell what a step does, a scratch database tells, if there is a server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omega_bridge.analysis import Analysis
from omega_bridge.analysis.findings import Finding
from omega_bridge.audit.scratch import scratch_database
from omega_bridge.errors import AmbiguousMatch, FoundationEdited, HistoryTampered, NoServerFound
from omega_bridge.lint import is_failing, lint
from omega_bridge.planning.foundation import Foundation
from omega_bridge.planning.gaps import Unkept, unkept_by_models
from omega_bridge.planning.settling import empty_catalog, settle_in
from omega_bridge.planning.world import World
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import exported, files
from omega_bridge.steps import Registry

Servers = Callable[[], AbstractContextManager[Any]]
"""Gives a server with ``scratch_database``; raises ``NoServerFound`` where there is none."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: whether it says yes, a line about it, and what it found as JSON. ``findings``: those of lint."""

    name: str
    ok: bool
    told: str
    details: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The public JSON keys."""
        return {"name": self.name, "ok": self.ok, "told": self.told, **self.details}


def check_findings(analysis: Analysis, models: int, ignore: Collection[str], *, strict: bool) -> Check:
    """The rules of ``lint``."""
    found = lint(analysis, models=models, ignore=ignore)
    failing = [f for f in found if is_failing([f], strict=strict)]
    told = f"{len(found)} finding(s)" if found else "no findings"
    if failing:
        told = _told([f"{f.place}: {f.severity} {f.rule}: {f.step}: {f.message}" for f in failing])
    return Check("lint", not failing, told, {"findings": [f.as_dict() for f in found]}, found)


def check_export(analysis: Analysis, folder: Path, listed: str, foundation: Foundation | None = None) -> Check:
    """``export --check``: the history is what was exported, and holds the list as it is."""
    try:
        done = exported.unchanged(folder, listed) or files.export(
            analysis, folder, write=False, listed=listed, foundation=foundation
        )
    except (HistoryTampered, AmbiguousMatch, FoundationEdited) as error:
        return Check("export", False, f"{error.message}; {error.hint}")
    behind = len(done.revisions)
    told = (
        f"{behind} revision(s) behind the list; run: omega-bridge export"
        if behind
        else f"the history holds the list: {done.head}"
    )
    return Check("export", not behind, told, {"missing": [list(r.labels) for r in done.revisions], "head": done.head})


def check_models(
    registry: Registry,
    analysis: Analysis,
    metadata: Any,
    promised: Analysis,
    servers: Servers,
    foundation: Foundation | None = None,
) -> Check:
    """The steps, and what only the models create, lead an empty database, or the foundation, to the models' tables and columns."""
    if metadata is None:
        return Check("models", True, "no models are configured", {"differences": []})
    try:
        found, how = unkept_models(registry, analysis, metadata, promised, servers, foundation)
    except NoServerFound as none:
        opaque = _opaque(analysis)
        told = f"undecided: only a server can tell what {', '.join(opaque[:3])} do(es). {none.hint}"
        return Check("models", True, told, {"differences": [], "undecided": opaque})
    told = _told([f"{u.what} {u}" for u in found]) if found else f"the steps lead to the models ({how})"
    return Check("models", not found, told, {"differences": [u.as_dict() for u in found]})


def unkept_models(
    registry: Registry,
    analysis: Analysis,
    metadata: Any,
    promised: Analysis,
    servers: Servers,
    foundation: Foundation | None = None,
) -> tuple[tuple[Unkept, ...], str]:
    """What the models promise (``promised``) and an empty database lacks after the steps; and how that was found.

    ``metadata``: models whose own tables a boot makes. Raises ``NoServerFound`` where only a server can tell.
    """
    world = World(foundation.catalog if foundation is not None else empty_catalog())
    settle_in(world, analysis)
    found = unkept_by_models(world, promised)
    if found and _opaque(analysis):
        return _on_scratch(registry, metadata, promised, servers, foundation), "on a scratch database"
    return found, "in thought"


def _opaque(analysis: Analysis) -> list[str]:
    return [s.id for s in analysis if any(q.opaque for q in s.reading.statements)]


def _on_scratch(
    registry: Registry, metadata: Any, promised: Analysis, servers: Servers, foundation: Foundation | None
) -> tuple[Unkept, ...]:
    with servers() as server, scratch_database(server, "check") as database:
        database.lay(foundation)
        database.boot(registry, metadata)
        with database.session() as session:
            return unkept_by_models(World(read_catalog(session.connection)), promised)


def _told(several: Collection[str]) -> str:
    """The first few, and how many more."""
    more = [f"and {len(several) - 5} more"] if len(several) > 5 else []
    return "; ".join([*list(several)[:5], *more])
