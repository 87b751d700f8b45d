"""Files that are written whole or not at all: beside the place, to the disk, then renamed into it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from omega_bridge.errors import ConfigurationInvalid


def write(path: Path, content: str | bytes) -> None:
    """Make the file, or replace it; whoever reads it finds what was there or what is new. Text is UTF-8 and its line ends stay.

    Raises ``ConfigurationInvalid`` where the file system refuses: then what was there is still there.
    """
    if not path.name:
        raise ConfigurationInvalid(f"{path} is a folder, and no file", hint="Name the file that is to be written.")
    beside = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(beside, path.stat().st_mode & 0o7777)
        os.replace(beside, path.resolve() if path.is_symlink() else path)
        _sync(path.parent)
    except OSError as exc:
        with suppress(OSError):
            beside.unlink()
        raise ConfigurationInvalid(
            f"{path} cannot be written: {exc.strerror or exc}",
            hint="Make room, or get the right to write there, and run the same command again: no file is written by half.",
        ) from exc


def write_private(path: Path, content: bytes) -> None:
    """Make or replace a file that can be made anew at any time, for this user alone; a crash of the machine may leave it broken.

    Several may write it at once: one of them stands. Raises ``OSError``.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def temporary(path: Path) -> Path:
    """Where a file is written before it is renamed. A crash may leave it; the next writing of the file replaces it."""
    real = path.resolve() if path.is_symlink() else path
    return real.with_name(f".{real.name}.tmp")


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Make a renaming last beyond a crash of the machine, where folders can be synchronised."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
