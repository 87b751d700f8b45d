"""``omega-bridge ledger log`` and ``ledger verify``: the record, and whether anyone touched it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.app import Uncut
from omega_bridge.cli.setup import Setup, name_owners, prepare

if TYPE_CHECKING:
    from types import ModuleType

    from omega_bridge.ledger import Entry
    from omega_bridge.postgres.session import Session

app = typer.Typer(
    cls=Uncut,
    help="The record in the database of what was done to its schema.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command()
def log(
    config: options.Config = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    last: Annotated[int | None, typer.Option("--last", metavar="N", help="Only the last N entries.", show_default=False)] = None,
) -> None:
    """Print the record, oldest first."""
    entries = entries_of(prepare(config, None, database_url, env_file))[-last if last else None :]
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
def verify(
    config: options.Config = None,
    database_url: options.DatabaseUrl = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
) -> None:
    """Check the hash chain and its end; exit 1 where an entry was changed, removed or put in, or the ledger is gone."""
    from omega_bridge.ledger import UNSEEN, judge

    setup = prepare(config, None, database_url, env_file)
    with _open(setup) as session:
        entries = list(ledger_store().read(session.connection))
        end = ledger_store().end_of(session.connection)
        found = judge(entries, end, _witness(setup, session))
    if json:
        output.as_json(
            {
                "intact": found.is_intact,
                "first_broken": found.first_broken,
                "told": found.told,
                "entries": len(entries),
                "tip": {"seq": entries[-1].seq, "hash": entries[-1].hash} if entries else None,
                "unseen": UNSEEN,
            }
        )
    elif found.is_intact:
        typer.echo(f"intact: {len(entries)} entries" + (f", the last one {entries[-1].hash}" if entries else ""))
        typer.echo(UNSEEN)
    else:
        typer.echo(f"broken: {found.told}")
    raise typer.Exit(0 if found.is_intact else 1)


def _witness(setup: Setup, session: Session) -> str:
    """What says, outside the ledger, that there must be one."""
    from omega_bridge.postgres import states
    from omega_bridge.revisions import sums

    if schemas := states.states(session.connection):
        return f"there is a state of a start in schema {', '.join(schemas)}"
    known = {line.revision for line in sums.read_sum(setup.history())}
    if ours := [v for v in ledger_store().versions(session.connection, setup.version_table) if v in known]:
        return f"{setup.version_table or 'alembic_version'} is at {', '.join(ours)}"
    return ""


def entries_of(setup: Setup) -> list[Entry]:
    """Every entry of the database's record."""
    with _open(setup) as session:
        return list(ledger_store().read(session.connection))


@contextmanager
def _open(setup: Setup) -> Iterator[Session]:
    """A session on the database; where what is read is not in trusted hands, that is said first."""
    from omega_bridge.postgres.dsn import normalise
    from omega_bridge.postgres.session import open_session

    with open_session(normalise(setup.database)) as session:
        name_owners(session.connection, setup)
        yield session


def ledger_store() -> ModuleType:
    """The store, loaded when a verb needs it."""
    from omega_bridge.postgres import ledger_store

    return ledger_store


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."
