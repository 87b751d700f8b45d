"""omega-bridge: in process, in process with the event trigger, and as a program of its own."""

from __future__ import annotations

import sys

import omega_bridge
from benchmarks.peers.base import Peer, run


class Bridge(Peer):
    """``omega_bridge.boot`` as a service calls it. ``outcome``: of the last start."""

    name = "omega-bridge"
    is_light = True
    outcome = ""

    def version(self) -> str:
        return f"omega-bridge {omega_bridge.__version__}"

    def warm(self) -> None:
        """A service has what the public names stand for when it starts."""
        for name in omega_bridge.__all__:
            getattr(omega_bridge, name)

    def apply(self, url: str) -> None:
        self.outcome = str(omega_bridge.boot(url, self.steps, lock_timeout=120).outcome)


class Sentinel(Bridge):
    """The same on a database with the event trigger."""

    name = "omega-bridge, sentinel"
    is_repairing = False

    def settle(self, url: str) -> None:
        from omega_bridge.postgres.fast_path import sentinel
        from omega_bridge.postgres.session import open_session

        with open_session(url) as session:
            sentinel.install(session)
        self.apply(url)


class BridgeProcess(Bridge):
    """A program that imports, boots and ends; Python's own start is in its time."""

    name = "omega-bridge (process)"
    is_process = True

    def write(self) -> None:
        (self.folder / "listed.py").write_text(f"steps = {self.steps!r}\n")
        (self.folder / "main.py").write_text(
            "import sys\n\nimport omega_bridge\nfrom listed import steps\n\nomega_bridge.boot(sys.argv[1], steps)\n"
        )

    def apply(self, url: str) -> None:
        run([sys.executable, "main.py", url], self.folder)
