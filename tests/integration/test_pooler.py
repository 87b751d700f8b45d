"""Behind PgBouncer, in every mode: seen, no lock is stranded, no start waits for ever, and a direct URL is the way."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
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
from omega_bridge import OmegaBridgeError, Run
from omega_bridge.postgres.lock_keys import CLASS, OBJECT

ROOT = Path(__file__).parents[2]
STEPS = ["CREATE TABLE IF NOT EXISTS t (id int)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"]


@contextmanager
def pgbouncer(database: str, mode: str = "transaction", size: int = 20) -> Iterator[str]:
    """The database through a PgBouncer of its own, with ``size`` server connections."""
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
        f"auth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\nignore_startup_parameters = extra_float_digits\n"
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


@pytest.fixture
def pooled(database: str) -> Iterator[str]:
    """The database through a PgBouncer in transaction mode."""
    with pgbouncer(database) as url:
        yield url


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
                threading.Timer(0.5, held[0].commit).start()  # the server connection goes back to the pool as it is

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
            connection.close()


def test_a_pooler_given_as_the_direct_url_is_refused(pooled: str, database: str) -> None:
    """A direct URL that leads to a pooler is none, unless the configuration says that the pooler keeps sessions."""
    with pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(pooled, STEPS, direct_url=pooled)
    assert told.value.code == "OB206"
    assert "pooler_keeps_sessions" in told.value.hint
    assert nothing_is_left(database)


def test_a_pooler_that_is_wrongly_said_to_keep_sessions_strands_no_lock(pooled: str, database: str) -> None:
    """The start sees that another server process answers, writes nothing more, and its lock is gone from the one it had."""
    with taken_away(pooled), pytest.raises(OmegaBridgeError) as told:
        omega_bridge.boot(pooled, STEPS, pooler_keeps_sessions=True)
    assert told.value.code == "OB206"
    assert "said to keep sessions" in told.value.message
    assert nothing_is_left(database)
    assert omega_bridge.boot(database, STEPS).outcome == "repaired"


def test_a_lock_that_the_pooler_hands_on_is_not_taken_for_ours(pooled: str, database: str) -> None:
    """A server connection that comes with another start's lock on it shows that the pooler keeps no sessions."""
    with psycopg.connect(pooled, autocommit=True) as other:
        other.execute(f"SELECT pg_advisory_lock({CLASS}, {OBJECT})")
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(pooled, STEPS, pooler_keeps_sessions=True, lock_timeout=5)
    assert told.value.code == "OB206"
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('t')").fetchone() == (None,)


def nothing_is_left(database: str) -> bool:
    """No lock of ours, and none of the list's tables."""
    with psycopg.connect(database) as conn:
        left = conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
        return (left, conn.execute("SELECT to_regclass('t')").fetchone()) == ((0,), (None,))


def ends(start: Callable[[], Run]) -> str:
    """How a start ended: its outcome, or the code of its error."""
    try:
        return str(start().outcome)
    except OmegaBridgeError as error:
        return error.code


MODES = ("session", "transaction", "statement")


@pytest.mark.parametrize("mode", MODES)
def test_eight_starts_through_a_pool_of_five_end(database: str, mode: str) -> None:
    """Repaired with a direct URL; without one each ends with the error that asks for it; the application's queries go on."""
    with pgbouncer(database, mode, size=5) as url, ThreadPoolExecutor(9) as pool:
        asking = pool.submit(queries, url)
        assert list(pool.map(lambda _: ends(lambda: omega_bridge.boot(url, STEPS)), range(8))) == ["OB206"] * 8
        found = pool.map(lambda _: ends(lambda: omega_bridge.boot(url, STEPS, direct_url=database)), range(8))
        assert sorted(found) == ["current"] * 7 + ["repaired"]
        assert asking.result(30) == 20
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def queries(url: str) -> int:
    """What an application asks meanwhile, each time as a new client."""
    answered = 0
    for _ in range(20):
        with psycopg.connect(url, autocommit=True) as conn:
            answered += conn.execute("SELECT 1").rowcount
    return answered


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [1, 5])
def test_eight_starts_through_a_pooler_said_to_keep_sessions_end(database: str, mode: str, size: int) -> None:
    """Where it does, one repairs and the others find nothing to do, even with one server connection for all of them; where it
    does not, no start hangs, each ends well or with an error that says so, and no lock is left.
    """
    with pgbouncer(database, mode, size) as url, ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda _: ends(lambda: omega_bridge.boot(url, STEPS, pooler_keeps_sessions=True)), range(8))
        if mode == "session":
            assert sorted(found) == ["current"] * 7 + ["repaired"]
        else:
            assert set(found) <= {
                "repaired",
                "current",
                "OB206",
                "OB205",
            }  # what still held a lock is ended, for whom it serves now, too
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_who_is_in_the_way_is_named_behind_a_pooler_too(database: str) -> None:
    """There is no second connection on which to ask whom a start waits for: it says who holds the table, for how long, with what."""
    steps = [STEPS[0], ("late", STEPS[1])]
    omega_bridge.boot(database, steps[:1])
    with psycopg.connect(database, application_name="report") as reader, pgbouncer(database, "session", size=1) as url:
        reader.execute("SELECT * FROM t")
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(url, steps, pooler_keeps_sessions=True, boot_timeout=1.0)
        assert told.value.code == "OB402"
        assert f"t is held by pid {reader.info.backend_pid}, report, idle in transaction" in told.value.message


def test_what_a_start_reads_behind_a_pooler_ends_in_time(database: str) -> None:
    """Its limits hold in the server connection that it has, whatever the role's own are, and are taken back for who has it next."""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET statement_timeout = '7s'".encode())
    with pgbouncer(database, "session", size=1) as url, psycopg.connect(database) as holder:
        limits = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
        omega_bridge.boot(url, STEPS, pooler_keeps_sessions=True)
        with psycopg.connect(url, autocommit=True) as next_one:
            assert next_one.execute(limits).fetchone() == ("0", "7s")
        holder.execute("LOCK TABLE pg_catalog.pg_attrdef IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(OmegaBridgeError) as told:
            omega_bridge.boot(url, [*STEPS, STEPS[1].replace("a int", "b int")], pooler_keeps_sessions=True, boot_timeout=1.0)
        assert told.value.code == "OB402"


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
