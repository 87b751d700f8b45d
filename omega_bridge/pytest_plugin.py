"""``pytest --omega``: the list and the history of a project, held to what is promised of them, each promise a test.

pytest loads this module in every run of every project where omega-bridge is installed: it loads nothing of ours without the option.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from omega_bridge.audit.promises import Promised

PROMISES = ("repeatable", "equivalent", "no_drift", "downgrade_leaves_no_trace", "one_head")
"""Functions of ``omega_bridge.audit.promises``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all in a group of their own."""
    group = parser.getgroup("omega-bridge")
    group.addoption("--omega", action="store_true", help="test the repair list and its Alembic history on scratch databases")
    group.addoption("--omega-config", metavar="FILE", help="the pyproject.toml with [tool.omega-bridge]")
    group.addoption("--omega-scratch-url", metavar="URL", help="a server for scratch databases; else an embedded one")
    group.addoption("--omega-database-url", metavar="URL", help="a database that may not have drifted; it is only read")


def pytest_configure(config: pytest.Config) -> None:
    """Take part only where that is asked for."""
    if config.getoption("omega"):
        config.addinivalue_line("markers", "omega: a promise of omega-bridge, on scratch databases")
        config.pluginmanager.register(Promises(config), "omega-bridge-promises")


class Unkept(Exception):
    """A promise that is not kept; each argument is a line."""


class Promise(pytest.Item):
    """One promise as a test."""

    def __init__(self, *, held: Promises, **of_pytest: Any) -> None:
        super().__init__(**of_pytest)
        self._held = held
        self.add_marker("omega")

    def runtest(self) -> None:
        """Raises ``Unkept``, or an error of ours."""
        if broken := list(self._held.broken(self.name)):
            raise Unkept(*broken)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """In our words; a traceback only of what nobody foresaw."""
        from omega_bridge.errors import OmegaBridgeError

        told = self.name.replace("_", " ")
        if isinstance(excinfo.value, Unkept):
            return "\n".join((f"not kept: {told}", *(f"  {line}" for line in excinfo.value.args)))
        if isinstance(excinfo.value, OmegaBridgeError):
            return f"not kept: {told}\n  {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """The project, and the promise."""
        return self.config.rootpath, None, f"omega-bridge: {self.name.replace('_', ' ')}"


class PromiseCollector(pytest.Collector):
    """What the tests stand below."""

    def __init__(self, *, held: Promises, **of_pytest: Any) -> None:
        super().__init__(**of_pytest)
        self._held = held

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """A test for each promise."""
        return [Promise.from_parent(self, name=name, held=self._held) for name in PROMISES]


class Promises:
    """The project and a server for it, from the first promise that is tested to the end of the run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._server: Any = None
        self._project: Promised | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """They are collected and told as others are, ahead of ``-k`` and ``-m``, which choose among them, too."""
        collector = PromiseCollector.from_parent(session, name="omega-bridge", nodeid="omega-bridge", held=self)
        report = session.ihook.pytest_make_collect_report(collector=collector)
        session.ihook.pytest_collectreport(report=report)
        items.extend(report.result)

    def pytest_unconfigure(self) -> None:
        """The server ends with the run."""
        self._stack.close()

    def broken(self, name: str) -> Iterator[str]:
        """What breaks the promise."""
        from omega_bridge.audit import promises

        if self._project is None:
            self._project = self._read()
        if self._server is None:
            from omega_bridge.audit.scratch import scratch_server

            self._server = self._stack.enter_context(scratch_server(self._config.getoption("omega_scratch_url")))
        given = {"database": url} if name == "no_drift" and (url := self._config.getoption("omega_database_url")) else {}
        found: Iterator[str] = getattr(promises, name)(self._project, self._server, **given)
        return found

    def _read(self) -> Promised:
        from omega_bridge.audit.promises import Promised
        from omega_bridge.cli.setup import Setup
        from omega_bridge.config import load_config

        given = self._config.getoption("omega_config")
        setup = Setup(load_config(Path(given) if given else None, start=self._config.rootpath), None, None)
        return Promised(
            setup.registry,
            setup.metadata,
            setup.analysis,
            setup.promised,
            setup.listed,
            setup.history(),
            setup.foundation,
            setup.config.allow_rejected,
        )
