"""What it all runs on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> dict[str, str]:
    """Processor, memory, system, Python, and how busy the machine was at the beginning."""
    return {
        "processor": f"{os.cpu_count()} cores of {_line('/proc/cpuinfo', 'model name') or platform.processor() or platform.machine()}",
        "memory": f"{int(_line('/proc/meminfo', 'MemTotal').split()[0] or 0) / 2**20:.1f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def _line(path: str, name: str) -> str:
    """The value of the first line of that name; ``0`` where there is none."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return "0"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "0")
