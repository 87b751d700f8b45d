"""The wire between a peer and the server: counts round trips, and holds everything back as a network would.

What reads the protocol is the tests' own proxy. Here it gets a process of its own, so that it takes no time from
a peer that is measured in this one: ``Wire`` is the handle on it, the rest of the module is what runs there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from psycopg.conninfo import conninfo_to_dict

from benchmarks.peers.base import Address

ROOT = Path(__file__).parents[1]


class Passed(NamedTuple):
    """What went through. Round trips are those after the connection stood."""

    round_trips: int
    connections: int


class Wire:
    """A proxy in front of the server of ``url``, as a context manager."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.proxy", self._url]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._port = self._answer()["port"]
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def through(self, url: str) -> str:
        """The URL of the same database by way of the proxy."""
        address = Address.of(url)
        return f"postgresql://{address.user}@127.0.0.1:{self._port}/{address.database}?sslmode=disable"

    def begin(self, delay: float = 0.0) -> None:
        """Count from here on; what comes is held back ``delay`` seconds in each direction."""
        self._ask(delay=delay)

    def passed(self) -> Passed:
        """What went through since ``begin``."""
        found = self._ask()
        return Passed(found["round_trips"], found["connections"])

    def _ask(self, **order: float) -> dict[str, int]:
        assert self._process.stdin is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        found: dict[str, int] = json.loads(self._process.stdout.readline())
        return found


def main() -> None:
    """One order a line on stdin, one answer a line on stdout."""
    from tests.fixtures.wire import wire_proxy

    with wire_proxy(sys.argv[1]) as (url, tape):
        print(json.dumps({"port": int(str(conninfo_to_dict(url)["port"]))}), flush=True)
        for line in sys.stdin:
            answer = {"round_trips": tape.round_trips, "connections": tape.connections}
            if order := json.loads(line):
                tape.delay = order["delay"]
                tape.clear()
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
