"""``omega-bridge export``: the list compiled to Alembic revisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import Setup, prepare

if TYPE_CHECKING:
    from omega_bridge.audit.gate import Servers
    from omega_bridge.planning.edited import Split
    from omega_bridge.revisions.exported import Export
    from omega_bridge.revisions.files import PastList
    from omega_bridge.revisions.squash import Squashed


def export(
    config: options.Config = None,
    steps: options.Steps = None,
    env_file: options.EnvFile = None,
    json: options.Json = False,
    directory: options.Output = None,
    scratch_url: options.ScratchUrl = None,
    scratch_template: options.ScratchTemplate = None,
    check: options.Check = False,
    prove: Annotated[bool, typer.Option("--prove/--no-prove", help="Try each translation on scratch databases.")] = True,
    rebase: Annotated[
        bool, typer.Option("--rebase", help="After a merge: keep one branch's revisions, append the other's steps anew.")
    ] = False,
    squash: Annotated[
        str | None,
        typer.Option(
            "--squash",
            metavar="REV",
            help="First make one file of the history up to a git tag or commit, or up to a revision.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="[STEP]",
            help="At the first export: one revision for what stands today, up to this step (default: the whole list).",
        ),
    ] = None,
    from_git: Annotated[
        str | None,
        typer.Option("--from-git", metavar="[REV..REV]", help="Take in the list's past from git: a revision for each change."),
    ] = None,
    follow: Annotated[
        list[str] | None, typer.Option("--follow", metavar="PATH:VARIABLE", help="Where the list stood before (repeatable).")
    ] = None,
    emails: Annotated[bool, typer.Option("--author-emails", help="Record the authors' addresses, too.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show which step was matched with which revision, and by what.")
    ] = False,
) -> None:
    """Append to the Alembic history what the list has and it lacks."""
    from omega_bridge.audit.scratch import scratch_server
    from omega_bridge.planning import edited
    from omega_bridge.planning.unfounded import told as unfounded
    from omega_bridge.revisions.exported import unchanged

    setup = prepare(config, steps, env_file=env_file)
    output.log_to_stderr(silent=True)
    folder = setup.history(directory)
    if rebase:
        _rebase(folder)
    squashed = _squash(folder, squash, check=check) if squash is not None else None
    if baseline is not None:
        _refuse_baseline(setup, folder, baseline, check=check)
    if explain:
        _explain(setup, folder, json)
        raise typer.Exit(0)
    servers = partial(scratch_server, scratch_url, scratch_template)
    judges = partial(_prover, servers) if prove and not check else None
    listed = setup.listed
    if not check and setup.metadata is not None:
        from omega_bridge.audit.gate import refuse_to_hide

        refuse_to_hide(setup.setting(directory), servers)
    if from_git is None:
        done = unchanged(folder, listed) or _export(setup, folder, write=not check, prover=judges, listed=listed)
    else:
        lists = _past(setup, folder, from_git, follow or [], emails)
        done = _export_past(setup, lists, folder, write=not check, prover=judges, listed=listed)
    noted = _version_table(setup, folder, check=check)
    is_stale, written = _schema(setup, folder, listed, servers, check=check) if prove or check else (False, [])
    written = [*noted, *written] if not done.revisions else written
    if baseline is not None:
        squashed = _as_baseline(folder, done, baseline)
    lacking = setup.unfounded if done.revisions else ()
    split = _splits(setup, folder, servers if prove and not check else None) if done.revisions else ()
    if json:
        told = done.as_dict() | {"stands_on": list(lacking), "splits": [s.as_dict() for s in split]}
        told["written"] = [
            path for path in map(str, done.written) if check or Path(path).exists()
        ] + written  # a baseline has moved some
        output.as_json(told | ({"squashed": squashed.as_dict()} if squashed else {}))
    else:
        output.aside(unfounded(lacking))
        output.aside(edited.told(split))
        _tell(done, "would write" if check else "wrote")
        for path in () if check else written:
            typer.echo(f"wrote {path}")
        if is_stale:
            typer.echo(f"{folder / 'omega.catalog.json'} is of another list")
        if noted and check:
            typer.echo(f"{noted[0]} has another version-table than the configuration")
    raise typer.Exit(1 if check and (done.revisions or is_stale or noted) else 0)


def _version_table(setup: Setup, folder: Path, *, check: bool) -> list[str]:
    """Note in the sum file where the history's revision is kept; its path where that was, or is to be, written anew."""
    from omega_bridge.revisions.sums import is_noted, note_version_table

    if is_noted(folder, setup.config.version_table):
        return []
    if not check:
        note_version_table(folder, setup.config.version_table)
    return [str(folder / "omega.sum")]


def _schema(setup: Setup, folder: Path, listed: str, servers: Servers, *, check: bool) -> tuple[bool, list[str]]:
    """Keep the schema that the list leads to beside the history; whether the one that is kept is of another list, and what was written."""
    from omega_bridge.audit.expected import make
    from omega_bridge.errors import NoServerFound
    from omega_bridge.expectation import FILE
    from omega_bridge.expectation_file import keep, kept
    from omega_bridge.revisions.sums import note_catalog

    there = kept(folder)
    if there is not None and there.listed == listed and not check:
        note_catalog(folder, folder / FILE)
    if (there is not None and there.listed == listed) or (there is None and check):
        return False, []
    if check:
        return True, []
    try:
        with servers() as server:
            expected = make(setup.analysis, listed, server, setup.foundation, folder)
    except NoServerFound as none:
        typer.echo(f"the schema that the list leads to is not kept, there is no server to make it on: {none.hint}", err=True)
        return False, []
    note_catalog(folder, None)  # killed between the two, the next export notes it
    path = keep(expected, folder)
    note_catalog(folder, path)
    return False, [str(path)]


def _splits(setup: Setup, folder: Path, servers: Servers | None) -> tuple[Split, ...]:
    """Where this list makes a fresh database another than one that lived through its past: tried, else in thought."""
    from omega_bridge.audit.edited import splits_on
    from omega_bridge.errors import NoServerFound, StepFailed
    from omega_bridge.planning.edited import splits
    from omega_bridge.revisions.lived_through import lived_through, only_grew
    from omega_bridge.revisions.sums import read_sum

    lines = read_sum(folder)
    if only_grew(lines, setup.analysis):
        return ()
    if servers is not None:
        try:
            with servers() as server:
                return splits_on(server, setup.analysis, folder, setup.foundation)
        except (NoServerFound, StepFailed):
            pass  # the one was told already, the other is what verify is for
    ground = setup.foundation.catalog if setup.foundation else None
    return tuple(splits(lived_through(folder, lines), setup.analysis, ground))


def _export(setup: Setup, folder: Path, **options: Any) -> Export:
    from omega_bridge.revisions.files import export

    return export(setup.analysis, folder, foundation=setup.foundation, **options)


def _export_past(setup: Setup, lists: list[PastList], folder: Path, **options: Any) -> Export:
    from omega_bridge.revisions.files import export_past

    with output.progress("compiling", len(lists)) as advance:
        return export_past(lists, folder, advance=advance, foundation=setup.foundation, **options)


@contextmanager
def _prover(servers: Servers, length: int) -> Iterator[Any]:
    """Who proves the translations; nobody where there is no server to do it on, with a word about it."""
    from omega_bridge.audit.proofs import prover
    from omega_bridge.errors import NoServerFound

    try:
        with (
            servers() as server,
            output.progress("proving", length) as advance,
            prover(server, advance) as judge,
        ):
            yield judge
    except NoServerFound as none:
        typer.echo(f"not proven, there is no server for it: {none.hint}", err=True)
        yield None


def _past(setup: Setup, folder: Path, revisions: str, follow: list[str], emails: bool) -> list[PastList]:
    """The list's versions in git; what could not be read there is said on stderr."""
    from omega_bridge.audit.past import past_lists
    from omega_bridge.errors import ConfigurationInvalid
    from omega_bridge.revisions.sums import read_sum
    from omega_bridge.sources.git import versions

    if lines := read_sum(folder):
        raise ConfigurationInvalid(
            f"{folder} holds a history of {len(lines)} revision(s) already, and history only grows",
            hint="Take in the past before the first export; to look at it elsewhere: --output DIR.",
        )
    source = setup.steps or setup.config.require_steps()
    root = Path.cwd() if setup.steps else setup.config.root
    found = versions(root, [source, *follow], revisions, emails=emails)
    for version in found:
        if version.registry is None:
            typer.echo(f"left out {version.commit.id[:12]} ({version.commit.subject}): {version.problem}", err=True)
    return list(past_lists(found, setup.registry, setup.metadata, setup.foundation))


def _rebase(folder: Path) -> None:
    from omega_bridge.errors import ConfigurationInvalid
    from omega_bridge.revisions.rebase import rebase
    from omega_bridge.revisions.sums import NAME

    if not (folder / NAME).exists():
        raise ConfigurationInvalid(f"{folder} holds no history to bring together", hint="Make one: omega-bridge export")
    found = rebase(folder)
    typer.echo(f"kept {len(found.kept)} revision(s); removed {', '.join(p.name for p in found.removed) or 'none'}", err=True)


def _squash(folder: Path, name: str, *, check: bool) -> Squashed:
    from omega_bridge.audit.release import revision_at
    from omega_bridge.errors import ConfigurationInvalid
    from omega_bridge.revisions.squash import squash

    if check:
        raise ConfigurationInvalid("--check writes nothing, and --squash writes", hint="Give one of them.")
    revision = revision_at(folder, name)
    found = squash(folder, revision, "" if revision.startswith(name) else name)
    typer.echo(f"squashed {len(found.revisions)} revision(s), up to {found.revision}, into {found.file}", err=True)
    return found


def _refuse_baseline(setup: Setup, folder: Path, step: str, *, check: bool) -> None:
    """Raises ``ConfigurationInvalid`` where one cannot be made."""
    from omega_bridge.errors import ConfigurationInvalid
    from omega_bridge.revisions.sums import read_sum, revisions

    if check:
        raise ConfigurationInvalid("--check writes nothing, and --baseline writes", hint="Give one of them.")
    if lines := revisions(read_sum(folder)):
        raise ConfigurationInvalid(
            f"{folder} holds a history of {len(lines)} revision(s) already",
            hint="Make one file of its beginning: omega-bridge export --squash REV",
        )
    if step and step not in {s.id for s in setup.analysis}:
        raise ConfigurationInvalid(
            f"--baseline {step} names no step of the list", hint="The ids are in the output of: omega-bridge plan"
        )


def _as_baseline(folder: Path, done: Export, step: str) -> Squashed | None:
    """One file of what was exported, up to a step or whole; what it is made of stays in the archive. ``None`` where it is one already."""
    from omega_bridge.revisions.squash import squash

    until = next((r.id for r in done.revisions if step in r.labels), None) if step else done.head
    if until is None or len(done.revisions) < 2 or done.revisions[0].id == until:
        return None
    found = squash(folder, until, f"step {step}, which stands today" if step else "the whole list as it stands today")
    typer.echo(f"made one file of {len(found.revisions)} revision(s), up to {found.revision}: {found.file}", err=True)
    return found


def _tell(done: Export, verb: str) -> None:
    for revision in done.revisions:
        typer.echo(f"{verb} {revision.id}  {revision.kind}  {revision.slug}")
    found = done.coverage
    share = 100 * found.statements_lifted / found.statements if found.statements else 100.0
    typer.echo(f"{len(done.revisions)} new revision(s), head {done.head}")
    typer.echo(
        f"coverage: {found.steps_lifted} of {found.steps} steps, {found.statements_lifted} of {found.statements} statements "
        f"({share:.0f} %) are Alembic operations; {found.proven} revision(s) proven, {found.unproven} unproven"
        + (f", {found.implied} proven where tables are as their steps imply" if found.implied else "")
    )
    new = {label for revision in done.revisions for label in revision.labels}
    for label, count, reason in (one for one in found.verbatim if one[0] in new):
        typer.echo(f"  verbatim: {label} ({count} statement{'s' if count != 1 else ''}): {reason}")
    if before := sum(label not in new for label, _, _ in found.verbatim):
        typer.echo(f"  verbatim in the revisions before: {before} (each says why)")


def _explain(setup: Setup, folder: Path, json: bool) -> None:
    from omega_bridge.revisions.files import explain

    rows = explain(setup.analysis, folder)
    if json:
        output.as_json({"matching": [r.as_dict() for r in rows]})
    else:
        output.table(
            [(r.step or "-", r.revision or "-", r.how, r.then) for r in rows], ("step", "revision", "matched by", "export would")
        )
