"""``omega-bridge demo``: the whole life of the reference orchestrator on a private PostgreSQL, in under a minute."""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from omega_bridge.cli import options, output
from omega_bridge.cli.setup import Setup, prepare

if TYPE_CHECKING:
    from omega_bridge.embedded import EmbeddedServer
    from omega_bridge.startup.run import BootOptions, Run


def demo(json: options.Json = False) -> None:
    """Repair a legacy database, start again, export, read the history, prove the two equivalent."""
    from omega_bridge.embedded import EmbeddedServer

    example = _example()
    setup = prepare(example.parents[1] / "pyproject.toml", None)
    output.log_to_stderr(silent=True)
    said: dict[str, Any] = {}
    started = time.perf_counter()
    with EmbeddedServer() as server, _quiet(json):
        _say(f"a private PostgreSQL {server.version} is up; the reference orchestrator's list has {len(setup.registry)} steps")
        said |= _restarts(server, setup, example)
        said |= _history(server, setup)
        said |= _proof(server, setup)
    said["seconds"] = round(time.perf_counter() - started, 1)
    if json:
        output.as_json(said)
    else:
        typer.echo(f'\nAll of that took {said["seconds"]} s. Your own service: README.md, "Adopting it".')
    raise typer.Exit(0 if said["equivalent"] else 1)


def _restarts(server: EmbeddedServer, setup: Setup, example: Path) -> dict[str, Any]:
    _title("1. A legacy database starts")
    server.create_database("legacy")
    url = server.url_for("legacy")
    _execute(url, (example / "legacy.sql").read_text(encoding="utf-8"))
    before = _rows(url)
    first = _boot(url, setup)
    after = _rows(url)
    lost = [table for table, count in before.items() if after.get(table, 0) < count]
    sent = [s for s in first.steps if s.action != "skip"]
    for step in [*sent[:6], *[s for s in sent[6:] if s.outcome != "applied"]]:
        _say(f"  {output.painted(str(step.outcome)):11} {step.id}: {step.reason.splitlines()[0][:90]}")
    _say(f"  ... {len(sent)} steps sent, {first.outcome}, {first.seconds['total'] * 1000:.0f} ms")
    _say(
        f"  rows before and after: {sum(before.values())} in {len(before)} tables; tables that lost any: {', '.join(lost) or 'none'}"
    )
    _title("2. It starts again")
    second = _boot(url, setup)
    again = [s for s in second.steps if s.action != "skip"]
    _say(
        f"  {output.painted(str(second.outcome))}: {len(again)} steps sent, {second.round_trips} round trip(s), {second.seconds['total'] * 1000:.1f} ms"
    )
    _title("3. Somebody drops a column by hand, and it starts once more")
    _execute(url, "ALTER TABLE tenants DROP COLUMN openai_api_key")
    third = _boot(url, setup)
    for step in third.steps:
        if step.outcome == "applied":
            _say(f"  {output.painted('applied')}     {step.id}: {step.reason.splitlines()[0][:90]}")
    return {"first": first.as_dict(), "second": second.as_dict(), "third": third.as_dict()}


def _history(server: EmbeddedServer, setup: Setup) -> dict[str, Any]:
    import tempfile

    from omega_bridge import environment
    from omega_bridge.revisions import alembic_border
    from omega_bridge.revisions.files import export

    _title("4. omega-bridge export, and alembic history")
    with tempfile.TemporaryDirectory(prefix="omega-bridge-demo-") as name:
        folder = Path(name) / "alembic"
        shutil.copytree(setup.history(), folder, ignore=shutil.ignore_patterns("__pycache__"))
        done = export(setup.analysis, folder)
        found = done.coverage
        _say(
            f"  {len(done.lines)} revisions, {len(done.revisions)} of them new; "
            f"{found.statements_lifted} of {found.statements} statements are Alembic operations"
        )
        server.create_database("audit")
        config = alembic_border.alembic_config(folder, server.url_for("audit"))
        config.attributes["omega_bridge_config"] = setup.config
        lines = alembic_border.history(config)
        for line in [*lines[:4], f"... {len(lines) - 7} more ...", *lines[-3:]]:
            _say(f"  {line[:110]}")
        _title("5. alembic upgrade head on an empty database, then a start there")
        environment.upgrade(config, "head")
        run = _boot(server.url_for("audit"), setup)
        sent = [s for s in run.steps if s.action != "skip"]
        _say(f"  at {run.revision} (head); the start is {output.painted(str(run.outcome))}: {len(sent)} steps sent")
    return {"revisions": len(done.lines), "coverage": found.as_dict(), "after_upgrade": run.as_dict()}


def _proof(server: EmbeddedServer, setup: Setup) -> dict[str, Any]:
    from omega_bridge.audit.equivalence import count, verify

    _title("6. omega-bridge verify: boot and history compared at every prefix of the list")
    with output.progress("  comparing", count(setup.registry, setup.metadata)) as advance:
        found = verify(setup.registry, setup.metadata, server, history=setup.history(), advance=advance)
    for d in found.differences[:5]:
        _say(f"  {d.start}, after {d.step}: {d}")
    _say(
        f"  {output.painted('equivalent') if found.equivalent else 'NOT equivalent'} at {found.prefixes} prefixes, catalog {found.catalog_digest[:16]}"
    )
    return {"equivalent": found.equivalent, "prefixes": found.prefixes}


def _boot(url: str, setup: Setup) -> Run:
    import omega_bridge

    given: BootOptions = {**setup.config.boot_options(), "metadata": setup.metadata, "history": setup.history()}
    return omega_bridge.boot(url, setup.registry, **given)


def _example() -> Path:
    import omega_bridge
    from omega_bridge.errors import ConfigurationInvalid

    package = Path(omega_bridge.__file__).resolve().parent
    for root in (Path.cwd(), package.parent, package / "example"):  # a checkout, an installed one, the wheel
        if (root / "examples" / "nexus" / "main.py").exists():
            return root / "examples" / "nexus"
    raise ConfigurationInvalid(
        "the reference orchestrator (examples/nexus) is not here",
        hint="Install the wheel anew, or run the demo in a clone: make demo",
    )


def _execute(url: str, text: str) -> None:
    from omega_bridge.postgres.session import open_session

    with open_session(url) as session:
        session.execute(text)


def _rows(url: str) -> dict[str, int]:
    """How many rows each table of the schema public holds."""
    from omega_bridge.postgres.session import open_session

    tables = "SELECT relname, format('SELECT count(*) FROM %I', relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    with open_session(url) as session:
        return {name: int(session.rows(question)[0][0]) for name, question in session.rows(tables)}


@contextmanager
def _quiet(silent: bool) -> Iterator[None]:
    if not silent:
        yield
        return
    stdout, sys.stdout = sys.stdout, io.StringIO()
    try:
        yield
    finally:
        sys.stdout = stdout


def _title(text: str) -> None:
    _say("\n" + (typer.style(text, bold=True) if output.has_colour(sys.stdout) else text))


def _say(text: str) -> None:
    print(text, flush=True)
