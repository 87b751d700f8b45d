"""A start as an OpenTelemetry span with one below it for each step that was sent, and as metrics: ``omega-bridge[otel]``.

Only OpenTelemetry's API is used: without an SDK that the program has set up, nothing is recorded. ``boot`` and ``boot_async`` are those of
the package, with the same arguments. When a step ended is told by the line that is logged of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, Status, StatusCode, Tracer

import omega_bridge
from omega_bridge.errors import OmegaBridgeError
from omega_bridge.startup.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from omega_bridge.startup.run import BootOptions
    from omega_bridge.steps import Registry, StepLike


_NAME = "omega_bridge"
_ended: ContextVar[dict[str, float] | None] = ContextVar("omega_bridge_ended", default=None)
_BAD = ("failed", "refused", "no-effect")


class _Listening(logging.Filter):
    """Lets every record pass, and notes when a step ended. A filter, since a handler would take the place of the one on stderr."""

    def filter(self, record: logging.LogRecord) -> bool:
        ended, step = _ended.get(), getattr(record, "step", None)
        if ended is not None and isinstance(step, str) and hasattr(record, "seconds"):
            ended.setdefault(step, record.created)
        return True


def boot(database: object, steps: Registry | Iterable[StepLike], **options: Unpack[BootOptions]) -> Run:
    """``omega_bridge.boot``, traced and measured."""
    with _traced() as take:
        return take(omega_bridge.boot(database, steps, **options))


async def boot_async(database: object, steps: Registry | Iterable[StepLike], **options: Unpack[BootOptions]) -> Run:
    """``omega_bridge.boot_async``, traced and measured."""
    with _traced() as take:
        return take(await omega_bridge.boot_async(database, steps, **options))


@contextmanager
def _traced() -> Iterator[Callable[[Run], Run]]:
    """The span of a start; what it is given is the run that ended it."""
    tracer = trace.get_tracer(_NAME, omega_bridge.__version__)
    log, listening = logging.getLogger(_NAME), _Listening()
    log.addFilter(listening)
    ended: dict[str, float] = {}
    token = _ended.set(ended)
    started = time.time()
    try:
        with tracer.start_as_current_span("omega-bridge start", attributes={"db.system.name": "postgresql"}) as span:

            def take(run: Run) -> Run:
                _tell(span, tracer, run, ended)
                _measure(run, str(run.outcome), time.time() - started)
                return run

            try:
                yield take
            except OmegaBridgeError as error:
                run = getattr(error, "run", None)
                span.set_attribute("error.type", error.code)
                if isinstance(run, Run):
                    _tell(span, tracer, run, ended)
                _measure(run if isinstance(run, Run) else None, "failed", time.time() - started)
                raise
    finally:
        _ended.reset(token)
        log.removeFilter(listening)


def _tell(span: Span, tracer: Tracer, run: Run, ended: dict[str, float]) -> None:
    attributes: dict[str, str | int | float] = {
        "omega_bridge.outcome": str(run.outcome),
        "omega_bridge.passes": run.passes,
        "omega_bridge.round_trips": run.round_trips,
        "omega_bridge.statements": run.statements,
        **{f"omega_bridge.seconds.{phase}": seconds for phase, seconds in run.seconds.items()},
    }
    if run.revision is not None:
        attributes["omega_bridge.revision"] = run.revision
    span.set_attributes(attributes)
    if run.outcome == "failed":
        span.set_status(Status(StatusCode.ERROR, "the start failed"))
    for step in run.steps:
        if step.action == "skip":
            continue
        told = {"omega_bridge.step": step.id, "omega_bridge.outcome": str(step.outcome), "omega_bridge.reason": step.reason}
        if step.id not in ended:  # no line was logged of it
            span.add_event("step", {**told, "omega_bridge.seconds": step.seconds})
            continue
        end = int(ended[step.id] * 1e9)
        child = tracer.start_span(f"step {step.id}", attributes=told, start_time=end - int(step.seconds * 1e9))
        if step.outcome in _BAD:
            child.set_status(Status(StatusCode.ERROR, step.reason))
        child.end(end)


def _measure(run: Run | None, outcome: str, seconds: float) -> None:
    meter = metrics.get_meter(_NAME, omega_bridge.__version__)
    meter.create_counter("omega_bridge.starts", description="Starts by how they ended.").add(1, {"outcome": outcome})
    meter.create_histogram("omega_bridge.start.duration", unit="s", description="Wall time of a start.").record(
        seconds, {"outcome": outcome}
    )
    steps = meter.create_counter("omega_bridge.steps", description="Steps by what became of them.")
    durations = meter.create_histogram("omega_bridge.step.duration", unit="s", description="Wall time of a step that was sent.")
    for step in run.steps if run is not None else ():
        steps.add(1, {"outcome": str(step.outcome)})
        if step.action != "skip":
            durations.record(step.seconds, {"outcome": str(step.outcome)})
