"""The two lines for an ``env.py`` of the project's own: the lock of a start, its state, and errors in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.util import CommandError

import omega_bridge
from omega_bridge import own_environment
from omega_bridge.embedded import EmbeddedServer
from omega_bridge.postgres.lock import database, exclusive
from omega_bridge.postgres.session import open_session
from omega_bridge.steps import Registry
from tests.integration.test_drivers import DRIVERS, STEPS, env_for, tcp
from tests.integration.test_rows import value
from tests.integration.test_rows_in_history import VERSION, configured, exported

__all__ = ["tcp"]

IMPORT = "from omega_bridge.own_environment import guarded\n"
WITH = "with context.begin_transaction():"
GUARDED = "with guarded(context), context.begin_transaction():"


def guarded_env(driver: str, url: str, per_migration: bool = False) -> str:
    """The project's own, with the two lines."""
    text = env_for(driver, url, per_migration)
    assert WITH in text
    return IMPORT + text.replace(WITH, GUARDED)


@pytest.mark.parametrize("per_migration", [False, True])
@pytest.mark.parametrize("driver", DRIVERS)
def test_the_next_start_has_nothing_to_do(tmp_path: Path, tcp: EmbeddedServer, driver: str, per_migration: bool) -> None:
    """Whichever driver env.py connects with: alembic upgrade head leaves the state of a clean start, and gives the lock back."""
    name = f"guarded_{driver}_{per_migration}".lower()
    tcp.create_database(name)
    url = tcp.tcp_url_for(name)
    steps = [*STEPS[:2], "CREATE TABLE IF NOT EXISTS u (id int)"]
    ids = exported(tmp_path, list(steps), guarded_env(driver, url, per_migration))
    config = configured(tmp_path, url, registry=Registry.of(steps))
    command.upgrade(config, "head")
    assert value(url, VERSION) == ids[-1]
    run = omega_bridge.boot(url, steps, history=tmp_path)
    assert (run.outcome, run.round_trips) == ("current", 1)
    assert value(url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    command.downgrade(config, "-1")
    again = omega_bridge.boot(url, steps, history=tmp_path)
    assert (again.outcome, value(url, VERSION)) == ("repaired", ids[-1])


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_it_waits_for_a_start(tmp_path: Path, tcp: EmbeddedServer, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another start is at work nothing is run, and the error names it; commands that only read wait for nobody."""
    name = f"waits_{driver}"
    tcp.create_database(name)
    url = tcp.tcp_url_for(name)
    exported(tmp_path, [STEPS[0]], guarded_env(driver, url))
    monkeypatch.setattr(own_environment, "LOCK_TIMEOUT", 0.2)
    with open_session(url) as session, exclusive(session, 1.0):
        with pytest.raises(CommandError, match="OB401"):
            command.upgrade(configured(tmp_path, url), "head")
        assert value(url, "SELECT to_regclass('t')") is None
    command.upgrade(configured(tmp_path, url), "head")
    assert value(url, "SELECT to_regclass('t')::text") == "t"


@pytest.mark.parametrize("reaching", [False, True])
def test_tenants_upgrade_beside_one_another(
    tmp_path: Path, tcp: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, reaching: bool
) -> None:
    """What keeps to its schema waits for nobody who is at work in the whole database; what may reach beyond takes turns."""
    name = f"beside_{reaching}".lower()
    tcp.create_database(name)
    url = tcp.tcp_url_for(name)
    steps = [STEPS[0], *(["CREATE EXTENSION IF NOT EXISTS pg_trgm"] if reaching else [])]
    exported(tmp_path, steps, guarded_env("psycopg2", url))
    omega_bridge.boot(url, ["CREATE TABLE IF NOT EXISTS other (id int)"])  # the record is there
    monkeypatch.setattr(own_environment, "LOCK_TIMEOUT", 0.2)
    with open_session(url) as session:
        session.execute("CREATE SCHEMA tenant; SET search_path TO tenant")
        with exclusive(session, 1.0), database(session, 1.0):
            session.rollback()
            if reaching:
                with pytest.raises(CommandError, match="OB401"):
                    command.upgrade(configured(tmp_path, url), "head")
            else:
                command.upgrade(configured(tmp_path, url), "head")
        assert value(url, "SELECT to_regclass('public.t') IS NULL") is reaching


@pytest.mark.parametrize("driver", DRIVERS)
def test_errors_come_in_one_piece(tmp_path: Path, tcp: EmbeddedServer, driver: str) -> None:
    """With the step, the server's words and what to do."""
    name = f"errors_{driver}"
    tcp.create_database(name)
    url = tcp.tcp_url_for(name)
    exported(tmp_path, [STEPS[0], "INSERT INTO t SELECT 1 / count(*) FROM t"], guarded_env(driver, url))
    with pytest.raises(CommandError, match=r"OB301.*insert-t.*22012: .*division by zero") as told:
        command.upgrade(configured(tmp_path, url), "head")
    assert "hint: Correct the step in the list" in str(told.value)


def test_nothing_is_recorded_in_another_database(tmp_path: Path, tcp: EmbeddedServer) -> None:
    """Where the engine's URL does not lead to where its connection is, that is an error before anything is run."""
    tcp.create_database("meant")
    url = tcp.tcp_url_for("meant")
    parts: dict[str, Any] = {**psycopg.conninfo.conninfo_to_dict(url), "dbname": "postgres"}
    text = guarded_env("psycopg", url).replace(", poolclass", f", connect_args={parts!r}, poolclass")
    exported(tmp_path, [STEPS[0]], text)
    with pytest.raises(CommandError, match="connect_args"):
        command.upgrade(configured(tmp_path, url), "head")
    assert value(url, "SELECT to_regclass('omega_bridge.omega_bridge_ledger')") is None


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_a_transaction_of_its_own_around_all_is_left_alone(tmp_path: Path, tcp: EmbeddedServer, driver: str) -> None:
    """Where env.py has begun the transaction, no state is left before it commits: the next start looks, and is right."""
    name = f"around_{driver}"
    tcp.create_database(name)
    url = tcp.tcp_url_for(name)
    text = guarded_env(driver, url).replace(
        "    context.configure(", "    connection.exec_driver_sql('SELECT 1')\n    context.configure("
    )
    if driver == "psycopg":
        text += "    connection.commit()\n"
    ids = exported(tmp_path, list(STEPS[:2]), text)
    command.upgrade(configured(tmp_path, url, registry=Registry.of(STEPS[:2])), "head")
    assert value(url, VERSION) == ids[-1]
    assert omega_bridge.boot(url, STEPS[:2], history=tmp_path).outcome == "current"


def test_the_sql_is_printed_without_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The two lines are nothing offline."""
    env = (
        IMPORT
        + "from alembic import context\n\ncontext.configure(dialect_name='postgresql', literal_binds=True)\n"
        + f"{GUARDED}\n    context.run_migrations()\n"
    )
    exported(tmp_path, [STEPS[0]], env)
    command.upgrade(configured(tmp_path, ""), "head", sql=True)
    assert "CREATE TABLE IF NOT EXISTS t" in capsys.readouterr().out
