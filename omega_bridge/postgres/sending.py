"""Statements that the server works on while the caller goes on thinking: several in one round trip, without parameters."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable

import psycopg
from psycopg.pq import ExecStatus

from omega_bridge.postgres.session import Session

FIRST = 16
"""Statements with which the server begins; after them it gets what has gathered whenever it is idle."""


class Sender:
    """Gives the server statements whenever it is idle; the caller goes on gathering more meanwhile."""

    def __init__(self, session: Session) -> None:
        self._session, self._pgconn = session, session.connection.pgconn
        self._gathered: list[str] = []
        self._is_sent = False
        self._meanwhile = session.meanwhile
        self.values: list[bytes | None] = []
        """The first value of each answer that had a row, as the server prints it."""

    def add(self, texts: Iterable[str]) -> None:
        """Send them when the server is idle. Raises what those sent before have met."""
        self._gathered.extend(texts)
        if len(self._gathered) >= FIRST and self._is_idle():
            self._send()

    def begin(self, text: str) -> None:
        """Send one text of several statements at once."""
        self._gathered.append(text)
        self._send()

    def follow(self, text: str) -> None:
        """Send one more text as soon as the server is idle: now, or at the end. Raises what those sent before have met."""
        self._gathered.append(text)
        if self._is_idle():
            self._send()

    def finish(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Send the rest, and wait for the end of it. Raises what the server did not take."""
        if self._gathered and self._is_idle():
            self._send()
        meanwhile()
        self._wait()
        if self._gathered:
            self._send()
            self._wait()

    def _is_idle(self) -> bool:
        if self._is_sent:
            self._pgconn.consume_input()
            if self._pgconn.is_busy():
                return False
            self._wait()
        return True

    def _send(self) -> None:
        self._meanwhile = self._session.meanwhile
        with self._session.counted(1):
            self._pgconn.send_query("\n;\n".join(self._gathered).encode())
        self._gathered, self._is_sent = [], True

    def _wait(self) -> None:
        """Until the server has done what it was sent. The poll, unlike libpq's own waiting, lets other threads go on."""
        if not self._is_sent:
            return
        poller = select.poll()
        poller.register(self._pgconn.socket, select.POLLIN)
        error: psycopg.Error | None = None
        while True:
            while self._pgconn.is_busy():
                self._meanwhile.until(poller)
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                break
            if result.status == ExecStatus.TUPLES_OK and result.ntuples:
                self.values.append(result.get_value(0, 0))
            if result.status == ExecStatus.FATAL_ERROR:
                error = psycopg.errors.error_from_result(result)
        self._is_sent = False
        if error is not None:
            raise error
