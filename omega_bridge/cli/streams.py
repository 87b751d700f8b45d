"""The streams that a verb prints to. Whoever reads them may go away (``omega-bridge lint | head -1``): the verb goes on to its own exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from omega_bridge.unread import Unread, outliving


def go_on_unread() -> None:
    """Make stdout and stderr outlive their readers; where there is none (``>&-``), what is printed goes nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        nowhere = Path(os.devnull).open("w", encoding="utf-8") if stream is None else None  # noqa: SIM115
        setattr(sys, name, nowhere or outliving(stream))


def end() -> None:
    """Write what is left. Ends the process with 2 where the disk, and not the reader, was at fault."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if Unread.lost:
        print(f"error: not all of it could be printed: {Unread.lost}", file=sys.stderr)
        sys.exit(2)
