"""Who writes a ledger entry: the database's role and the machine, the account, the release behind it."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import cache

RELEASE = ("OMEGA_BRIDGE_RELEASE", "GIT_COMMIT", "SOURCE_COMMIT", "GIT_SHA", "CI_COMMIT_SHA", "GITHUB_SHA", "IMAGE")
"""Environment variables that may say which image or git revision runs; the first that is set counts."""


def who(*, role: str, login: str, application: str, schema: str, search_path: str, client: str) -> Mapping[str, str]:
    """``role`` is ``current_user``, ``login`` ``session_user``; left out where it is the same, or not known. ``client``: the driver."""
    found = {
        "role": role,
        "login": "" if login == role else login,
        "application": application,
        "schema": schema,
        "search_path": search_path,
        "release": next((os.environ[name] for name in RELEASE if os.environ.get(name)), ""),
        "client": client,
        **_here(),
    }
    return {name: value for name, value in found.items() if value or name == "schema"}


@cache
def _here() -> Mapping[str, str]:
    """What this process knows of itself: it does not change while it runs."""
    return {"os_user": _account(), "host": socket.gethostname()}


def _account() -> str:
    """The name of the account; its number where the system has no name for it, as in many containers."""
    if named := next((os.environ[name] for name in ("LOGNAME", "USER", "LNAME", "USERNAME") if os.environ.get(name)), ""):
        return named  # as ``getpass`` says, which asks about the terminal, too
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (KeyError, ImportError):
        return str(os.getuid())
