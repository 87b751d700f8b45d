"""Reads the same step registry as the start of the service: see pyproject.toml, [tool.omega-bridge]."""

from alembic import context

from omega_bridge.environment import run

run(context)
