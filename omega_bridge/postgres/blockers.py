"""Who keeps a start waiting: asked on a second connection while a statement of the first one waits.

Only there PostgreSQL can say it for certain (``pg_blocking_pids``). The connection is opened when a try is about to fail, never
waited for, and closed at the end of the tries.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import sql

from omega_bridge.errors import OmegaBridgeError
from omega_bridge.postgres.encoding import storable
from omega_bridge.postgres.queries import query
from omega_bridge.postgres.session import Session, open_session
from omega_bridge.values import dataclass

WRAPAROUND = "(to prevent wraparound)"
"""Ends the query text of an autovacuum that PostgreSQL does not cancel for anybody."""

_SHORT = 80


@dataclass(frozen=True, slots=True)
class Blocker:
    """One session that holds what another waits for. ``pid`` 0 is a prepared transaction; ``age`` of its transaction, in seconds.

    What the role may not see of another's session is ``None``.
    """

    pid: int
    relation: str | None
    application: str | None
    state: str | None
    age: int | None
    query: str | None
    is_autovacuum: bool

    @property
    def prevents_wraparound(self) -> bool:
        """Whether it is an autovacuum that must not be cancelled."""
        return self.is_autovacuum and WRAPAROUND in (self.query or "")

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction (pg_prepared_xacts)"
        told = [f"pid {self.pid}", self.application or ("autovacuum" if self.is_autovacuum else "no application name")]
        told += [self.state] if self.state else []
        told += [f"for {self.age} s"] if self.age is not None else []
        return ", ".join(told) + (f": {shortened(self.query)}" if self.query else "")


@dataclass(frozen=True, slots=True)
class Blocked:
    """What a statement waited for, and for whom; nothing where it was not seen waiting. ``deadlock_timeout`` in seconds."""

    by: tuple[Blocker, ...] = ()
    deadlock_timeout: float = 1.0

    @property
    def is_by_autovacuum(self) -> bool:
        """Whether nothing but autovacuum is in the way."""
        return bool(self.by) and all(b.is_autovacuum for b in self.by)

    def __str__(self) -> str:
        relation = next((b.relation for b in self.by if b.relation), None)
        held = "; ".join(map(str, self.by))
        return f"{relation} is held by {held}" if relation else f"waited for {held}"


def shortened(text: str) -> str:
    """The beginning of a query, on one line, without its literals: they may hold anything."""
    plain = re.sub(r"'(?:[^']|'')*'?|\$(\w*)\$.*?(?:\$\1\$|\Z)", "'...'", text, flags=re.S)
    line = " ".join(plain.split())
    return line if len(line) <= _SHORT else line[: _SHORT - 3] + "..."


class Watcher:
    """Looks, in a thread of its own, at what the session with ``pid`` waits for."""

    def __init__(self, dsn: str, pid: int, after: float) -> None:
        self._dsn, self._pid, self._after = dsn, pid, after
        self._is_over = threading.Event()
        self._seen = Blocked()
        self._thread = threading.Thread(target=self._work, name="omega-bridge-watcher", daemon=True)
        self._thread.start()

    def take(self) -> Blocked:
        """What was seen since the last call."""
        seen, self._seen = self._seen, replace(self._seen, by=())
        return seen

    def stop(self) -> None:
        """End the looking; nobody waits for that."""
        self._is_over.set()

    def _work(self) -> None:
        if self._is_over.wait(self._after):
            return
        try:
            with open_session(self._dsn) as session:
                session.ask("SET search_path = pg_catalog")
                while True:
                    if found := _asked(session, self._pid):
                        self._seen = found
                    if self._is_over.wait(max(self._after / 2, 0.02)):
                        return
        except (psycopg.Error, OmegaBridgeError):  # no connection to spare: then nobody is named
            return


@contextmanager
def watching(session: Session, lock_timeout: float) -> Iterator[Watcher | None]:
    """A watcher over a direct session, from the middle of its first try on; ``None`` behind a pooler, which gives us one connection."""
    if session.is_pooled:
        yield None
        return
    watcher = Watcher(session.dsn, session.pid, lock_timeout / 2)
    try:
        yield watcher
    finally:
        watcher.stop()


def suspects(session: Session) -> Blocked:
    """Who holds locks that our own reading and recording may have waited for: asked afterwards, on the same connection."""
    session.ask("BEGIN; SET LOCAL search_path = pg_catalog")
    try:
        return _read(session.ask(_holders(str(session.pid), _IN_OUR_WAY, "n.nspname = 'omega_bridge' DESC"))) or Blocked()
    finally:
        session.rollback()


def holders(session: Session, names: Collection[str]) -> Blocked:
    """Who holds locks on what bears these names: asked afterwards, on the same connection, so that it may be over by then."""
    given = storable(session.connection, names)
    listed = f"{sql.Literal(given).as_string(session.connection)}::name[]"
    session.ask("BEGIN; SET LOCAL search_path = pg_catalog")
    try:
        asked = _holders(
            "pg_catalog.pg_backend_pid()", f"c.relname = ANY ({listed})", "c.relkind IN ('r', 'p', 'm', 'v') DESC, l.mode"
        )
        return _read(session.ask(asked)) or Blocked()
    finally:
        session.rollback()


_IN_OUR_WAY = "(l.mode = 'AccessExclusiveLock' OR l.mode <> 'AccessShareLock' AND (n.nspname = 'omega_bridge' OR c.relname = 'alembic_version'))"
"""What the catalog reader or the record may wait for: ACCESS EXCLUSIVE on any relation, or more than ACCESS SHARE on one of the bridge's
own or on ``alembic_version``."""


def _holders(pid: str, which: str, first: str) -> str:
    return query("holders").replace("{pid}", pid).replace("{which}", which).replace("{first}", first)


def _asked(session: Session, pid: int) -> Blocked | None:
    return _read(session.ask(query("blockers").replace("{pid}", str(pid))))


def _read(rows: list[tuple[str | None, ...]]) -> Blocked | None:
    found = tuple(
        Blocker(int(p or 0), _bare(relation), application, state, int(age) if age else None, text, is_autovacuum == "t")
        for p, relation, application, state, age, text, is_autovacuum, _ in rows
    )
    return Blocked(found, float(rows[0][7] or 1000) / 1000) if found else None


def _bare(relation: str | None) -> str | None:
    return relation.removeprefix("public.") if relation else None
