"""Where Alembic loads revisions from: ``versions`` in the history's folder, and what ``version_locations`` names beside it.

Read as Alembic reads it, from the ini file, or the ``[tool.alembic]`` of a pyproject.toml, whose ``script_location`` is that folder.
Source: Alembic's documentation, "Working with Branches", "Setting up Multiple Version Directories".
"""

from __future__ import annotations

import configparser
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.revisions.sums import VERSIONS

_UP = 3
"""How many folders above the history an ini file is looked for."""
_SEPARATORS = {"os": os.pathsep, "space": " ", "newline": "\n", ":": ":", ";": ";"}


def locations(folder: Path) -> tuple[Path, ...]:
    """The folders, that of the exported revisions first; those that are not there are left out."""
    found = [folder / VERSIONS, *(path for named in _named(folder.resolve()) for path in named)]
    return tuple(dict.fromkeys(path for path in found if path.resolve() == (folder / VERSIONS).resolve() or path.is_dir()))


def beside(folder: Path) -> tuple[Path, ...]:
    """Those beside that of the exported revisions."""
    own = (folder / VERSIONS).resolve()
    return tuple(path for path in locations(folder) if path.resolve() != own)


def require_own(folder: Path) -> None:
    """Raises ``ConfigurationInvalid`` where Alembic is told to load revisions from elsewhere alone."""
    own = (folder / VERSIONS).resolve()
    for named in _named(folder.resolve()):
        if named and own not in named:
            raise ConfigurationInvalid(
                f"version_locations does not name {folder / VERSIONS}, where the exported revisions are: Alembic would not load them",
                hint=f"Put it in front of the others: version_locations = %(here)s/{folder.name}/{VERSIONS} ...",
            )


def _named(folder: Path) -> Iterator[list[Path]]:
    for root in list(folder.parents)[:_UP]:
        for ini in sorted(root.glob("*.ini")):
            yield _in_ini(ini, folder)
        yield _in_project(root / "pyproject.toml", folder)


def _in_ini(path: Path, folder: Path) -> list[Path]:
    here = str(path.parent).replace("%", "%%")
    read = configparser.ConfigParser({"here": here}, strict=False)
    try:
        read.read_string(path.read_text(encoding="utf-8"))
        location = read.get("alembic", "script_location", fallback="")
        named = read.get("alembic", "version_locations", fallback="")
        separator = read.get("alembic", "path_separator", fallback=read.get("alembic", "version_path_separator", fallback=""))
    except (configparser.Error, UnicodeDecodeError):
        return []  # another program's
    if not named or _under(path.parent, location) != folder:
        return []
    split = named.split(_SEPARATORS[separator]) if separator in _SEPARATORS else re.split(r", *|(?: +)", named)
    return [_under(path.parent, one.strip()) for one in split if one.strip()]


def _in_project(path: Path, folder: Path) -> list[Path]:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("alembic", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return []
    here, named = str(path.parent), said.get("version_locations", [])
    if not named or _under(path.parent, str(said.get("script_location", "")).replace("%(here)s", here)) != folder:
        return []
    return [_under(path.parent, str(one).replace("%(here)s", here)) for one in named]


def _under(root: Path, named: str) -> Path:
    return (root / named).resolve() if named else root / "nowhere"
