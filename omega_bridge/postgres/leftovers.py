"""Scratch databases that a killed process left on a server: known by their marks, and dropped by the next command there.

Never one that may be somebody's: it bears our name and both marks, nobody is connected to it, the process that made it ran on this very
machine and is gone, and so is the session that this process held open for as long as it had the database. Where one of these cannot be
told, the database stays.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from omega_bridge.errors import OmegaBridgeError
from omega_bridge.postgres.scratch import short_mark
from omega_bridge.postgres.session import open_session

log = logging.getLogger("omega_bridge")

_NAME = "^omega_bridge_[a-z]+_[0-9a-f]{12}$"
_MARK = re.compile(
    r"omega-bridge: a scratch database, mark (?P<token>[0-9a-f]{32}),"
    r" of process (?P<pid>\d+) since (?P<since>\d+) on (?P<machine>\S+), session (?P<session>\d+) since (?P<opened>[0-9.]+)"
)
_FOUND = """
SELECT d.datname, pg_catalog.shobj_description(d.oid, 'pg_database'), s.setconfig FROM pg_catalog.pg_database d
LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase OPERATOR(pg_catalog.=) d.oid AND s.setrole OPERATOR(pg_catalog.=) 0::pg_catalog.oid
WHERE d.datname::pg_catalog.text OPERATOR(pg_catalog.~) %s AND NOT d.datistemplate
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid OPERATOR(pg_catalog.=) d.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_prepared_xacts x WHERE x.database OPERATOR(pg_catalog.=) d.datname)
"""
_OPENED = "pg_catalog.date_part('epoch', a.backend_start)::pg_catalog.text"
_SELF = (
    f"SELECT a.pid, {_OPENED} FROM pg_catalog.pg_stat_activity a WHERE a.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
)
_STANDS = f"SELECT {_OPENED} FROM pg_catalog.pg_stat_activity a WHERE a.pid OPERATOR(pg_catalog.=) %s"


class Process(NamedTuple):
    """One of this machine: its number there, and when it began, in ticks since the machine did."""

    pid: int
    since: int


@contextmanager
def held_open(server: str) -> Iterator[str]:
    """A session that stands for as long as the block; yields who holds it, for the mark, or "" where that cannot be told."""
    with open_session(server) as session:
        row = session.connection.execute(_SELF.encode()).fetchone()
        process, on = _running(os.getpid()), machine()
        if row is None or row[1] is None or process is None or on is None:
            yield ""
        else:
            yield f"process {process.pid} since {process.since} on {on}, session {row[0]} since {row[1]}"


def drop_leftovers(server: str) -> tuple[str, ...]:
    """Drop those that are certainly left over; their names. What the server refuses stays, and nothing is raised for it."""
    on, dropped = machine(), []
    if on is None:
        return ()
    with suppress(OmegaBridgeError, psycopg.Error), open_session(server) as session:
        connection = session.connection
        for name, comment, settings in connection.execute(_FOUND.encode(), (_NAME,)).fetchall():
            found = _MARK.fullmatch(comment or "")
            if (
                found is None
                or found["machine"] != on
                or f"application_name={short_mark(found['token'])}" not in (settings or ())
            ):
                continue
            if _is_running(Process(int(found["pid"]), int(found["since"]))):
                continue
            rows = connection.execute(_STANDS.encode(), (int(found["session"]),)).fetchall()
            if any(opened in (None, found["opened"]) for (opened,) in rows):
                continue
            with suppress(psycopg.Error):  # somebody has come, or it is not ours to drop; without FORCE
                session.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)).as_bytes(connection))
                dropped.append(name)
                log.info("dropped the scratch database %s: the process that made it is gone", name)
    return tuple(dropped)


def machine() -> str | None:
    """This machine since it began, and the numbers of processes that are seen here; ``None`` where the system does not say."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    return None


def _is_running(process: Process) -> bool:
    """Whether it may still run: also where that is not ours to see."""
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    now = _running(process.pid)
    return now is None or now == process


def _running(pid: int) -> Process | None:
    """Source: proc_pid_stat(5); behind the name, which may hold anything, the fields begin with the third."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return Process(pid if fields[0] not in "ZX" else -1, int(fields[19]))  # a dead one waits for its parent to ask
    return None
