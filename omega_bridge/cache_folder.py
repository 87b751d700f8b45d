"""The folder of what may be kept between starts, and lost: files of this user or root, which nobody else may write."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

_OFF = ("off", "0", "no", "false")
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_LONGEST = 64 << 20
"""Bytes: nobody keeps more in one file."""


def folder(environ: Mapping[str, str]) -> Path | None:
    """Where readings are kept: ``OMEGA_BRIDGE_CACHE``, else the user's cache folder (XDG); ``None`` for nowhere."""
    said = environ.get("OMEGA_BRIDGE_CACHE", "")
    if said.lower() in _OFF or os.name != "posix":
        return None
    if said:
        return Path(said)
    base = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    return Path(base) / "omega-bridge" if os.path.isabs(base) else None


def key_of(text: str) -> str:
    """By what something is kept of a text: its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def private_bytes(path: Path) -> bytes:
    """Raises ``OSError``, too, for what others may have written."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or not _is_ours(found) or found.st_size > _LONGEST:
            raise PermissionError(f"{path} is not this user's alone")
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def make_private(place: Path) -> None:
    """The folder is there, and nobody else may write into it. Raises ``OSError``."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_ours(place.stat()):
        raise PermissionError(f"others may write into {place}")


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & _OTHERS
