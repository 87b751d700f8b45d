"""Scratch databases that a killed process left: dropped by the next command on that server, and nobody else's ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from omega_bridge.audit.scratch import GivenServer, scratch_database, scratch_server
from omega_bridge.embedded import Server
from omega_bridge.postgres import leftovers
from omega_bridge.postgres.dsn import connection_parameters
from tests.fixtures.roles import MakeRole

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing says which process made a database")

HOLDS = """import sys, time
from omega_bridge.audit.scratch import GivenServer, scratch_database
from omega_bridge.postgres.dsn import connection_parameters
with scratch_database(GivenServer(sys.argv[1]), "left") as database:
    print(connection_parameters(database.url)["dbname"], flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _alone(server: Server) -> Iterator[None]:
    """One test at a time on a server that several processes share: each drops whatever is left."""
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(4711)")
        leftovers.drop_leftovers(server.url)
        yield


def there(server: Server) -> set[str]:
    """The scratch databases of a given server that are there."""
    with psycopg.connect(server.url) as conn:
        return {row[0] for row in conn.execute("SELECT datname FROM pg_database WHERE datname ~ '^omega_bridge_left_'")}


@contextmanager
def held(server: Server) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that has a scratch database, and its name; what is left of it is dropped at the end."""
    with subprocess.Popen([sys.executable, "-c", HOLDS, server.url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        try:
            yield process, name
        finally:
            process.kill()
    with psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def wait_for_the_server(server: Server, name: str) -> None:
    """Until it has seen that the session of who made it is gone."""
    stands = """SELECT FROM pg_stat_activity a JOIN pg_database d
        ON a.pid::text = substring(shobj_description(d.oid, 'pg_database') FROM 'session ([0-9]+)') WHERE d.datname = %s"""
    with psycopg.connect(server.url, autocommit=True) as conn:
        while conn.execute(stands.encode(), (name,)).fetchone() is not None:
            time.sleep(0.01)


@contextmanager
def left(server: Server) -> Iterator[str]:
    """What is left of a process that was killed."""
    with held(server) as (process, name):
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for_the_server(server, name)
        yield name


def test_the_next_command_drops_what_a_killed_one_left(server: Server) -> None:
    """Whichever makes scratch databases on that server; one that still runs keeps its own."""
    with held(server) as (_, mine), left(server) as name:
        assert {mine, name} <= there(server)
        with scratch_server(server.url):
            assert there(server) == {mine}


def test_a_process_that_waits_to_be_asked_for_is_gone(server: Server) -> None:
    """Its parent has not looked how it ended: its number is there, and nothing runs."""
    with held(server) as (process, name):
        os.kill(process.pid, signal.SIGKILL)
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            pass
        wait_for_the_server(server, name)
        assert leftovers.drop_leftovers(server.url) == (name,)


def marks(name: str) -> tuple[str, ...]:
    """What makes of a database that is left one that may be somebody's."""
    return (
        f"COMMENT ON DATABASE {name} IS 'ours now'",
        f"COMMENT ON DATABASE {name} IS NULL",
        f"ALTER DATABASE {name} RESET application_name",
        f"ALTER DATABASE {name} SET application_name = 'ours'",
        f"ALTER DATABASE {name} WITH IS_TEMPLATE true",
        f"ALTER DATABASE {name} RENAME TO {name}_kept",
    )


@pytest.mark.parametrize("which", range(6))
def test_what_somebody_has_taken_for_his_stays(server: Server, which: int) -> None:
    """Another comment, another setting, another name: it is no longer certainly ours."""
    with left(server) as name, psycopg.connect(server.url, autocommit=True) as conn:
        conn.execute(marks(name)[which].encode())
        assert leftovers.drop_leftovers(server.url) == ()
        now = f"{name}_kept" if which == 5 else name
        assert now in there(server)
        conn.execute(f"ALTER DATABASE {now} WITH IS_TEMPLATE false".encode())
        conn.execute(f"DROP DATABASE {now}".encode())


def test_one_with_a_connection_or_of_another_machine_stays(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody looks at it, or made it where processes are others: it is left, until that is over."""
    with left(server) as name:
        with psycopg.connect(server.url, dbname=name):
            assert leftovers.drop_leftovers(server.url) == ()
        monkeypatch.setattr(leftovers, "machine", lambda: "another")
        assert leftovers.drop_leftovers(server.url) == ()
        monkeypatch.setattr(leftovers, "machine", lambda: None)
        assert leftovers.drop_leftovers(server.url) == ()


def test_one_whose_session_stands_stays(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that was copied while it ran bears the same name, and has other processes: the server knows better."""
    with held(server) as (_, name):
        monkeypatch.setattr(leftovers, "_is_running", lambda _: False)
        assert leftovers.drop_leftovers(server.url) == ()
        assert name in there(server)


def test_who_may_not_drop_it_goes_on(server: Server, make_role: MakeRole) -> None:
    """A role that does not own it: nothing is raised, and it stays for who does."""
    role = make_role()
    with left(server) as name:
        assert leftovers.drop_leftovers(role) == ()
        assert leftovers.drop_leftovers(server.url) == (name,)


def test_a_server_that_is_away_is_the_commands_own_error() -> None:
    """Cleaning up says nothing of it."""
    assert leftovers.drop_leftovers("postgresql://127.0.0.1:1/nothing") == ()


def test_a_template_is_copied_all_the_same(server: Server) -> None:
    """No session is held open in the database that is copied."""
    given = GivenServer(server.url, str(connection_parameters(server.url)["dbname"]))
    assert not given.stands_apart
    with scratch_database(GivenServer(server.url), "left") as one, scratch_database(GivenServer(server.url), "left") as other:
        assert one.url != other.url
