"""Where the history stood at a release: the revision that a tag, a commit or an id names."""

from __future__ import annotations

from pathlib import Path

from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.revisions import sums
from omega_bridge.sources.git import file_at

SHORTEST = 4
"""Characters of a revision's id that are taken for it, where only one begins so; Alembic asks for as many."""


def revision_at(folder: Path, name: str) -> str:
    """The last revision of the history at ``name``: a revision's id (or its beginning), else what git knows by that name.

    Raises ``ConfigurationInvalid`` where git knows no such thing, or the history there is no beginning of this one.
    """
    now = sums.revisions(sums.read_sum(folder))
    named = [line.revision for line in now if line.revision.startswith(name)] if len(name) >= SHORTEST else []
    if len(named) == 1:
        return named[0]
    then = sums.lines_of(file_at(folder, name, sums.NAME), Path(f"{name}:{folder / sums.NAME}"))
    last = next((line for line in reversed(then) if not line.is_squash), None)
    if last is None or (last.revision, last.hash) not in {(line.revision, line.hash) for line in now}:
        raise ConfigurationInvalid(
            f"the history at {name} is no beginning of the one in {folder}",
            hint="Name a tag or commit whose omega.sum this history has grown from, or a revision: alembic history.",
        )
    return last.revision
