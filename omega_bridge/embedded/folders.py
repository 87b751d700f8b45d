"""The embedded server's folders: one per run, swept when its owner is dead, and a cache of what is made once.

A run's folder carries a file that its owner keeps locked; the kernel lets go of the lock when the owner dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from omega_bridge import errors
from omega_bridge.embedded.identity import Identity, Kind

PREFIX = "omega-bridge-"
LOCK = "owner.lock"
SOCKET_PATH_LIMIT = 107  # bytes: sockaddr_un.sun_path on Linux, less the closing zero (103 on macOS)
MEMORY = "/dev/shm"  # six times as fast as a busy disk for the thousand files of a cluster
MEMORY_NEEDED = 2 << 30  # bytes free; Docker's default of 64 MB is too little
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
OLD = 30 * 86400.0  # seconds without use, after which a cached folder is removed
YOUNG = 60.0  # seconds in which a folder without a lock file is one that is just being made

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one server; ``lock`` is the open file descriptor that says its owner lives."""

    path: Path
    lock: int

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.path / "data"

    @property
    def sockets(self) -> Path:
        """The folder of the Unix socket, open to the server's user only."""
        return self.path / "run"

    @property
    def log(self) -> Path:
        """What the server writes to its standard error."""
        return self.path / "server.log"

    def remove(self) -> None:
        """Remove everything; what is in the way is left for the next sweep."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock)


def make_run_folder(identity: Identity) -> RunFolder:
    """Make the private folder of one server, where its user reaches it and a socket's path is short enough."""
    for parent in _parents():
        longest = os.fsencode(f"{parent}/{PREFIX}12345678/run/.s.PGSQL.65535")
        if len(longest) > SOCKET_PATH_LIMIT or not _is_usable(parent) or not identity.reaches(parent):
            continue
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        lock = os.open(path / f"{LOCK}.new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        (path / f"{LOCK}.new").rename(path / LOCK)  # a sweep takes a lock file that nobody holds for that of a dead owner
        if identity.kind is Kind.USER:
            path.chmod(0o711)
        folder = RunFolder(path, lock)
        for inner in (folder.sockets, folder.data):
            inner.mkdir(mode=0o700)
            identity.give(inner)
        return folder
    raise errors.ServerDidNotStart(
        "no temporary folder is writable, and short enough for the path of a Unix socket",
        hint="Set TMPDIR to a writable folder with a short name, such as /tmp.",
    )


def sweep(parent: Path | None = None) -> list[Path]:
    """Remove the run folders of owners that died without doing it, and return them. Only our own user's."""
    swept = []
    for path in (path for folder in ([parent] if parent else _parents()) for path in folder.glob(f"{PREFIX}????????")):
        with contextlib.suppress(OSError):
            if _is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True)
                swept.append(path)
    return swept


def _parents() -> list[Path]:
    """Where run folders may lie, best first: where TMPDIR says, else in memory, else in the system's folders."""
    system = [tempfile.gettempdir(), "/tmp", "/var/tmp"]
    return list(map(Path, dict.fromkeys([*system, MEMORY] if "TMPDIR" in os.environ else [MEMORY, *system])))


def _is_usable(parent: Path) -> bool:
    if not os.access(parent, os.W_OK | os.X_OK):
        return False
    return str(parent) != MEMORY or shutil.disk_usage(parent).free >= MEMORY_NEEDED


def _is_abandoned(path: Path) -> bool:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return False
    try:
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return time.time() - status.st_mtime > YOUNG
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def copy_tree(source: str | Path, target: str | Path, identity: Identity) -> None:
    """Copy the files of a cluster into the folder ``target``, for the server's user alone.

    ``shutil.copytree`` takes three times as long, with permissions and times that are not wanted here.
    """
    with os.scandir(source) as entries:
        for entry in entries:
            copy = f"{target}/{entry.name}"
            if entry.is_dir():
                os.mkdir(copy, 0o700)
                copy_tree(entry.path, copy, identity)
            else:
                with open(entry.path, "rb") as original, open(os.open(copy, NEW_FILE, 0o600), "wb") as file:
                    _copy_content(original, file)
            identity.give(copy)


def _copy_content(source: BinaryIO, target: BinaryIO) -> None:
    if sys.platform != "linux":  # elsewhere sendfile writes to sockets only
        shutil.copyfileobj(source, target)
        return
    size, done = os.fstat(source.fileno()).st_size, 0
    while done < size:
        done += os.sendfile(target.fileno(), source.fileno(), done, size - done)


def cached(name: str, fill: Callable[[Path], None], identity: Identity | None = None) -> Path | None:
    """The cache's folder ``name``, filled by ``fill`` when it is not there yet; ``None`` where no cache can be kept.

    Two processes may fill at once: each fills a folder of its own, and the first rename wins. With an ``identity`` the
    folder lies where that user reaches it.
    """
    for cache in _caches():
        try:
            if (folder := _cached_in(cache, name, fill, identity)) is not None:
                return folder
        except OSError as exc:
            log.debug("no cache in %s: %s", cache, exc)
    return None


def _cached_in(cache: Path, name: str, fill: Callable[[Path], None], identity: Identity | None) -> Path | None:
    if not cache.is_dir():
        cache.mkdir(parents=True, mode=0o755, exist_ok=True)
    status = cache.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o022:
        return None  # somebody else could put things in
    if identity is not None and not identity.reaches(cache):
        return None
    folder = cache / name
    if folder.is_dir():
        os.utime(folder)
        return folder
    _prune(cache)
    making = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=cache))
    try:
        fill(making)
        with contextlib.suppress(OSError):  # the other process was first: its folder is as good
            making.rename(folder)
        return folder if folder.is_dir() else None
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _prune(cache: Path) -> None:
    """Remove what was not used for long: other versions of PostgreSQL, and what a killed process left half made."""
    for folder in cache.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - folder.lstat().st_mtime > OLD:
                shutil.rmtree(folder)


def _caches() -> Iterator[Path]:
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        yield Path(chosen, "omega-bridge")
    elif os.geteuid() == 0:
        yield Path("/var/cache/omega-bridge")
    else:
        with contextlib.suppress(RuntimeError):
            yield Path.home() / ".cache" / "omega-bridge"
    yield Path(tempfile.gettempdir(), f"omega-bridge-cache-{os.geteuid()}")
