"""The foundation that the configuration names: files of SQL, and folders of them, in their order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.sources.folder import Order, from_folder
from omega_bridge.sources.scripts import read_sql

if TYPE_CHECKING:
    from omega_bridge.planning.foundation import Foundation


def texts(named: Iterable[str], root: Path, *, order: Order = "version") -> tuple[tuple[str, str], ...]:
    """Each file's path, as it is named, and its text. Raises ``SourceNotFound``, ``SourceSyntaxError``."""
    return tuple(_files(named, root, order))


def _files(named: Iterable[str], root: Path, order: Order) -> Iterator[tuple[str, str]]:
    for name in named:
        if (root / name).is_dir():
            folder = from_folder(root / name, name, order=order)
            yield from ((step.place.file or name, step.sql) for step in folder)
        else:
            yield name, read_sql(root / name, name)


def load_foundation(named: Iterable[str], root: Path, *, order: Order = "version") -> Foundation:
    """The foundation of these files. Raises ``ConfigurationInvalid``, ``SourceNotFound``, ``SourceSyntaxError``, ``StepSyntaxError``."""
    names = tuple(named)
    return of_texts(texts(names, root, order=order), ", ".join(names))


def listed_with(listed: str, files: Iterable[tuple[str, str]]) -> str:
    """The digest of a list and its models with that of these texts, which are not read for it; without any as it was."""
    found = "\x1e".join(text for _, text in files)
    return hashlib.sha256(f"{listed}:{found}".encode("utf-8", "surrogatepass")).hexdigest() if found else listed


def of_texts(files: Iterable[tuple[str, str]], source: str) -> Foundation:
    """The foundation of texts that were read already, each with its path."""
    from omega_bridge.planning.foundation import understood
    from omega_bridge.sql.scripts import ended, read_script

    parts: list[str] = []
    for shown, text in files:
        script = read_script(text, shown)
        if filled := [rows.statement for rows in script.rows if rows.lines]:
            raise ConfigurationInvalid(
                f"{shown} holds rows ({filled[0]}), and a foundation is the schema alone",
                hint="Make it without: pg_dump --schema-only --no-owner --no-privileges; rows that a service needs are steps of the list.",
            )
        parts.append(ended(script.text).strip("\n"))
    return understood("\n\n".join(parts) + "\n", source)
