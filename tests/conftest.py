"""The harness: every fixture is in ``tests/fixtures``, one module a concern."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.environment",
    "tests.fixtures.server",
    "tests.fixtures.databases",
    "tests.fixtures.roles",
    "tests.fixtures.wire",
    "tests.fixtures.locks",
]
