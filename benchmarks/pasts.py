"""A list's past in git: a repository whose list grows, is edited, and loses a step now and then."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchmarks.lists import many_steps

PER_COMMIT = 2
"""Steps that a commit brings."""


def write_past(root: Path, commits: int) -> int:
    """Make the repository; how many steps the list has at the end. Every fifth commit edits a step, every tenth drops one."""
    root.mkdir()
    (root / "pyproject.toml").write_text('[tool.omega-bridge]\nsteps = "main.py:migration_steps"\n')
    _git(root, "init", "-q", "-b", "main")
    steps = many_steps(commits * PER_COMMIT)
    gone: set[int] = set()
    edited: dict[int, str] = {}
    tables = max(1, len(steps) // 10)
    for number in range(1, commits + 1):
        last = number * PER_COMMIT
        if number % 5 == 0 and last > tables:
            edited[last - PER_COMMIT] = (
                steps[last - PER_COMMIT].replace("VARCHAR(64)", "VARCHAR(128)").replace("(p6)", "(p6, id)")
            )
        if number % 10 == 0 and last > tables:
            gone.add(last - PER_COMMIT - 1)
        now = [edited.get(n, step) for n, step in enumerate(steps[:last]) if n not in gone]
        (root / "main.py").write_text("migration_steps = [\n" + "".join(f"    {s!r},\n" for s in now) + "]\n")
        _git(root, "add", "-A")
        _git(root, "commit", "-q", "-m", f"version {number}")
    return len(now)


def _git(root: Path, *arguments: str) -> None:
    identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _IDENTITY.items()}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True)


_IDENTITY = {"NAME": "bench", "EMAIL": "bench@example.org", "DATE": "2024-03-01T12:00:00+00:00"}
