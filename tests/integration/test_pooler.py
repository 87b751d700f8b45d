"""Behind PgBouncer in transaction mode: seen, no lock is stranded, and a direct URL is the way."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import omega_bridge
from omega_bridge import OmegaBridgeError
from omega_bridge.postgres.lock import CLASS, OBJECT

ROOT = Path(__file__).parents[2]
STEPS = ["CREATE TABLE IF NOT EXISTS t (id int)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"]


@pytest.fixture
def pooled(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database through a PgBouncer of its own."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("no pgbouncer on this machine (Debian: apt-get install pgbouncer)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = conninfo_to_dict(database)
    folder = Path("/tmp") / f"omega-bouncer-{port}"
    folder.mkdir(mode=0o755)
    target = " ".join(f"{k}={given[k]}" for k in ("host", "port", "user", "password", "dbname") if given.get(k))
    (folder / "ini").write_text(
        f"[databases]\npooled = {target}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\nignore_startup_parameters = extra_float_digits\n"
    )
    as_nobody = ["-u", "nobody"] if pwd.getpwuid(os.getuid()).pw_name == "root" else []
    process = subprocess.Popen(
        [program, "-q", *as_nobody, str(folder / "ini")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = make_conninfo(host="127.0.0.1", port=port, dbname="pooled", user=str(given.get("user", "postgres")))
    try:
        for _ in range(100):
            try:
                psycopg.connect(url, autocommit=True).close()
                break
            except psycopg.OperationalError as exc:
                if process.poll() is not None or "server login" in str(exc) or "pgbouncer cannot connect" in str(exc):
                    pytest.skip(f"PgBouncer does not reach this server: {str(exc).strip()}")
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def test_a_pooler_is_seen_and_no_lock_is_left(pooled: str, database: str) -> None:
    """Something to repair, and no direct way: one error that says what to give, and nothing was locked or made."""
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(pooled, STEPS)
    assert told.value.code == "OB206"
    assert "OMEGA_BRIDGE_DIRECT_URL" in told.value.hint
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
        assert conn.execute("SELECT to_regclass('t'), to_regnamespace('omega_bridge')").fetchone() == (None, None)


def test_the_direct_url_repairs_and_the_pooler_answers(pooled: str, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a direct URL the repair goes past the pooler; the start with nothing to do goes through it."""
    assert omega_bridge.boot(pooled, STEPS, direct_url=database).outcome == "repaired"
    current = omega_bridge.boot(pooled, STEPS)
    assert (current.outcome, current.round_trips) == ("current", 1)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE t DROP COLUMN a")
    monkeypatch.setenv("OMEGA_BRIDGE_DIRECT_URL", database)
    assert omega_bridge.boot(pooled, STEPS).outcome == "repaired"


@contextmanager
def taken_away(pooled: str) -> Iterator[None]:
    """As soon as a start applies something, another client takes the server connection that the start has just used."""
    held: list[psycopg.Connection] = []

    class Taker(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "Applying" in record.getMessage() and not held:
                held.append(psycopg.connect(pooled))
                held[0].execute("SELECT 1")

    log, taker = logging.getLogger("omega_bridge"), Taker()
    before = log.level
    log.addHandler(taker)
    log.setLevel("INFO")
    try:
        yield
        assert held
    finally:
        log.removeHandler(taker)
        log.setLevel(before)
        for connection in held:
            connection.commit()  # the server connection goes back to the pool as it is
            connection.close()


def test_a_pooler_given_as_the_direct_url_strands_no_lock(pooled: str, database: str) -> None:
    """Said to keep sessions, it may not: the lock is one that no mode of pooling leaves behind, and it still keeps others out."""
    with taken_away(pooled):
        assert omega_bridge.boot(pooled, STEPS, direct_url=pooled).outcome == "repaired"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
        conn.execute(f"SELECT pg_advisory_lock({CLASS}, {OBJECT})")
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(pooled, [*STEPS, "CREATE INDEX IF NOT EXISTS t_a ON t (a)"], direct_url=pooled, lock_timeout=0.3)
    assert told.value.code == "OB401"


def test_many_starts_through_a_pooler_end_well(pooled: str, database: str) -> None:
    """Eight at once behind the pooler, with the direct way: one repairs, and no lock is left."""
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: omega_bridge.boot(pooled, STEPS, direct_url=database), range(8)))
    assert sorted(r.outcome for r in runs) == ["current"] * 7 + ["repaired"]
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_alembic_goes_the_direct_way_too(
    pooled: str, database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """``alembic upgrade`` behind a pooler is refused with the same words, and takes the direct URL where there is one."""
    monkeypatch.setenv("DATABASE_URL", pooled)
    config = AlembicConfig(str(ROOT / "alembic.ini"))
    with pytest.raises(CommandError, match="OB206"):
        command.upgrade(config, "head")
    monkeypatch.setenv("OMEGA_BRIDGE_DIRECT_URL", database)
    command.upgrade(config, "head")
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
        assert conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
