from alembic import context
from omega_bridge.environment import run

run(context)
