"""The harness: every fixture is in ``tests/fixtures``, one module a concern."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")  # no test measures time against a limit that a slow machine could miss

pytest_plugins = [
    "tests.fixtures.environment",
    "tests.fixtures.server",
    "tests.fixtures.databases",
    "tests.fixtures.roles",
    "tests.fixtures.wire",
    "tests.fixtures.locks",
]
