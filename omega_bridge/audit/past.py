"""The list's past, from git, as the lists that an export compiles one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from omega_bridge.analysis import analyse
from omega_bridge.planning.foundation import Foundation
from omega_bridge.revisions.chain import Origin
from omega_bridge.revisions.files import PastList
from omega_bridge.revisions.models import is_model, with_models
from omega_bridge.sources.git import Commit, Version
from omega_bridge.steps import Registry, Step

if TYPE_CHECKING:
    from sqlalchemy import MetaData


def past_lists(
    versions: Iterable[Version], now: Registry, metadata: MetaData | None, foundation: Foundation | None = None
) -> Iterator[PastList]:
    """Each version of the list that differs from the one before, and the list as it is now at the end.

    What only the models know is taken from the models as they are now: no version of the list makes those tables.
    """
    read = [v for v in versions if v.registry is not None]
    own = _models([v.registry for v in read if v.registry is not None], now, metadata, foundation)
    last = ""
    for version in read:
        registry = version.registry
        if registry is None or registry.digest() == last:
            continue
        last = registry.digest()
        yield PastList(analyse(Registry((*own, *registry.steps), registry.source)), _origin(version.commit))
    yield PastList(analyse(Registry((*own, *now.steps), now.source)))


def _models(
    registries: Sequence[Registry], now: Registry, metadata: MetaData | None, foundation: Foundation | None
) -> tuple[Step, ...]:
    """The steps for tables that no version of the list ever made."""
    if metadata is None:
        return ()
    every = Registry(tuple(Step(s.sql) for registry in (*registries, now) for s in registry.steps))
    return tuple(s for s in with_models(every, metadata, foundation) if is_model(s))


def _origin(commit: Commit) -> Origin:
    author = f"{commit.author} <{commit.email}>" if commit.email else commit.author
    return Origin(commit.id, author, commit.date, commit.subject)
