"""omega-bridge: a self-repair list for PostgreSQL that runs fast and safely at every start, and its Alembic history."""

from omega_bridge.boot import Run, boot, boot_async
from omega_bridge.errors import OmegaBridgeError
from omega_bridge.steps import Place, Registry, Repeat, Step

__all__ = ["OmegaBridgeError", "Place", "Registry", "Repeat", "Run", "Step", "boot", "boot_async"]
__version__ = "0.1.0"
