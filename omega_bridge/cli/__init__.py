"""The command line: verbs of about ten lines each. Names, exit codes and JSON keys are public."""

from __future__ import annotations

import os


def main() -> None:
    """The entry point of ``omega-bridge``."""
    os.environ.setdefault("TYPER_USE_RICH", "0")  # plain help comes four times as fast
    from omega_bridge.cli.app import run

    run()
