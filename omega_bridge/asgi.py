"""How the last start ended, for an orchestrator and for Prometheus: ASGI applications without a framework.

Nothing is asked of the database: a start that ended is what these tell of. The text is Prometheus' exposition format 0.0.4, which is
lines, so nothing has to be installed for it.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from omega_bridge.startup.run import Run

Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

TEXT = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"
OUTCOMES = ("current", "repaired", "degraded", "failed")


class Observed:
    """The starts of one process: mount it whole (``/ready`` and ``/metrics`` below it), or ``ready`` and ``metrics`` where you like.

    ``ready`` answers 503 until a start was taken that the service may serve after, 200 from then on.
    """

    def __init__(self) -> None:
        self._run: Run | None = None
        self._taken = 0.0
        self._starts: Counter[str] = Counter()

    def take(self, run: Run) -> Run:
        """Tell of this start from now on, and of what goes on behind it where it is degraded; the same run."""
        self._run, self._taken = run, time.time()
        self._starts[str(run.outcome)] += 1
        return run

    @property
    def run(self) -> Run | None:
        """The latest run: of a degraded start that goes on trying, its latest try."""
        return self._run.retrying.run if self._run is not None and self._run.retrying is not None else self._run

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """``/ready`` and ``/metrics``; anything else is 404."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        answers = {"ready": self.ready, "metrics": self.metrics}
        answer = answers.get(str(scope.get("path", "")).rstrip("/").rpartition("/")[2])
        if answer is None:
            await _answer(scope, send, 404, JSON, json.dumps({"error": "there are /ready and /metrics"}))
        else:
            await answer(scope, receive, send)

    async def ready(self, scope: Message, receive: Receive, send: Send) -> None:
        """200 where the service may serve, else 503, with the outcome and the steps that stand in the way."""
        run = self.run
        is_ready = run is not None and run.ready
        told: dict[str, Any] = {
            "ready": is_ready,
            "outcome": str(run.outcome) if run else None,
            "revision": run.revision if run else None,
        }
        if run is not None:
            told["steps"] = [
                {"id": s.id, "outcome": str(s.outcome)} for s in run.steps if s.outcome in ("failed", "refused", "no-effect")
            ]
            told["missing"] = [t.name for t in run.inspection if t.state == "missing"]
        await _answer(scope, send, 200 if is_ready else 503, JSON, json.dumps(told))

    async def metrics(self, scope: Message, receive: Receive, send: Send) -> None:
        """What the latest start was and cost, as Prometheus reads it."""
        await _answer(scope, send, 200, TEXT, self.text())

    def text(self) -> str:
        """The exposition: for a registry of your own that takes text."""
        return "".join(f"{line}\n" for line in _lines(self.run, self._starts, self._taken))


def _lines(run: Run | None, starts: Counter[str], taken: float) -> Iterator[str]:
    yield from _metric(
        "omega_bridge_ready",
        "Whether the service may serve after its start.",
        "gauge",
        [({}, int(run is not None and run.ready))],
    )
    counted = [({"outcome": outcome}, starts[outcome]) for outcome in OUTCOMES]
    yield from _metric("omega_bridge_starts_total", "Starts of this process by how they ended.", "counter", counted)
    if run is None:
        return
    now = [({"outcome": outcome}, int(outcome == run.outcome)) for outcome in OUTCOMES]
    yield from _metric("omega_bridge_start_outcome", "1 for how the latest start ended.", "gauge", now)
    yield from _metric(
        "omega_bridge_start_time_seconds", "When the latest start was taken, since the epoch.", "gauge", [({}, round(taken, 3))]
    )
    phases = [({"phase": phase}, round(seconds, 6)) for phase, seconds in sorted(run.seconds.items())]
    yield from _metric("omega_bridge_start_duration_seconds", "Wall time of the latest start by phase.", "gauge", phases)
    for name, words, value in (
        ("passes", "Passes over the list in the latest start.", run.passes),
        ("round_trips", "Round trips of the latest start after the connection stood.", run.round_trips),
        ("statements", "Statements that the latest start sent.", run.statements),
        ("warnings", "Warnings of the latest start.", len(run.warnings)),
    ):
        yield from _metric(f"omega_bridge_start_{name}", words, "gauge", [({}, value)])
    became = Counter(str(step.outcome) for step in run.steps)
    steps = [({"outcome": outcome}, count) for outcome, count in sorted(became.items())]
    yield from _metric("omega_bridge_start_steps", "Steps of the latest start by what became of them.", "gauge", steps)
    if run.revision is not None:
        yield from _metric(
            "omega_bridge_revision_info", "The revision that the database stands at.", "gauge", [({"revision": run.revision}, 1)]
        )


def _metric(name: str, words: str, kind: str, values: Sequence[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    if not values:
        return
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"
    for labels, value in values:
        written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{written}}} {value}" if written else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


async def _answer(scope: Message, send: Send, status: int, kind: str, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
