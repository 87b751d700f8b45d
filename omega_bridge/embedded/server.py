"""EmbeddedServer: a PostgreSQL that starts in a moment, listens on a private socket and dies with its owner."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from omega_bridge import errors
from omega_bridge.embedded import folders, identity, launch
from omega_bridge.embedded.binaries import Binaries, find_server
from omega_bridge.embedded.databases import Server, with_database

START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 10.0  # seconds, then the server is killed

# A cluster that nobody will want back: no fsync, no WAL beyond what runs, nothing outside its folder.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "64MB",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
}
INITDB = ("--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--no-sync")


class EmbeddedServer(Server):
    """A private PostgreSQL as a context manager; the superuser is ``postgres``, without a password on the socket.

    ``bin_dir`` overrides the search for binaries; ``settings`` are server settings, on top of ours.
    With ``listen_tcp`` it also listens on a free port of 127.0.0.1, with a random password (``tcp_url``).
    Raises ``NoServerFound`` when made, ``ServerDidNotStart`` when started.
    """

    def __init__(
        self,
        bin_dir: Path | str | None = None,
        settings: Mapping[str, object] | None = None,
        *,
        listen_tcp: bool = False,
    ) -> None:
        super().__init__("")
        self.binaries = find_server(bin_dir)
        self._settings = {**SETTINGS, **_own_settings(self.binaries.major), **(settings or {})}
        if self.binaries.major >= 15:
            self._copying = " STRATEGY file_copy"  # without fsync a quarter of the time of wal_log
        self._listen_tcp = listen_tcp
        self._password = secrets.token_urlsafe(18)
        self._port = 5432
        self._folder: folders.RunFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._owner = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def bin_dir(self) -> Path:
        """The folder of the installation's programs, as found."""
        return self.binaries.bin_dir

    @property
    def version(self) -> str:  # known before there is a connection
        """The server's version: "18.6"."""
        return self.binaries.version

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while the server runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def folder(self) -> Path:
        """The private folder: the cluster, the socket, the log."""
        return self._running_folder().path

    @property
    def url(self) -> str:
        """The libpq URL of the database ``postgres`` over the Unix socket."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._running_folder().sockets))}&port={self._port}"

    @property
    def tcp_url(self) -> str:
        """The libpq URL over 127.0.0.1, with the password in it."""
        if not self._listen_tcp:
            raise errors.ConfigurationInvalid(
                "this embedded server does not listen on TCP", hint="Make it with EmbeddedServer(listen_tcp=True)."
            )
        self._running_folder()
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self._port}/postgres"

    def tcp_url_for(self, name: str) -> str:
        """The URL of the database ``name`` over 127.0.0.1."""
        return with_database(self.tcp_url, name)

    def start(self) -> None:
        """Start the server, and return when it takes connections; a server that runs stays as it is."""
        if self.pid is not None:
            return
        self.stop()
        folders.sweep()
        user, binaries = _reachable(self.binaries)
        self._folder = folder = folders.make_run_folder(user)
        self._owner = os.getpid()
        atexit.register(self.stop)
        try:
            with _free_port() as port:
                self._port = port if self._listen_tcp else 5432
                process = self._launch(binaries, user, folder)
                _make_cluster(binaries, user, folder)
                _release(process)
                self._await_connection()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server at once and remove its folder; one that does not run is fine, and so is a forked child."""
        folder, process, keeper = self._folder, self._process, self._keeper
        if folder is None or self._owner != os.getpid():
            return
        if process is not None and keeper is not None:
            if process.returncode is None:
                process.send_signal(signal.SIGQUIT)
            keeper.join(STOP_TIMEOUT)
            if keeper.is_alive():
                process.kill()
                keeper.join()
        folder.remove()
        self._folder = self._process = self._keeper = None
        atexit.unregister(self.stop)

    def _running_folder(self) -> folders.RunFolder:
        if self._folder is None:
            raise errors.ServerDidNotStart("the embedded server does not run", hint="Call start(), or use it in a with block.")
        return self._folder

    def _launch(self, binaries: Binaries, user: identity.Identity, folder: folders.RunFolder) -> subprocess.Popen[bytes]:
        """Make the server's process, which waits to be released."""
        settings = {
            **self._settings,
            "unix_socket_directories": folder.sockets,
            "unix_socket_permissions": "0700",
            "listen_addresses": "127.0.0.1" if self._listen_tcp else "",
            "port": self._port,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = _as_user(user, binaries.postgres, "-D", str(folder.data), *options)
        started = threading.Event()
        # PR_SET_PDEATHSIG fires when the *thread* that made the child ends, so a thread of its own keeps the server.
        self._keeper = threading.Thread(
            target=self._keep, args=(command, folder, started), name="omega-bridge-embedded", daemon=True
        )
        self._keeper.start()
        started.wait()
        if self._process is None:
            raise _did_not_start("it could not be launched", folder)
        return self._process

    def _keep(self, command: list[str], folder: folders.RunFolder, started: threading.Event) -> None:
        try:
            with folder.log.open("ab") as output:
                self._process = process = subprocess.Popen(
                    command,
                    cwd=folder.path,
                    env=_environment(),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C at the terminal is for the owner
                )
        except OSError as exc:
            folder.log.write_text(f"{exc}\n")
            return
        finally:
            started.set()
        with process:  # closes the pipe too, where the program was never released
            process.wait()

    def _await_connection(self) -> None:
        import psycopg
        from psycopg.sql import SQL

        folder = self._running_folder()
        socket_file = folder.sockets / f".s.PGSQL.{self._port}"
        deadline = time.monotonic() + START_TIMEOUT
        while self.pid is not None and time.monotonic() < deadline:
            if socket_file.exists():
                try:
                    with psycopg.connect(self.url, autocommit=True) as conn:
                        if self._listen_tcp:
                            conn.execute(SQL("ALTER ROLE postgres PASSWORD {}").format(self._password))
                        return
                except psycopg.OperationalError:  # the socket is there a moment before the server is ready
                    pass
            time.sleep(0.002)
        raise _did_not_start("it ended" if self.pid is None else f"no connection in {START_TIMEOUT:.0f} s", folder)


def _own_settings(major: int) -> dict[str, str]:
    return {"io_method": "sync"} if major >= 18 else {}


def _reachable(binaries: Binaries) -> tuple[identity.Identity, Binaries]:
    """Who runs the server, and binaries that this user can read: the given ones, or a copy of them."""
    user = identity.choose_identity()
    if user.kind is not identity.Kind.USER or _can_run(user, binaries):
        return user, binaries
    if binaries.movable:
        copy = folders.cached(f"binaries-{_key(binaries)}", lambda folder: _copy_binaries(binaries, folder), user)
        if copy is not None:
            return user, binaries.moved_to(copy)
    return identity.namespace_identity(), binaries


def _can_run(user: identity.Identity, binaries: Binaries) -> bool:
    if not user.reaches(binaries.postgres):
        return False
    return all(user.reads_all(binaries.base / member) for member in binaries.movable)


def _copy_binaries(binaries: Binaries, folder: Path) -> None:
    for member in binaries.movable:
        shutil.copytree(
            binaries.base / member,
            folder / member,
            symlinks=True,
            ignore=shutil.ignore_patterns(*identity.UNNEEDED, "*.a"),
        )
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _make_cluster(binaries: Binaries, user: identity.Identity, folder: folders.RunFolder) -> None:
    """Fill the run's data folder from the template cluster, which the first start of all makes."""
    options = (*INITDB, *_initdb_options(binaries.major))

    def fill(template: Path) -> None:
        if not (folder.data / "PG_VERSION").exists():
            _initdb(binaries, user, folder, options)
        folders.copy_tree(folder.data, template, identity.Identity())

    template = folders.cached(f"cluster-{_key(binaries, *options)}", fill)
    if (folder.data / "PG_VERSION").exists():
        return
    if template is None:
        _initdb(binaries, user, folder, options)
        return
    folders.copy_tree(template, folder.data, user)


def _initdb_options(major: int) -> tuple[str, ...]:
    options = ["--wal-segsize=1", "--locale=C"]
    if major >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if major >= 18:
        options.append("--no-data-checksums")
    return tuple(options)


def _initdb(binaries: Binaries, user: identity.Identity, folder: folders.RunFolder, options: tuple[str, ...]) -> None:
    command = _as_user(user, binaries.initdb, "-D", str(folder.data), *options)
    with folder.log.open("ab") as output:
        done = subprocess.run(
            command,
            cwd=folder.path,
            env=_environment(),
            input=b"\n",
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode != 0:
        raise _did_not_start("initdb failed", folder)


def _release(process: subprocess.Popen[bytes]) -> None:
    """Let a launched program begin."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(b"\n")


def _as_user(user: identity.Identity, program: Path, *arguments: str) -> list[str]:
    launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), user.argument]
    return [*launcher, str(program), *arguments]


def _environment() -> dict[str, str]:
    """Ours, without what would steer PostgreSQL's programs or carry a secret to them."""
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "LC_ALL": "C", "TZ": "UTC"}


def _key(binaries: Binaries, *more: str) -> str:
    status = binaries.postgres.stat()
    parts = (binaries.bin_dir, binaries.version, status.st_size, status.st_mtime_ns, *more)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


@contextlib.contextmanager
def _free_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is ours until the block ends: bound, so that nobody else is given it.

    A socket that does not listen is no hindrance to a server's bind with SO_REUSEADDR, which PostgreSQL sets.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def _did_not_start(what: str, folder: folders.RunFolder) -> errors.ServerDidNotStart:
    lines = folder.log.read_text(errors="replace").splitlines() if folder.log.exists() else []
    return errors.ServerDidNotStart(
        "\n".join((f"the embedded PostgreSQL did not start: {what}", *(f"  {line}" for line in lines[-8:]))),
        hint="Read the server's own words above; a given URL (--database-url, --scratch-url) needs no embedded server.",
    )
