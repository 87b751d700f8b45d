"""The API as a caller uses it, for mypy --strict: nothing here runs."""

from __future__ import annotations

from sqlalchemy import Engine, MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

import omega_bridge
from omega_bridge import OmegaBridgeError, Registry, Repeat, Run, Step

bare: list[str] = ["SELECT 1"]
mixed: list[str | Step | tuple[str, str]] = ["SELECT 1", Step("SELECT 2", id="two", repeat=Repeat.ONCE), ("three", "SELECT 3")]
registry: Registry = Registry.of(mixed)


def start(engine: Engine, metadata: MetaData) -> Run:
    """A start, with what services pass."""
    run: Run = omega_bridge.boot(engine, bare, metadata=metadata, critical_tables=("tenants",), on_error="continue", strict=False)
    ready: bool = run.ready
    trips: int = run.round_trips
    seconds: float = run.seconds["total"]
    print(ready, trips, seconds, [step.id for step in run.steps], run.retrying, [lack.name for lack in run.lacks])
    return omega_bridge.boot("postgresql:///app", registry, allow_destructive=["two"], on_busy="degraded", on_gap="degraded")


async def start_async(engine: AsyncEngine) -> str:
    """The same in an event loop."""
    try:
        run: Run = await omega_bridge.boot_async(engine, bare)
    except OmegaBridgeError as error:
        return f"{error.code} {error.message} {error.hint} {error.exit_code}"
    return str(run.outcome)
