"""omega-bridge: a self-repair list for PostgreSQL that runs fast and safely at every start, and its Alembic history."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omega_bridge.errors import OmegaBridgeError
    from omega_bridge.startup.run import Run
    from omega_bridge.startup.start import boot, boot_async
    from omega_bridge.steps import Place, Registry, Repeat, Step

__all__ = ["OmegaBridgeError", "Place", "Registry", "Repeat", "Run", "Step", "boot", "boot_async"]
__version__ = "0.1.0"

_HOMES = {
    "OmegaBridgeError": "errors",
    "Place": "steps",
    "Registry": "steps",
    "Repeat": "steps",
    "Run": "startup.run",
    "Step": "steps",
    "boot": "startup.start",
    "boot_async": "startup.start",
}


def __getattr__(name: str) -> object:
    """A public name, from its module when it is first asked for (PEP 562): the command line's help needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
