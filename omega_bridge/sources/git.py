"""The versions of a list that git remembers: its source text at each commit that touched it. Nothing is imported.

Relies on the ``git`` program: one ``git log``, and one ``git cat-file --batch`` for all the texts.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from omega_bridge.errors import ConfigurationInvalid, OmegaBridgeError, SourceNotFound
from omega_bridge.sources.text import parse_list
from omega_bridge.steps import Registry


@dataclass(frozen=True, slots=True)
class Commit:
    """Where a version comes from. ``date`` is the author's, in ISO format; ``email`` is empty unless asked for."""

    id: str
    author: str
    date: str
    subject: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """The list as a commit left it; ``None`` with a reason where it could not be read there."""

    commit: Commit
    registry: Registry | None
    problem: str = ""


def versions(
    root: Path, sources: Sequence[str], revisions: str = "", *, emails: bool = False, first_parent: bool = True
) -> tuple[Version, ...]:
    """The list at each commit that touched it, oldest first.

    ``sources``: ``path:variable``, the present one first, then where the list stood before. ``revisions``: a range as
    ``git log`` takes it (``v1.0..HEAD``); empty for all up to ``HEAD``. Raises ``SourceNotFound``, ``ConfigurationInvalid``.
    """
    places = [_place(s) for s in sources]
    commits = list(_log(root, [path for path, _ in places], revisions, emails=emails, first_parent=first_parent))
    if not commits:
        raise SourceNotFound(
            f"git knows no commit that touched {', '.join(path for path, _ in places)}",
            hint="Commit the file first; for a list that has moved, name the old place: --follow old/path.py:variable.",
        )
    with _Blobs(root) as blobs:
        return tuple(_read(blobs, commit, places) for commit in commits)


def file_at(folder: Path, revision: str, name: str) -> str:
    """The text of a file of a folder as a tag or commit has it. Raises ``ConfigurationInvalid``."""
    if revision.startswith("-"):
        raise ConfigurationInvalid(f"{revision!r} is no tag or commit", hint="Name one that git log shows.")
    return _git(folder, "show", f"{revision}:./{name}")


def commits_of_lines(path: Path) -> tuple[str | None, ...] | None:
    """For each line of a file the commit that brought it; ``None`` for one that none has yet. ``None`` where nobody keeps the file in git."""
    if not path.is_file():
        return ()
    try:
        told = _git(path.parent, "blame", "--line-porcelain", "--", path.name)
    except ConfigurationInvalid:
        try:
            _git(path.parent, "rev-parse", "--git-dir")
        except ConfigurationInvalid:
            return None
        return (None,) * len(path.read_text(encoding="utf-8").splitlines())
    commits = (found[1] for found in map(_BLAMED.match, told.splitlines()) if found)
    return tuple(None if set(commit) == {"0"} else commit for commit in commits)


_BLAMED = re.compile(r"([0-9a-f]{40,64}) \d+ \d+")
"""The line that begins what ``--line-porcelain`` says of one; the line's own text follows a tab."""


def _place(source: str) -> tuple[str, str]:
    path, colon, variable = source.rpartition(":")
    if not colon or not path.endswith(".py"):
        raise ConfigurationInvalid(
            f"{source!r} is not read from text, so its past cannot be, either",
            hint="Use path/to/main.py:variable, relative to the repository's root.",
        )
    return path, variable


def _read(blobs: _Blobs, commit: Commit, places: Sequence[tuple[str, str]]) -> Version:
    problem = "the file is gone"
    for path, variable in places:
        text = blobs.text(f"{commit.id}:./{path}")
        if text is None:
            continue
        try:
            return Version(commit, parse_list(text, variable, path))
        except OmegaBridgeError as error:
            problem = error.message
    return Version(commit, None, problem)


def _log(root: Path, paths: Sequence[str], revisions: str, *, emails: bool, first_parent: bool) -> Iterator[Commit]:
    shape = "%H%x1f%an%x1f%aI%x1f%s%x1f" + ("%ae" if emails else "")
    arguments = ["log", "--reverse", f"--format={shape}", *(["--first-parent", "-m"] if first_parent else [])]
    if revisions.startswith("-"):
        raise ConfigurationInvalid(f"{revisions!r} is no range of revisions", hint="Use REV..REV, such as v1.0..HEAD.")
    for line in _git(root, *arguments, revisions or "HEAD", "--", *paths).splitlines():
        if line:
            yield Commit(*line.split("\x1f"))


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError as exc:
        raise ConfigurationInvalid(
            "there is no git on this machine", hint="Install git; it is only needed for the list's past."
        ) from exc
    if done.returncode:
        told = done.stderr.strip().splitlines()
        raise ConfigurationInvalid(
            f"git {arguments[0]} failed: {told[0] if told else 'no word why'}",
            hint="Run the command inside the repository, with a tag, a commit or a range (REV..REV) that exists there. A revision: see alembic history.",
        )
    return done.stdout


class _Blobs:
    """Files at commits, by one ``git cat-file --batch``."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            ["git", "cat-file", "--batch"], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> _Blobs:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def text(self, name: str) -> str | None:
        """The file's text; ``None`` where the commit has no such file."""
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None  # both are pipes
        assert pipe_out is not None
        pipe_in.write(name.encode() + b"\n")
        pipe_in.flush()
        header = pipe_out.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            return None
        content = pipe_out.read(int(header[2]))
        pipe_out.read(1)
        return content.decode("utf-8", errors="replace")
