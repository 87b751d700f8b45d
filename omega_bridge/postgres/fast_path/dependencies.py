"""What a list's promises and guards lean on: catalogs, and the names in them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omega_bridge.analysis import Analysis
from omega_bridge.values import dataclass


@dataclass(frozen=True, slots=True)
class Watched:
    """``catalogs`` beside ``pg_class`` and ``pg_attribute``; ``relations``, ``types`` and ``functions`` by bare name.

    ``loose``: by catalog, the names that a guard looks for without saying on which table. ``others``: catalogs of what no name
    is known of. ``is_whole``: everything in the schemas of the ``search_path``, and in those that the list names, counts, and every such catalog:
    the list has statements whose effect is not in their text.
    """

    catalogs: frozenset[str]
    relations: frozenset[str]
    types: frozenset[str]
    functions: frozenset[str]
    loose: Mapping[str, frozenset[str]]
    schemas: frozenset[str] = frozenset()
    """Schemas that the list itself names, and those of what is watched by its oid."""
    own: frozenset[str] = frozenset()
    """Those that the list itself names, alone."""
    others: frozenset[str] = frozenset()
    is_whole: bool = False
    elsewhere: tuple[tuple[str, int], ...] = ()
    """What such statements made in other schemas, and what others are about that no name above finds: catalog and oid."""
    shared: frozenset[str] | None = frozenset()
    """Words of the statements about roles and the database, in the catalogs of the whole cluster, for which no event trigger
    fires; ``None``: their names are put together at run time."""
    said: frozenset[tuple[str, str]] = frozenset()
    """Schema and name of what unread statements are about; no schema where none is written."""


def watched(analysis: Analysis, names: Iterable[str] = ()) -> Watched:
    """All of it. ``names``: what else a start looks at, such as critical tables and those of the models."""
    each = [step.reading.dependencies for step in analysis]
    loose: dict[str, frozenset[str]] = {}
    for catalog, name in frozenset().union(*(d.loose for d in each)):
        loose[catalog] = loose.get(catalog, frozenset()) | {name}
    shared = [d.shared for d in each]
    schemas: frozenset[str] = frozenset().union(*(d.schemas for d in each))
    return Watched(
        frozenset().union(*(d.catalogs for d in each)),
        frozenset().union(*(d.relations for d in each)) | (frozenset(names) - analysis.names()),
        frozenset().union(*(d.types for d in each)),
        frozenset().union(*(d.functions for d in each)),
        loose,
        schemas,
        schemas,
        others=frozenset().union(*(d.others for d in each)),
        is_whole=any(d.is_whole for d in each),
        shared=None if None in shared else frozenset().union(*(words for words in shared if words is not None)),
        said=frozenset().union(*(d.said for d in each)),
    )
