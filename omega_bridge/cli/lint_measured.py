"""What ``omega-bridge lint`` asks of servers: a database's catalog and sizes, and the list's second run on scratch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from omega_bridge.cli import output

if TYPE_CHECKING:
    from omega_bridge.analysis.sizes import Size
    from omega_bridge.audit.measured import Measured
    from omega_bridge.catalog import Catalog
    from omega_bridge.cli.setup import Setup


class There(NamedTuple):
    """What is known of a database: its catalog, where it was asked, and the sizes of its tables."""

    catalog: Catalog | None
    sizes: tuple[Size, ...]


def read_there(asked: Setup | None, file: Path | None) -> There:
    """The catalog and sizes of a database, kept in the file where one is named; without a database, the sizes of the file.

    Raises ``ConfigurationInvalid`` for a file that holds no sizes.
    """
    if asked is None and file is None:
        return There(None, ())
    from omega_bridge.analysis.sizes import as_text, from_text
    from omega_bridge.errors import ConfigurationInvalid
    from omega_bridge.writing import write

    if asked is not None:
        from omega_bridge.postgres.catalog_reader import read_catalog
        from omega_bridge.postgres.dsn import normalise
        from omega_bridge.postgres.measuring import read_sizes
        from omega_bridge.postgres.session import open_session

        with open_session(normalise(asked.database)) as session:
            there = There(read_catalog(session.connection), read_sizes(session.connection))
        if file is not None:
            write(file, as_text(there.sizes))
            typer.echo(f"wrote {file}", err=True)
        return there
    assert file is not None
    try:
        return There(None, from_text(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as exc:
        raise ConfigurationInvalid(
            f"{file} holds no sizes of tables: {exc}", hint="Write it: omega-bridge lint --database-url URL --sizes FILE."
        ) from exc


def measure(setup: Setup, scratch_url: str | None, scratch_template: str | None) -> tuple[Measured, ...]:
    """The list's second run on scratch."""
    from omega_bridge.audit.measured import measured
    from omega_bridge.audit.scratch import scratch_server
    from omega_bridge.lint import listing

    output.log_to_stderr(silent=True)
    with scratch_server(scratch_url, scratch_template) as server:
        return measured(listing(setup.analysis, setup.models), server, setup.foundation)


def show_measured(runs: Sequence[Measured]) -> None:
    """A table of the second run, and how often it was as foreseen."""
    typer.echo("\nthe second run, each step sent as a loop sends it:")
    output.table([_row(m) for m in runs], ("step", "", "WAL bytes", "ms", "locks"))
    counts = Counter(str(m.verdict) for m in runs)
    typer.echo(", ".join(f"{n} {word}" for word, n in counts.items()))


def _row(m: Measured) -> tuple[object, ...]:
    seen = m.measure
    if seen.error is not None:
        told = f"rejected: {seen.error}"
    elif seen.locks is None:
        told = "locks not seen: it runs in transactions of its own"
    else:
        told = _listed(seen.locks)
    if m.verdict == "mismatch":
        told += f" (foreseen: {_listed(m.predicted or ())})"
    if seen.rewritten:
        told += f"; written anew: {', '.join(seen.rewritten)}"
    return m.step, m.verdict, seen.wal, f"{seen.seconds * 1000:.1f}", told


def _listed(locks: Iterable[str]) -> str:
    return ", ".join(locks) or "none that makes others wait"
