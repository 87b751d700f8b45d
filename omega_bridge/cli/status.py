"""``omega-bridge status``: registry, export, database and ``alembic_version`` side by side, and each step by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import Setup, name_owners_in, prepare

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from omega_bridge.adoption import Survey
    from omega_bridge.audit.drift import Drift
    from omega_bridge.startup.lacks import Lack
    from omega_bridge.startup.preview import Look

SHOWN = 20
"""Steps that do not hold, one a line."""
MOST = 86_400
"""Seconds between two looks: a day."""
_HOLDS = {True: "yes", False: "no", None: "not known"}


def status(
    config: options.Config = None,
    steps: options.Steps = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    directory: options.Output = None,
    every: Annotated[bool, typer.Option("--all", help="Every step, also those that hold.", show_default=False)] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again; Ctrl-C ends it with exit 130.", show_default=False)
    ] = False,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", help="With --watch: how long between two looks.")
    ] = 2.0,
) -> None:
    """Show where the list, the history and the database stand; exit 1 where one lags behind."""
    if not 0 < interval <= MOST:
        raise typer.BadParameter(f"{interval:g} is not a number of seconds above 0, up to {MOST}", param_hint="--interval")
    setup = prepare(config, steps, database_url, env_file)
    name_owners_in(setup)
    if watch:
        from omega_bridge.cli.watching import watch as look_again

        try:
            look_again(lambda: _found(setup, directory), lambda found: _lines(found, every=every), interval, json=json)
        except KeyboardInterrupt as exc:
            from omega_bridge.cli.interruption import exit_code

            raise typer.Exit(exit_code(exc)) from None  # how it ends
    found = _found(setup, directory)
    if json:
        output.as_json(found)
    else:
        for line in _lines(found, every=every):
            typer.echo(line)
    raise typer.Exit(0 if _is_well(found) else 1)


def _is_well(found: dict[str, Any]) -> bool:
    """Whether nothing lags behind, as far as it was looked at."""
    return (
        found["exported"]["is_fresh"]
        and found["database"]["pending"] == 0
        and not found["database"]["standing"]
        and not found["database"]["differences"]
        and not found["models"]["lacks"]
        and found["revision"]["is_head"]
    )


def _lines(found: dict[str, Any], *, every: bool) -> Iterator[str]:
    """For a person: a line a part, what does not hold, and what was not looked at; with ``every`` each step."""
    for name in ("registry", "exported", "database", "models", "revision"):
        yield f"{name:9} {found[name]['told']}"
    steps = found["steps"]
    counted = {holds: [s for s in steps if s["holds"] is holds] for holds in (True, False, None)}
    told = [f"{len(counted[True])} hold", f"{len(counted[False])} do not", f"{len(counted[None])} not known"]
    yield f"steps     {', '.join(t for t, some in zip(told, (True, counted[False], counted[None]), strict=True) if some)}"
    if every:
        yield from output.rows([_row(s) for s in steps], ("step", "holds", "since (UTC)", "by", "revision", "why"))
    else:
        yield from (f"  does not hold: {s['id']}: {s['why']}" for s in counted[False][:SHOWN])
        if len(counted[False]) > SHOWN:
            yield f"  and {len(counted[False]) - SHOWN} more; all of them: --all"
        yield from _not_known(counted[None])
    yield from (f"not looked at: {what}" for what in found["not_looked_at"])


def _row(step: dict[str, Any]) -> tuple[str, ...]:
    since = (step["since"] or "-")[:19].replace("T", " ")
    return (step["id"], _HOLDS[step["holds"]], since, step["by"] or "-", step["revision"] or "-", step["why"].splitlines()[0])


def _not_known(steps: Sequence[dict[str, Any]]) -> Iterator[str]:
    """By the reason, the steps in one line."""
    by_reason: dict[str, list[str]] = {}
    for step in steps:
        by_reason.setdefault(step["why"], []).append(step["id"])
    for why, ids in by_reason.items():
        more = f", and {len(ids) - 5} more" if len(ids) > 5 else ""
        yield f"  not known, {why}: {', '.join(ids[:5])}{more}"


def _found(setup: Setup, directory: Any) -> dict[str, Any]:
    from omega_bridge.audit.drift import drift
    from omega_bridge.audit.standings import standings
    from omega_bridge.expectation_file import kept
    from omega_bridge.revisions import sums
    from omega_bridge.revisions.files import export
    from omega_bridge.revisions.standing import standing_of
    from omega_bridge.startup.preview import lacking, look, surveyed

    analysis = setup.analysis
    folder = setup.history(directory)
    missing = export(analysis, folder, write=False, foundation=setup.foundation)
    head = sums.head(folder)
    expected = kept(folder, setup.listed)
    seen = look(setup.database, analysis, setup.promise)
    drifted = drift(setup.database, analysis, setup.promised, expected) if expected else None
    held = surveyed(setup.database, analysis, folder, expected)
    lacks = lacking(setup.database, setup.metadata)
    kinds = [str(s.kind) for s in analysis]
    standing = standing_of(folder, table=setup.version_table)
    top = standing.graph.head or head
    is_there = seen.versions == ((top,) if top else ())
    move = standing.move(seen.versions, head)
    behind = len(missing.revisions)
    lines = sums.revisions(sums.read_sum(folder))
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
            "differences": len(drifted.differences) if drifted else None,
            "told": _lacking(seen, drifted),
        },
        "models": {
            "lacks": [lack.as_dict() for lack in lacks],
            "told": _of_models(lacks, setup.metadata, is_pending=bool(seen.pending)),
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
            + ("" if is_there else f" (head is {top}; {move.warning or _told(held, seen.versions, head, setup.config.alembic)})"),
        },
        "steps": [s.as_dict() for s in standings(seen.steps, seen.standing, drifted, expected, lines, _entries(setup))],
        "not_looked_at": list(drifted.unseen) if drifted else [NOT_COMPARED],
    }


NOT_COMPARED = (
    "attributes, for want of an omega.catalog.json of this list; export writes it, and omega-bridge drift compares without one"
)


def _entries(setup: Setup) -> list[Any]:
    from omega_bridge.postgres import ledger_store
    from omega_bridge.postgres.dsn import normalise
    from omega_bridge.postgres.session import open_session

    with open_session(normalise(setup.database)) as session:
        return list(ledger_store.read(session.connection))


def _of_models(found: tuple[Lack, ...], metadata: MetaData | None, *, is_pending: bool) -> str:
    """What the models need and the database does not have. ``is_pending``: a start has steps to send, which may make it."""
    if metadata is None:
        return "none are configured"
    if not found:
        return "the database has every table, column and label that they name"
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
    then = "the pending steps may make it; whether they do: omega-bridge check" if is_pending else "run: omega-bridge add"
    return f"{'; '.join(map(str, found[:5]))}{more}; {then}"


def _lacking(seen: Look, drifted: Drift | None) -> str:
    """What the database does not hold of the list, as far as it was looked at."""
    ids = [s.analysis.id for s in seen.pending]
    more = f", and {len(ids) - 5} more" if len(ids) > 5 else ""
    told = [f"{len(ids)} step(s) pending: {', '.join(ids[:5])}{more}"] if ids else []
    told += [f"step {s['id']} stands {s['outcome']}: {s['reason']}" for s in seen.standing[:5]]
    if drifted and drifted.differences:
        told.append(f"{len(drifted.differences)} difference(s) from what the list leads to; see: omega-bridge drift")
    if told:
        return "; ".join(told)
    if drifted is None:
        return "nothing is missing by name; not compared attribute by attribute"
    return "holds everything that was looked at" if drifted.unseen else "holds everything"


def _told(held: Survey, versions: tuple[str, ...], head: str | None, folder: str) -> str:
    """How far the history in ``folder`` holds, whatever ``alembic_version`` says."""
    if head is not None and versions == (head,):
        return "what follows was written by hand; run: alembic upgrade head"
    if not held.gaps:
        return f'every revision holds; the next start with history="{folder}" stamps it, or: omega-bridge adopt'
    first = held.gaps[0]
    return f"holds up to {held.prefix or 'none'}, then {len(held.gaps)} gap(s), the first: {first.step}: {first.reason}"
