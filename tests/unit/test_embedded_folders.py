"""Run folders and the cache: private, swept when the owner is dead, and never anybody else's."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from omega_bridge import errors
from omega_bridge.embedded import folders
from omega_bridge.embedded.identity import Identity, Kind

MAKE_AND_DIE = """
import os, signal, sys
from omega_bridge.embedded import folders, identity
print(folders.make_run_folder(identity.Identity()).path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of its own, for this process and those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(folders, "SOCKET_PATH_LIMIT", 4096)
    return tmp_path


def test_a_run_folder_is_private(temporary: Path) -> None:
    """Nobody else can reach the cluster or the socket."""
    folder = folders.make_run_folder(Identity())
    assert folder.path.parent == temporary
    assert {p.stat().st_mode & 0o777 for p in (folder.path, folder.data, folder.sockets)} == {0o700}
    folder.remove()
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_live_owner_stays(temporary: Path) -> None:
    """A sweep takes nothing from a server that still has its owner."""
    folder = folders.make_run_folder(Identity())
    assert folders.sweep(temporary) == []
    folder.remove()


def test_a_folder_that_is_being_made_stays(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep takes nothing from an owner that is about to lock its folder."""
    swept: list[Path] = []
    lock = fcntl.flock

    def sweep_and_lock(file: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX:
            swept.extend(folders.sweep(temporary))
        lock(file, operation)

    monkeypatch.setattr(folders.fcntl, "flock", sweep_and_lock)
    folder = folders.make_run_folder(Identity())
    assert (swept, folders.sweep(temporary), folder.data.is_dir()) == ([], [], True)
    folder.remove()


def test_the_folder_of_a_killed_owner_is_swept(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process left is removed by the next start."""
    code = "from omega_bridge.embedded import folders; folders.SOCKET_PATH_LIMIT = 4096\n" + MAKE_AND_DIE
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip())
    assert left.is_dir()
    assert folders.sweep(temporary) == [left]
    assert not left.exists()


def test_a_folder_that_is_just_being_made_stays(temporary: Path) -> None:
    """Between a folder's making and its lock no sweep takes it; an old one without a lock is taken."""
    young, old = temporary / "omega-bridge-00000001", temporary / "omega-bridge-00000002"
    young.mkdir()
    old.mkdir()
    os.utime(old, (time.time() - 3600,) * 2)
    assert folders.sweep(temporary) == [old]


def test_a_link_is_not_followed(temporary: Path) -> None:
    """A link with a name like ours leads a sweep nowhere."""
    (target := temporary / "precious").mkdir()
    os.utime(target, (0, 0))
    (temporary / "omega-bridge-00000003").symlink_to(target)
    assert folders.sweep(temporary) == []
    assert target.is_dir()


def test_a_long_temporary_folder_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the socket's path would not fit in 107 bytes, another folder is taken."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(folders.tempfile, "tempdir", str(long))
    folder = folders.make_run_folder(Identity())
    assert len(os.fsencode(folder.sockets / ".s.PGSQL.65535")) <= 107
    folder.remove()


def test_no_folder_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a usable temporary folder the error says what to set."""
    monkeypatch.setattr(folders, "SOCKET_PATH_LIMIT", 10)
    with pytest.raises(errors.ServerDidNotStart, match="TMPDIR"):
        folders.make_run_folder(Identity())


def test_the_cache_is_filled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many that want it at once get the same folder, complete."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    barrier, got = threading.Barrier(4), []

    def fill(folder: Path) -> None:
        (folder / "a").write_text("a")
        barrier.wait(60)
        (folder / "b").write_text("b")

    threads = [threading.Thread(target=lambda: got.append(folders.cached("thing", fill))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [tmp_path / "omega-bridge" / "thing"] * 4
    assert sorted(p.name for p in got[0].iterdir()) == ["a", "b"]
    assert [p.name for p in got[0].parent.iterdir()] == ["thing"]
    assert folders.cached("thing", lambda _: pytest.fail("filled twice")) == got[0]


def test_a_failed_filling_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a template is never taken for a whole one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        folders.cached("thing", fail)
    assert list((tmp_path / "omega-bridge").iterdir()) == []


def test_a_cache_that_others_can_write_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can slip a template under us."""
    (tmp_path / "omega-bridge").mkdir()
    (tmp_path / "omega-bridge").chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    folder = folders.cached("thing", lambda _: None)
    assert folder == tmp_path / f"omega-bridge-cache-{os.geteuid()}" / "thing"


def test_what_is_long_unused_leaves_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache does not grow with every version of PostgreSQL."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    old, recent = (folders.cached(name, lambda _: None) for name in ("old", "recent"))
    assert old is not None
    os.utime(old, (time.time() - 40 * 86400,) * 2)
    folders.cached("new", lambda _: None)
    assert (old.exists(), recent is not None and recent.exists()) == (False, True)


def test_a_copied_cluster_is_the_same(tmp_path: Path) -> None:
    """Every file of a template arrives in the copy: empty ones, large ones, in folders."""
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "base" / "1").mkdir(parents=True)
    (source / "empty").touch()
    (source / "base" / "1" / "1259").write_bytes(os.urandom(3_000_001))
    target.mkdir()
    folders.copy_tree(source, target, Identity())
    assert (target / "empty").read_bytes() == b""
    assert (target / "base/1/1259").read_bytes() == (source / "base/1/1259").read_bytes()


def test_another_user_is_told_by_permission_bits(tmp_path: Path) -> None:
    """A file below a folder that is closed to others is out of another user's reach; our own reach is not asked."""
    other = Identity(Kind.USER, 4242, 4242)
    file = tmp_path / "closed" / "file"
    file.parent.mkdir(mode=0o700)
    file.touch(0o644)
    assert other.reaches(Path("/usr"))
    assert not other.reaches(file)
    assert Identity().reaches(file)
    assert Identity(Kind.NAMESPACE, 4242, 4242).reaches(file)
