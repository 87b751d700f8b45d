"""``omega.catalog.json``: the expected schema beside the history, one object a line, sorted; who ran the list is a symbol in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from omega_bridge.catalog import Attributes, Catalog, Key, Kind
from omega_bridge.errors import ConfigurationInvalid
from omega_bridge.expectation import FILE, Expectation, of_role
from omega_bridge.expected_grants import grants_of
from omega_bridge.kinds.privileges import ALL
from omega_bridge.writing import write

_FORMAT = 1


def to_text(expected: Expectation) -> str:
    """The file: JSON with one object a line, sorted; the same list on the same server gives the same bytes."""
    catalog = expected.catalog
    head = {
        "format": _FORMAT,
        "server": expected.major,
        "list": expected.listed,
        "search_path": list(catalog.search_path),
        "rejected": dict(expected.rejected),
        "promised": [list(key) for key in sorted(expected.promised)],
    }
    lines = [json.dumps(head, ensure_ascii=False, sort_keys=True)]
    for key in sorted(catalog.objects):
        attributes = _symbolic(key, catalog.objects[key], expected.role, expected.owned.get(key))
        row = [str(key.kind), key.schema, key.table, of_role(key, expected.role, "").name, expected.by.get(key, ""), attributes]
        lines.append(json.dumps(row, ensure_ascii=False, sort_keys=True))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _symbolic(key: Key, attributes: Attributes, role: str, given_to: str | None) -> dict[str, Any]:
    """The attributes that say something; who ran the list is told by name where a step does so."""
    found = {name: value for name, value in attributes.items() if value is not None}
    if given_to is not None:
        found["owner"] = given_to
    elif found.get("owner") == role:
        del found["owner"]
    found.pop("grants", None)
    granted = grants_of(key, attributes, role)
    if granted is not None:
        found["grants"] = list(granted)
    return found


def is_conflict(text: str) -> bool:
    """Whether a version control system has left both sides of a merge in the file, with its markers."""
    return any(line.startswith("<<<<<<<") for line in text.splitlines())


def from_text(text: str, where: str) -> Expectation:
    """What ``to_text`` wrote. Raises ``ConfigurationInvalid`` for anything else; ``where`` names the file there."""
    if is_conflict(text):
        raise ConfigurationInvalid(
            f"{where} holds a merge conflict: two branches appended to the history",
            hint="One side stays, and the other's steps are appended anew, by: omega-bridge export --rebase",
        )
    try:
        head, *rows = json.loads(text)
        if head["format"] > _FORMAT:
            raise ConfigurationInvalid(
                f"{where} was written by a later release of omega-bridge",
                hint="Use that release, or run omega-bridge export with this one.",
            )
        objects: dict[Key, Attributes] = {}
        by: dict[Key, str] = {}
        for kind, schema, table, name, step, attributes in rows:
            key = Key(Kind(kind), schema, table, name)
            if attributes.get("grants") == []:  # as earlier releases wrote that nobody but the owner has any
                attributes["grants"] = [ALL]
            objects[key] = attributes
            if step:
                by[key] = step
        catalog = Catalog(objects, tuple(head["search_path"]), int(head["server"]) * 10000)
        promised = frozenset(Key(Kind(kind), *names) for kind, *names in head.get("promised", ()))
        return Expectation(catalog, "", head["list"], by, head["rejected"], promised)
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigurationInvalid(
            f"{where} is not one that export wrote: {error}", hint="Remove it and run: omega-bridge export"
        ) from error


def keep(expected: Expectation, folder: Path) -> Path:
    """Write the file beside the history."""
    path = folder / FILE
    write(path, to_text(expected))
    return path


def kept(folder: Path, listed: str | None = None) -> Expectation | None:
    """What the file says, where there is one; with ``listed``, where it is of just that list. Raises ``ConfigurationInvalid``."""
    path = folder / FILE
    if not path.is_file():
        return None
    found = from_text(path.read_text(encoding="utf-8"), str(path))
    return found if listed in (None, found.listed) else None
