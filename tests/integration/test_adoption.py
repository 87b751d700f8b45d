"""A database that the naive loop repaired for years is adopted, or the gaps are said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[2]


def omega(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    """The command line on the reference list."""
    command = [sys.executable, "-m", "omega_bridge", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True, check=False)


def repaired_by_the_loop(url: str) -> None:
    """Three starts of the loop, as the list's users ran it, with create_all before each."""
    from omega_bridge.config import load_config
    from omega_bridge.revisions.models import with_models
    from omega_bridge.sources import load

    config = load_config(start=ROOT)
    registry = with_models(load(str(config.steps), root=ROOT, python_path=config.python_paths), config.load_metadata())
    with psycopg.connect(url, autocommit=True) as conn:
        for _ in range(3):
            for step in registry:
                try:
                    conn.execute(step.sql.encode())
                except psycopg.Error:
                    continue


def test_what_holds_is_stamped_and_nothing_is_sent(database: str) -> None:
    """status shows that every revision holds; adopt stamps the head; the next start and alembic have nothing to do."""
    repaired_by_the_loop(database)
    status = json.loads(omega("status", "--json", url=database).stdout)
    assert (status["revision"]["prefix"], status["revision"]["gaps"]) == (status["revision"]["head"], [])
    done = omega("adopt", "--json", url=database)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"revision": status["revision"]["head"], "adopted": True, "gaps": []}
    boot = json.loads(omega("boot", "--json", url=database).stdout)
    assert boot["outcome"] == "current"
    assert boot["round_trips"] == 2
    assert omega("status", url=database).returncode == 0


def test_gaps_are_said_and_nothing_is_stamped(database: str) -> None:
    """The longest beginning that holds, each gap with what is missing, and no record left behind."""
    repaired_by_the_loop(database)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE tenants DROP COLUMN timezone; DROP INDEX uq_handoff_tenant")
    done = omega("adopt", "--json", url=database)
    found = json.loads(done.stdout)
    assert (done.returncode, found["adopted"]) == (1, False)
    assert next(g["step"] for g in found["gaps"]) == "tenants-system-prompt"
    assert re.search(r"column (public\.)?tenants\.timezone(, which)? is not there", found["gaps"][0]["reason"])
    assert found["revision"] is not None
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regnamespace('omega_bridge'), to_regclass('alembic_version')").fetchone() == (None, None)


def test_what_drift_denies_is_not_vouched_for(database: str) -> None:
    """A column of another type is a gap of its step, and ``status`` says so; what is known and stays is accepted by name, on record."""
    repaired_by_the_loop(database)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE users ALTER COLUMN email TYPE text")
    told = json.loads(omega("status", "--json", url=database).stdout)["database"]
    assert (told["differences"], "omega-bridge drift" in told["told"]) == (1, True)
    done = omega("adopt", "--json", url=database)
    gaps = json.loads(done.stdout)["gaps"]
    assert (done.returncode, [g["reason"] for g in gaps]) == (
        1, ["column public.users.email: type is text, not character varying(255)"]
    )  # fmt: skip
    done = omega("adopt", "--accept", gaps[0]["step"] + "x", url=database)
    assert (done.returncode, f"Did you mean {gaps[0]['step']}" in done.stderr) == (2, True)
    assert omega("adopt", "--accept", gaps[0]["step"], url=database).returncode == 0
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT detail->'accepted'->0->>'step' FROM omega_bridge.omega_bridge_ledger").fetchone() == (
            gaps[0]["step"],
        )
    assert omega("status", url=database).returncode == 1
