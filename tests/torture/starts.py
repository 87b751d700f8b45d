"""The processes that are killed: each boots once, and its exit code says how that ended."""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess

import omega_bridge
import omega_bridge.startup.repair  # in the fork server, so that each start begins at once
from omega_bridge import OmegaBridgeError, Step

WELL, TOLD, RAW = 0, 3, 1
"""Exit codes: it ended well; with an error of ours; with an error that should not have reached the caller."""

OPTIONS = {"boot_timeout": 10.0, "table_lock_timeout": 0.1, "lock_timeout": 60.0}

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.torture.starts"])


def start(url: str, steps: Sequence[Step]) -> ForkServerProcess:
    """One start in a process of its own."""
    process = _processes.Process(target=_boot, args=(url, list(steps)), daemon=True)
    process.start()
    return process


def _boot(url: str, steps: list[Step]) -> None:
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # the process ends with it
    try:
        omega_bridge.boot(url, steps, **OPTIONS)  # type: ignore[arg-type]
    except OmegaBridgeError:
        os._exit(TOLD)
    except Exception:
        traceback.print_exc(file=sys.__stderr__)
        os._exit(RAW)
    os._exit(WELL)
