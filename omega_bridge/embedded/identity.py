"""Who the embedded server runs as: PostgreSQL refuses root, so root lends it another user, or a user namespace.

No permission of a folder that is not ours is changed: what the other user cannot reach is copied, or stays ours
inside a namespace.
"""

from __future__ import annotations

import os
import pwd
import stat
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from omega_bridge import errors

UNNEEDED = frozenset({"include", "doc"})  # of an installation, to run it
CAPABILITIES = {"CAP_CHOWN": 0, "CAP_SETGID": 6, "CAP_SETUID": 7}  # linux/capability.h


class Kind(StrEnum):
    """``SAME`` as the owner; another ``USER``; or ourselves under another number in a user ``NAMESPACE``."""

    SAME = "same"
    USER = "user"
    NAMESPACE = "namespace"


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of the server; ``uid`` and ``gid`` are those that it sees itself."""

    kind: Kind = Kind.SAME
    uid: int = -1
    gid: int = -1

    @property
    def argument(self) -> str:
        """The form that ``launch.py`` reads."""
        return self.kind.value if self.kind is Kind.SAME else f"{self.kind.value}:{self.uid}:{self.gid}"

    def give(self, path: str | Path) -> None:
        """Make ``path``, a folder or file of ours, the property of the server's user."""
        if self.kind is Kind.USER:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """Whether the server may read ``path`` and pass through each folder above it (by permission bits)."""
        if self.kind is not Kind.USER:
            return True
        path = path.resolve()
        return _grants(path.stat(), self.uid, stat.S_IROTH) and all(
            _grants(folder.stat(), self.uid, stat.S_IXOTH) for folder in path.parents
        )

    def reads_all(self, folder: Path) -> bool:
        """Whether the server may read everything in ``folder`` (headers and documentation aside)."""
        if self.kind is not Kind.USER:
            return True
        return self.reaches(folder) and self._reads_within(folder)

    def _reads_within(self, folder: Path) -> bool:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in UNNEEDED or entry.is_symlink():
                    continue
                if not _grants(entry.stat(follow_symlinks=False), self.uid, stat.S_IROTH):
                    return False
                if entry.is_dir() and not self._reads_within(Path(entry.path)):
                    return False
        return True


def choose_identity() -> Identity:
    """Ourselves, unless we are root; then ``nobody`` where the system lets us switch, else a user namespace.

    Raises ``ServerDidNotStart`` where the system knows no other user.
    """
    if os.geteuid() != 0:
        return Identity()
    account = _account()
    kind = Kind.USER if _can_become(account) else Kind.NAMESPACE
    return Identity(kind, account.pw_uid, account.pw_gid)


def namespace_identity() -> Identity:
    """Ourselves under the number of ``nobody``, for files that nobody else can reach."""
    account = _account()
    return Identity(Kind.NAMESPACE, account.pw_uid, account.pw_gid)


def _account() -> pwd.struct_passwd:
    """``nobody``, else any user but root: initdb insists on a user that has a name."""
    accounts = {account.pw_name: account for account in pwd.getpwall() if account.pw_uid != 0}
    if not accounts:
        raise errors.ServerDidNotStart(
            "PostgreSQL does not run as root, and this system has no other user",
            hint="Add a user (nobody), or run as an ordinary user, or give the URL of a running server.",
        )
    return accounts.get("nobody") or next(iter(accounts.values()))


def _can_become(account: pwd.struct_passwd) -> bool:
    """Whether this root may switch to ``account``: rootless containers map one user and drop capabilities."""
    if sys.platform != "linux":
        return True
    proc = Path("/proc/self")
    status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line)
    effective = int(status["CapEff"], 16)
    return (
        all(effective >> bit & 1 for bit in CAPABILITIES.values())
        and _is_mapped(proc / "uid_map", account.pw_uid)
        and _is_mapped(proc / "gid_map", account.pw_gid)
        and (proc / "setgroups").read_text().strip() == "allow"
    )


def _is_mapped(table: Path, number: int) -> bool:
    rows = (tuple(map(int, line.split())) for line in table.read_text().splitlines())
    return any(inside <= number < inside + count for inside, _, count in rows)


def _grants(status: os.stat_result, uid: int, to_others: int) -> bool:
    """Whether a file grants the right to others, or to its owner where that is ``uid``."""
    right = to_others << 6 if status.st_uid == uid else to_others
    if stat.S_ISDIR(status.st_mode) and to_others == stat.S_IROTH:
        right |= right >> 2  # to read a folder is to list it and to pass through it
    return status.st_mode & right == right
