"""The command line: verbs of about ten lines each. Names, exit codes and JSON keys are public."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """The entry point of ``omega-bridge``."""
    os.environ.setdefault("TYPER_USE_RICH", "0")  # plain help comes four times as fast
    gc.disable()  # what an import makes stays to the end: looking through it for garbage is a fifth of the time of --help
    from omega_bridge.cli.interruption import ended, heed, verb_of

    heed()
    try:
        from omega_bridge.cli.app import run
        from omega_bridge.cli.streams import end, go_on_unread

        gc.freeze()
        gc.enable()
        go_on_unread()
        try:
            run()
        finally:
            end()
    except KeyboardInterrupt as exc:  # while it was loaded, or told how it ended
        sys.exit(ended(exc, verb_of(sys.argv[1:])))
