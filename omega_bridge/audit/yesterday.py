"""The schema of the databases that stand: what a list and its models have to be held against, beside an empty database.

It is the file that the last export left beside the history; else a database that is named; else the file as git last had it; else it
is not known, and nothing is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from omega_bridge.catalog import Catalog
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.expectation import FILE, Expectation, moved
from omega_bridge.expectation_file import from_text, kept
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.postgres.dsn import normalise
from omega_bridge.postgres.session import open_session
from omega_bridge.sources.git import file_at


@dataclass(frozen=True, slots=True)
class Yesterday:
    """``schema``: what stands; ``None`` where that is not known. ``told``: where it is from, or why it is not known."""

    schema: Expectation | None
    told: str


def yesterday(folder: Path, database: str | None = None) -> Yesterday:
    """What stands, for a history's folder. ``database``: the URL of one that stands, for where there is no file."""
    if (left := kept(folder)) is not None:
        return Yesterday(left, f"{folder.name}/{FILE}")
    if database is not None:
        with open_session(normalise(database)) as session:
            return Yesterday(in_public(read_catalog(session.connection)), "the database")
    try:
        text = file_at(folder, "HEAD", FILE) if folder.is_dir() else ""
    except ConfigurationInvalid:  # no git, no repository, or no such file there
        text = ""
    if text:
        return Yesterday(from_text(text, f"{FILE} in git"), f"{FILE} as git has it")
    return Yesterday(None, f"there is no {FILE} yet, and no database was named (--database-url)")


def in_public(catalog: Catalog) -> Expectation:
    """A database whose list works in another schema, as it would be where it works in ``public``."""
    expected = moved(Expectation(catalog, "", ""), Catalog({}), "")
    return replace(expected, catalog=replace(expected.catalog, search_path=("public",)))
