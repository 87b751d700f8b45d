"""``omega-bridge status``: registry, export, database and ``alembic_version`` side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import Setup, name_owners_in, prepare

if TYPE_CHECKING:
    from omega_bridge.adoption import Survey
    from omega_bridge.startup.lacks import Lack
    from omega_bridge.startup.preview import Look


def status(
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    directory: options.Output = None,
) -> None:
    """Show where the list, the history and the database stand; exit 1 where one lags behind."""
    setup = prepare(config, steps, database_url, env_file)
    found = _found(setup, directory)
    name_owners_in(setup)
    if json:
        output.as_json(found)
    else:
        for name in ("registry", "exported", "database", "models", "revision"):
            typer.echo(f"{name:9} {found[name]['told']}")
    raise typer.Exit(
        0
        if found["exported"]["is_fresh"]
        and found["database"]["pending"] == 0
        and not found["database"]["differences"]
        and not found["models"]["lacks"]
        and found["revision"]["is_head"]
        else 1
    )


def _found(setup: Setup, directory: Any) -> dict[str, Any]:
    from omega_bridge.expectation import kept
    from omega_bridge.revisions import sums
    from omega_bridge.revisions.files import export
    from omega_bridge.revisions.standing import standing_of
    from omega_bridge.startup.preview import lacking, look, surveyed

    analysis = setup.analysis
    folder = setup.history(directory)
    missing = export(analysis, folder, write=False, foundation=setup.foundation)
    head = sums.head(folder)
    expected = kept(folder, setup.listed)
    seen = look(setup.database, analysis, setup.promise, expected)
    held = surveyed(setup.database, analysis, folder, expected)
    lacks = lacking(setup.database, setup.metadata)
    kinds = [str(s.kind) for s in analysis]
    standing = standing_of(folder)
    top = standing.graph.head or head
    is_there = seen.versions == ((top,) if top else ())
    move = standing.move(seen.versions, head)
    behind = len(missing.revisions)
    return {
        "registry": {
            "steps": len(analysis),
            "kinds": {k: kinds.count(k) for k in ("schema", "data", "mixed")},
            "digest": setup.registry.digest(),
            "told": f"{len(analysis)} steps ({setup.registry.source or 'list'})",
        },
        "exported": {
            "head": head,
            "missing": behind,
            "is_fresh": behind == 0,
            "told": f"head {head}" if behind == 0 else f"{behind} revision(s) behind the list; run: omega-bridge export",
        },
        "database": {
            "pending": len(seen.pending),
            "steps": [s.analysis.id for s in seen.pending],
            "last_boot": seen.last_boot,
            "standing": list(seen.standing),
            "differences": seen.differences,
            "told": _lacking(seen) or "holds everything",
        },
        "models": {
            "lacks": [lack.as_dict() for lack in lacks],
            "told": _of_models(lacks, setup.metadata),
        },
        "revision": {
            "current": list(seen.versions),
            "head": top,
            "unmoved": move.told or None,
            "prefix": held.prefix,
            "beyond": list(held.beyond),
            "gaps": [g.as_dict() for g in held.gaps],
            "is_head": is_there,
            "told": f"{', '.join(seen.versions) or 'none'}"
            + ("" if is_there else f" (head is {top}; {move.warning or _told(held, seen.versions, head)})"),
        },
    }


def _of_models(found: tuple[Lack, ...], metadata: Any) -> str:
    """What the models need and the database does not have."""
    if metadata is None:
        return "none are configured"
    if not found:
        return "the database has every table, column and label that they name"
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    return f"{'; '.join(map(str, found[:5]))}{more}; run: omega-bridge add"


def _lacking(seen: Look) -> str:
    """What the database does not hold of the list."""
    told = [f"{len(seen.pending)} step(s) pending: {', '.join(s.analysis.id for s in seen.pending[:5])}"] if seen.pending else []
    told += [f"step {s['id']} stands {s['outcome']}: {s['reason']}" for s in seen.standing[:5]]
    if seen.differences:
        told.append(f"{seen.differences} difference(s) from what the list leads to; see: omega-bridge drift")
    if seen.differences is None and not told:
        told.append("holds every step; not compared attribute by attribute, for want of an omega.catalog.json of this list")
    return "; ".join(told)


def _told(held: Survey, versions: tuple[str, ...], head: str | None) -> str:
    """How far the history holds, whatever ``alembic_version`` says."""
    if head is not None and versions == (head,):
        return "what follows was written by hand; run: alembic upgrade head"
    if not held.gaps:
        return "every revision holds; stamp it: omega-bridge adopt"
    first = held.gaps[0]
    return f"holds up to {held.prefix or 'none'}, then {len(held.gaps)} gap(s), the first: {first.step}: {first.reason}"
