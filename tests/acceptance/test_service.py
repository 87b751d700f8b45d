"""The reference orchestrator as it is run: uvicorn on yesterday's database."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
NEXUS = ROOT / "examples" / "nexus"


class Service:
    """A running uvicorn; ``log`` is what it wrote so far."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, path: Path) -> None:
        self.process = process
        self.port = port
        self.path = path

    @property
    def log(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def get(self, path: str) -> Any:
        """The JSON of an answer; waits until the service listens."""
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                    return json.load(answer)
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the service did not come up:\n{self.log}")
                time.sleep(0.05)


@contextmanager
def started(url: str, log: Path) -> Iterator[Service]:
    """uvicorn as its users start it, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port)],
            cwd=NEXUS,
            env={**os.environ, "DATABASE_URL": url},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Service(process, port, log)
        finally:
            process.terminate()
            process.wait(30)


def test_a_legacy_database_is_repaired_and_served(database: str, tmp_path: Path) -> None:
    """Repaired and served; restarted, no step is sent; a column dropped by hand in between comes back."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute((NEXUS / "legacy.sql").read_bytes())
        before = conn.execute("SELECT count(*) FROM tenants").fetchone()
    with started(database, tmp_path / "1.log") as service:
        assert service.get("/health") == {"status": "ok", "database": "repaired", "ready": True}
        assert len(service.get("/tenants")) > 0
        assert len(service.get("/events")) == 5
        assert "[MIGRATION] Applying step tenants-openai-api-key (column tenants.openai_api_key is missing)" in service.log
        assert "main.py:300): refused: would have destroyed table system_events (5 rows)" in service.log
    with started(database, tmp_path / "2.log") as service:
        assert service.get("/health")["database"] == "current"
        assert "Applying step" not in service.log
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE chat_conversations DROP COLUMN human_override_until")
    with started(database, tmp_path / "3.log") as service:
        assert service.get("/health")["database"] == "repaired"
        assert "Applying step chat-conversations-human-override-until" in service.log
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(human_override_until) FROM chat_conversations").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM tenants").fetchone() == before


def test_an_empty_database_becomes_a_service(database: str, tmp_path: Path) -> None:
    """The first start of all makes everything, in one boot."""
    with started(database, tmp_path / "1.log") as service:
        assert service.get("/health")["database"] == "repaired"
        assert service.get("/tenants") == []
    with started(database, tmp_path / "2.log") as service:
        assert service.get("/health")["database"] == "current"


def test_without_a_server_it_does_not_start(tmp_path: Path) -> None:
    """One error with what to do, no password, and a process that ends."""
    with started("postgresql://nexus:s3cr3t-word@127.0.0.1:1/nexus", tmp_path / "1.log") as service:
        assert service.process.wait(60) != 0
        assert "OB201" in service.log
        assert "s3cr3t-word" not in service.log
