"""``omega-bridge ledger log`` and ``ledger verify``: the record, and whether anyone touched it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import prepare

app = typer.Typer(
    help="The record in the database of what was done to its schema.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command()
def log(
    config: options.Config = None,
    database_url: options.DatabaseUrl = None,
    json: options.Json = False,
    last: Annotated[int | None, typer.Option("--last", metavar="N", help="Only the last N entries.", show_default=False)] = None,
) -> None:
    """Print the record, oldest first."""
    entries = _entries(config, database_url)[-last if last else None :]
    if json:
        output.as_json({"entries": [e.as_dict() for e in entries]})
        return
    rows = [
        (
            e.seq,
            f"{e.at:%Y-%m-%d %H:%M:%S}",
            e.draft.driver,
            e.draft.event,
            e.draft.outcome,
            e.draft.subject or "-",
            _short(e.told),
        )
        for e in entries
    ]
    output.table(rows, ("seq", "at (UTC)", "driver", "event", "outcome", "subject", "what"))


@app.command()
def verify(config: options.Config = None, database_url: options.DatabaseUrl = None, json: options.Json = False) -> None:
    """Check the hash chain; exit 1 where an entry was changed, removed or put in."""
    from omega_bridge.ledger import first_broken

    entries = _entries(config, database_url)
    broken = first_broken(entries)
    if json:
        output.as_json({"intact": broken is None, "first_broken": broken, "entries": len(entries)})
    elif broken is None:
        typer.echo(f"intact: {len(entries)} entries")
    else:
        typer.echo(f"broken: entry {broken} does not follow from the one before")
    raise typer.Exit(0 if broken is None else 1)


def _entries(config: Any, url: str | None) -> list[Any]:
    from omega_bridge.postgres import ledger_store
    from omega_bridge.postgres.dsn import normalise
    from omega_bridge.postgres.session import open_session

    with open_session(normalise(prepare(config, None, url).database)) as session:
        return list(ledger_store.read(session.connection))


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."
