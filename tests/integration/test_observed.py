"""What the orchestrator, Prometheus and OpenTelemetry are told of a start."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import omega_bridge
from omega_bridge import otel
from omega_bridge.asgi import Observed
from omega_bridge.errors import StepFailed

T = "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY)"
A = "ALTER TABLE t ADD COLUMN IF NOT EXISTS a text"
BROKEN = "ALTER TABLE nowhere ADD COLUMN IF NOT EXISTS a text"
LINE = re.compile(r'^(# (HELP|TYPE) \w+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+)$')


def asked(app: Any, *paths: str) -> list[httpx.Response]:
    """The answers of an ASGI application."""

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://service", follow_redirects=True
        ) as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(ask())


def test_a_service_is_ready_after_its_start(database: str) -> None:
    """503 before, 200 after, with the outcome; under another path, too, and mounted in a framework or alone."""
    observed = Observed()
    app = FastAPI()
    app.mount("/omega", observed)
    app.mount("/healthz", observed.ready)
    before, elsewhere = asked(app, "/omega/ready", "/omega/elsewhere")
    assert (before.status_code, elsewhere.status_code) == (503, 404)
    run = observed.take(omega_bridge.boot(database, [T, A]))
    assert run.outcome == "repaired"
    for answer in (*asked(app, "/omega/ready", "/healthz"), *asked(observed, "/ready"), *asked(observed.ready, "/")):
        assert answer.status_code == 200
        assert answer.json() == {"ready": True, "outcome": "repaired", "revision": None, "steps": [], "missing": []}


def test_what_stands_in_the_way_is_named(database: str) -> None:
    """A critical table that is missing: 503 with its name. A degraded start serves, and names the steps."""
    observed = Observed()
    observed.take(omega_bridge.boot(database, [T], critical_tables=("tenants",)))
    (answer,) = asked(observed, "/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["tenants"])
    observed.take(omega_bridge.boot(database, [T, BROKEN], on_error="continue"))
    (answer,) = asked(observed, "/ready")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "degraded")
    assert [s["outcome"] for s in answer.json()["steps"]] == ["failed"]


def test_the_metrics_are_prometheus_text(database: str) -> None:
    """Every line is one of the format's, each metric has its type before it, and the numbers are those of the run."""
    observed = Observed()
    assert "omega_bridge_ready 0\n" in asked(observed, "/metrics")[0].text
    observed.take(omega_bridge.boot(database, [T, A]))
    observed.take(omega_bridge.boot(database, [T, A]))
    (answer,) = asked(observed, "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert answer.text.endswith("\n")
    assert [line for line in lines if not LINE.match(line)] == []
    typed = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(typed) == len(set(typed))
    assert {re.split(r"[ {]", line)[0] for line in lines if not line.startswith("#")} == set(typed)
    for wanted in (
        "omega_bridge_ready 1",
        'omega_bridge_starts_total{outcome="repaired"} 1',
        'omega_bridge_starts_total{outcome="current"} 1',
        'omega_bridge_start_outcome{outcome="current"} 1',
        "omega_bridge_start_round_trips 1",
    ):
        assert wanted in lines


def test_a_degraded_start_that_went_on_is_told_as_it_is_now(database: str) -> None:
    """What was tried again behind a degraded start, and came through, is what ``ready`` tells."""
    omega_bridge.boot(database, [T])
    observed = Observed()
    with psycopg.connect(database) as holder:
        holder.execute("SELECT FROM t")
        run = observed.take(omega_bridge.boot(database, [T, A], on_busy="degraded", boot_timeout=0.2, table_lock_timeout=0.05))
        assert asked(observed, "/ready")[0].json()["outcome"] == "degraded"
    assert run.retrying is not None
    assert run.retrying.wait(60)
    assert asked(observed, "/ready")[0].json()["outcome"] == "repaired"


# --- OpenTelemetry ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[InMemorySpanExporter, InMemoryMetricReader]]:
    """What the SDK was given; a process has one provider of each."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    meters = MeterProvider([reader])
    metrics.set_meter_provider(meters)
    yield spans, reader
    provider.shutdown()
    meters.shutdown()


def test_a_start_is_a_span_with_its_steps_below(
    database: str, told: tuple[InMemorySpanExporter, InMemoryMetricReader], caplog: pytest.LogCaptureFixture
) -> None:
    """Outcome and cost on the span, a span for each step that was sent, within it; a start with nothing to do has no other."""
    spans, reader = told
    caplog.set_level("INFO", "omega_bridge")
    spans.clear()
    otel.boot(database, [T, A])
    (start,) = [s for s in spans.get_finished_spans() if s.name == "omega-bridge start"]
    steps = [s for s in spans.get_finished_spans() if s.name.startswith("step ")]
    assert start.attributes is not None
    assert start.attributes["omega_bridge.outcome"] == "repaired"
    assert {s.attributes["omega_bridge.step"] for s in steps if s.attributes} == {"create-t", "t-a"}
    for step in steps:
        assert step.parent is not None
        assert step.parent.span_id == start.context.span_id
        assert start.start_time is not None
        assert step.start_time is not None
        assert step.end_time is not None
        assert start.start_time <= step.start_time <= step.end_time
    spans.clear()
    asyncio.run(otel.boot_async(database, [T, A]))
    assert [s.name for s in spans.get_finished_spans()] == ["omega-bridge start"]
    data = json.loads(reader.get_metrics_data().to_json())
    named = {m["name"]: m for m in data["resource_metrics"][0]["scope_metrics"][0]["metrics"]}
    counted = {p["attributes"]["outcome"]: p["value"] for p in named["omega_bridge.starts"]["data"]["data_points"]}
    assert counted == {"repaired": 1, "current": 1}
    assert named["omega_bridge.step.duration"]["unit"] == "s"


def test_a_start_that_fails_is_a_span_with_an_error(
    database: str, told: tuple[InMemorySpanExporter, InMemoryMetricReader], caplog: pytest.LogCaptureFixture
) -> None:
    """The error passes as it is; the span has its code, and the step's span what PostgreSQL said."""
    spans, _ = told
    caplog.set_level("INFO", "omega_bridge")
    spans.clear()
    with pytest.raises(StepFailed):
        otel.boot(database, [T, BROKEN])
    found = {s.name: s for s in spans.get_finished_spans()}
    start = found["omega-bridge start"]
    assert start.status.status_code is StatusCode.ERROR
    assert start.attributes is not None
    assert start.attributes["error.type"] == "OB301"
    assert any(s.status.status_code is StatusCode.ERROR for n, s in found.items() if n.startswith("step "))


def test_the_lines_on_stderr_stay(database: str) -> None:
    """Tracing listens to the log without being a handler: where nothing is configured, the lines are still on stderr."""
    code = f"from omega_bridge import otel; otel.boot({database!r}, [{T!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[MIGRATION] Applying step create-t" in done.stderr


@pytest.mark.parametrize("module", ["omega_bridge.asgi", "omega_bridge.otel", "opentelemetry"])
def test_a_start_loads_none_of_it(database: str, module: str) -> None:
    """Who asks for neither pays for neither."""
    code = f"import sys, omega_bridge; omega_bridge.boot({database!r}, [{T!r}]); sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
