"""Run as a script by the embedded server: become the right user, die with the owner, then be the given program.

A program of its own, because code between fork and exec in a process with threads may deadlock (Python 3.12 warns
about it), and a change of user clears PR_SET_PDEATHSIG. Standard library only.
It waits for a byte on its standard input, so that it is ready by the time the cluster is.
Arguments: the owner's pid, ``same`` or ``user:UID:GID`` or ``namespace:UID:GID``, the program and its arguments.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def main(owner: int, identity: str, program: list[str]) -> None:
    """Replace this process by ``program`` as ``identity``; end at once where the owner is already gone."""
    kind, *ids = identity.split(":")
    if kind == "user":
        uid, gid = map(int, ids)
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    elif kind == "namespace":
        uid, gid = map(int, ids)
        enter_namespace(uid, gid)
    os.umask(0o077)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell has its background jobs ignore it, and we are ended by it
    if sys.platform == "linux":
        # SIGQUIT is PostgreSQL's immediate shutdown: the postmaster ends its children and removes its socket.
        call(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0))
        if os.getppid() != owner:
            sys.exit("the owner ended before the server started")
    if not os.read(0, 1):
        sys.exit("the owner gave up before the server started")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.execv(program[0], program)


def enter_namespace(uid: int, gid: int) -> None:
    """Move into a new user namespace in which we are ``uid``; files are still reached as who we were."""
    outside = os.geteuid(), os.getegid()
    call(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outside[0]} 1"),
        ("gid_map", f"{gid} {outside[1]} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def call(result: int) -> None:
    """Raise the ``OSError`` of a C function that failed."""
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
