"""With which deploy each step of a list came, as its history and git say it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from omega_bridge.analysis import Analysis
from omega_bridge.planning.deploys import Line, deploys
from omega_bridge.revisions.sums import NAME, read_sum
from omega_bridge.sources.git import commits_of_lines


def deployed(folder: Path, analysis: Analysis) -> Mapping[str, int]:
    """For a history's folder. Where git does not keep it, what was exported is one deploy; what is not committed is none yet."""
    lines = read_sum(folder)
    if not lines:
        return {}
    path = folder / NAME
    commits = commits_of_lines(path)
    if commits is None:
        commits = ("exported",) * len(lines)
    else:
        texts = path.read_text(encoding="utf-8").splitlines()
        commits = tuple(c for c, text in zip(commits, texts, strict=True) if text and text[0] != "#")
    return deploys(
        (Line(commit, [(s.label, s.checksum) for s in line.steps]) for commit, line in zip(commits, lines, strict=True)),
        analysis,
    )
