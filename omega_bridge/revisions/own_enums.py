"""Which types a history makes as enumerations, as its texts say: their checks call nothing, as those of a domain may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from omega_bridge.analysis.keeping import Enums
from omega_bridge.analysis.reading import reading_of
from omega_bridge.catalog import Kind
from omega_bridge.revisions.row_guard import Exported

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory


def own_enums(script: ScriptDirectory) -> Enums:
    """Their names, as they are written; without one that the history makes as something else, too."""
    made = list(_made(script))
    return frozenset(name for kind, name in made if kind is Kind.ENUM) - {name for kind, name in made if kind is not Kind.ENUM}


def _made(script: ScriptDirectory) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    for revision in script.walk_revisions():
        found = Exported.read(vars(revision.module))
        for text in found.texts if found is not None else ():
            for statement in reading_of(text).statements:
                for key in (e.key for e in statement.effects if e.present and e.key.kind in _TYPES):
                    yield key.kind, (key.schema, key.name) if key.schema else (key.name,)


_TYPES = frozenset({Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE, Kind.RANGE, Kind.BASE_TYPE})
