"""What ``init`` wires: the list and the models that a project has, tried before they are written down.

Nothing is written that the next command could not read. Text comes first, since nothing has to run for it; what Python computes is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from omega_bridge.config import Config
from omega_bridge.errors import OmegaBridgeError, SourceNotFound
from omega_bridge.model_files import unimported
from omega_bridge.sources import load
from omega_bridge.sources.discovery import Candidate, folders, lists, packages, python_files, read_tree, unread
from omega_bridge.sources.model_modules import Models, models


@dataclass(frozen=True, slots=True)
class Found:
    """``steps``, ``metadata``: as the configuration names them; ``None`` where there are none. ``notes``: what to tell."""

    steps: str | None
    metadata: str | None
    python_path: tuple[str, ...]
    notes: tuple[str, ...]


def find(root: Path, steps: str | None, metadata: str | None) -> Found:
    """The list and the models. Raises ``SourceNotFound`` and the like where the list that was named, or found, cannot be read."""
    notes: list[str] = []
    source, path = (steps, _checked(root, steps)) if steps else _list(root, notes)
    named, also = (metadata, _path_of(root, metadata, path)) if metadata else _models(root, path, notes)
    return Found(source, named, tuple(dict.fromkeys((*path, *also))), tuple(notes))


def _checked(root: Path, source: str) -> tuple[str, ...]:
    """The Python path with which a source that was named can be read."""
    first: OmegaBridgeError | None = None
    for path in ((), ("src",)):
        try:
            load(source, root=root, python_path=[root / p for p in path])
            return path
        except OmegaBridgeError as error:
            first = first or error
    raise first or SourceNotFound(source)


def _list(root: Path, notes: list[str]) -> tuple[str | None, tuple[str, ...]]:
    candidates = lists(root)
    failures: list[str] = []
    for candidate in candidates:
        for source, path, why in _sources(root, candidate, failures):
            others = [c for c in candidates if c is not candidate and (c.is_meant or not candidate.is_meant)]
            count = len(load(source, root=root, python_path=[root / p for p in path]))
            imported = f"; it is imported, since its text holds {why}" if why else ""
            notes.append(f"list: {source} ({count} step{'s' if count != 1 else ''}){imported}")
            if others:
                named = ", ".join(f"{c.path.relative_to(root).as_posix()}:{c.attribute}" for c in others[:5])
                notes.append(f"also found: {named}; to take another: --steps SOURCE")
            return source, path
    if failures:
        where = candidates[0].path.relative_to(root).as_posix()
        raise SourceNotFound(
            f"the list of steps seems to be in {where}, line {candidates[0].line}, and cannot be read:\n  "
            + "\n  ".join(failures),
            hint="Where it needs settings, set them, or give --env-file; or name another source: --steps package.module:attribute.",
        )
    for folder in folders(root):
        notes.append(f"list: the files of {folder}")
        return folder, ()
    for error in unread(root):  # an empty list beside it would pass for the project's
        raise error
    return None, ()


def _sources(root: Path, candidate: Candidate, failures: list[str]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """What reads a candidate: as text, else by importing it, with Python's path and why."""
    shown = candidate.path.relative_to(root).as_posix()
    tried: list[tuple[str, tuple[str, ...]]] = [(f"{shown}:{candidate.attribute}", ())]
    if candidate.importable:
        tried += [(f"{module}:{candidate.attribute}", (path,) if path else ()) for module, path in packages(candidate.path, root)]
    why = ""
    for number, (source, path) in enumerate(tried):
        try:
            load(source, root=root, python_path=[root / p for p in path])
        except OmegaBridgeError as error:
            failures.append(f"{source}: {error.message}")
            why = why or error.message.rpartition("not in the file: ")[2]
            continue
        yield source, path, why if number else ""


def _models(root: Path, path: Sequence[str], notes: list[str]) -> tuple[str | None, tuple[str, ...]]:
    trees = {file: tree for file in python_files(root) if (tree := read_tree(file)) is not None}
    failure = ""
    for found in models(trees):
        for module, folder in packages(found.path, root):
            named, paths = f"{module}:{found.attribute}", (folder,) if folder else ()
            try:
                metadata = Config(root, values={"python-path": [*path, *paths]}).metadata_at(named)
            except OmegaBridgeError as error:
                failure = failure or f"models: {_shown(root, found)} has them, and is not written down: {error.message}"
                continue
            count = len(metadata.tables)
            notes.append(f"models: {named} ({count} table{'s' if count != 1 else ''})")
            notes.extend(str(one) for one in unimported(metadata))
            return named, paths
    if failure:
        notes.append(failure)
    return None, ()


def _shown(root: Path, found: Models) -> str:
    return f"{found.path.relative_to(root).as_posix()}:{found.line}"


def _path_of(root: Path, metadata: str, path: Sequence[str]) -> tuple[str, ...]:
    """The Python path with which models that were named can be had."""
    first: OmegaBridgeError | None = None
    for also in ((), ("src",)):
        try:
            Config(root, values={"python-path": [*path, *also]}).metadata_at(metadata)
            return also
        except OmegaBridgeError as error:
            first = first or error
    raise first or SourceNotFound(metadata)
