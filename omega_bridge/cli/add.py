"""``omega-bridge add``: steps for what the models have and the list lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import Setup, prepare

if TYPE_CHECKING:
    from pathlib import Path

    from omega_bridge.audit.held import Setting
    from omega_bridge.catalog import Catalog
    from omega_bridge.planning.renames import Rename


def add(
    config: options.Config = None,
    steps: options.Steps = None,
    json: options.Json = False,
    database_url: options.Database = None,
    env_file: options.EnvFile = None,
    directory: options.Output = None,
    scratch_url: options.ScratchUrl = None,
    scratch_template: options.ScratchTemplate = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="Steps for whole tables, too, that a boot makes from the models.")
    ] = False,
    fill: Annotated[
        list[str] | None,
        typer.Option(
            "--fill",
            metavar="TABLE.COLUMN=SQL",
            help="What rows that are there get in a mandatory column (repeatable).",
            show_default=False,
        ),
    ] = None,
    renamed: Annotated[
        list[str] | None,
        typer.Option(
            "--renamed",
            metavar="TABLE.OLD=NEW",
            help="A column that the models call otherwise now (repeatable).",
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        list[str] | None,
        typer.Option(
            "--new",
            metavar="TABLE.COLUMN",
            help="A column that is new, and no other by a new name (repeatable).",
            show_default=False,
        ),
    ] = None,
    sql: Annotated[
        str | None,
        typer.Option(
            "--sql", metavar="STATEMENTS", help="Plain DDL: its guarded, safe form is written instead.", show_default=False
        ),
    ] = None,
    check: options.Check = False,
) -> None:
    """Append to the list, where it is written, steps for what the models have and it lacks."""
    from omega_bridge.audit.gate import ON_SCRATCH, held
    from omega_bridge.audit.scratch import scratch_server
    from omega_bridge.revisions.additions import Additions, additions
    from omega_bridge.revisions.renaming import decided, without_renamed
    from omega_bridge.revisions.wrapping import wrapped
    from omega_bridge.sources.appending import append

    setup = prepare(config, steps, database_url, env_file)
    output.log_to_stderr(silent=True)
    notes: list[str] = []
    remade: list[str] = []
    if sql is not None:
        found = Additions(wrapped(sql), ())
    else:
        servers = partial(scratch_server, scratch_url, scratch_template)
        setting = _setting(setup, directory, by_list=tables)
        together, how = held(setting, servers)
        filled = dict(_filling(one) for one in fill or ())
        moved = together.with_names(decided(together.renames, renamed or (), new or (), ask=_asks(json=json)))
        unkept = without_renamed((*together.gaps, *together.twofold), moved)
        found = additions(unkept, setting.models, filled, moved, is_whole=how == ON_SCRATCH, own=together.own)
        notes = [f"{one.told}: {RELEASE_BEFORE}" for one in moved]
        remade = [*(told for one in moved for told in _remade(one, setup)), *_needing(moved, setup, together.stood)]
    is_written = bool(found.steps) and not check
    written = (
        append(setup.source, found.steps, setup.registry, root=setup.root, python_path=setup.config.python_paths)
        if is_written
        else ()
    )
    if json:
        output.as_json(
            {
                "added": [{"title": s.title, "sql": s.sql} for s in found.steps],
                "files": [str(path) for path in written],
                "notes": [*notes, *remade],
                "left": [{**one.as_dict(), "why": why} for one, why in found.left],
            }
        )
    else:
        for step in found.steps:
            typer.echo(f"-- {step.title}\n{step.sql}\n")
        for note in notes:
            typer.echo(f"note: {note}", err=True)
        for one, why in found.left:
            typer.echo(f"left: {one}: {why}", err=True)
        for told in remade:
            typer.echo(f"left: {told}", err=True)
        typer.echo(f"{'would add' if check else 'added'} {len(found.steps)} step(s)" + "".join(f" to {p}" for p in written))
    raise typer.Exit(1 if found.left or remade or (check and found.steps) else 0)


def _setting(setup: Setup, directory: Path | None, *, by_list: bool) -> Setting:
    from omega_bridge.errors import ConfigurationInvalid

    if setup.metadata is None:
        raise ConfigurationInvalid(
            "no models are configured, so there is nothing to add",
            hint='Name their MetaData in [tool.omega-bridge]: metadata = "app.models:Base.metadata"; or give the statement: --sql.',
        )
    return setup.setting(directory, by_list=by_list)


def _asks(*, json: bool) -> Callable[[str], bool] | None:
    """Who answers a question: the person at the terminal, where there is one."""
    import sys

    is_terminal = sys.stdin.isatty() and sys.stderr.isatty() and not json
    return (lambda question: typer.confirm(question, err=True)) if is_terminal else None


RELEASE_BEFORE = "the release before does not know the new name: start no old replica once a new one has"


def _remade(rename: Rename, setup: Setup) -> Iterator[str]:
    """What is left to do: a step that adds the old column would do so at the start behind the renaming, without the rows' values."""
    from omega_bridge.revisions.renaming import added_by

    for step in added_by(setup.registry, rename.old):
        yield f"step {step} would make {rename.old.table}.{rename.old.name} again at the next start: take it out of the list before"


def _needing(moved: Sequence[Rename], setup: Setup, stood: Catalog | None) -> Iterator[str]:
    """What is left to do, too: a step that needs the old column is rejected at the start behind the renaming, and ends it."""
    from omega_bridge.revisions.renaming import needing

    if not moved or stood is None:
        return
    ground = setup.foundation.catalog if setup.foundation is not None else None
    for step, one in needing(moved, stood, setup.analysis, ground).items():
        yield f"step {step} needs {one.old.table}.{one.old.name}, which is {one.new.name} then: take it out of the list, or write the new name"


def _filling(given: str) -> tuple[str, str]:
    from omega_bridge.errors import ConfigurationInvalid

    name, equals, value = given.partition("=")
    if not equals or "." not in name or not value.strip():
        raise ConfigurationInvalid(
            f"--fill {given}", hint="Write --fill TABLE.COLUMN=SQL, such as --fill \"tenants.plan='free'\"."
        )
    return name.strip(), value.strip()
