"""Equivalence: both drivers lead to the same catalog, shown on two scratch databases at every prefix of the list.

Prefixes are taken in the chain's order, which is the one in which a boot of an empty database settles the steps. The
boots are those of one database that lives through the list's past as the history records it. Upgrades run in the bridge's
own environment: the project's ``env.py`` may connect wherever it likes, and is not loaded.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omega_bridge import environment, errors
from omega_bridge.analysis import Analysis, analyse
from omega_bridge.audit.scratch import Scratch, ScratchDatabase, scratch_database
from omega_bridge.catalog import Catalog, Difference, diff
from omega_bridge.config import Config
from omega_bridge.planning import settle
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border, files, sums
from omega_bridge.steps import Registry, Step


@dataclass(frozen=True, slots=True)
class PrefixDifference:
    """What two databases do not share after a prefix: ``left`` is the boot's, ``right`` is Alembic's."""

    revision: str
    step: str
    difference: Difference

    def as_dict(self) -> dict[str, Any]:
        """The public JSON keys."""
        d = self.difference
        return {
            "revision": self.revision,
            "step": self.step,
            "object": str(d.key),
            "attribute": d.attribute,
            "boot": d.left,
            "alembic": d.right,
        }


@dataclass(frozen=True, slots=True)
class Equivalence:
    """The verdict. ``order_only``: columns that stand in another order (reported apart)."""

    prefixes: int
    differences: tuple[PrefixDifference, ...]
    order_only: tuple[PrefixDifference, ...]
    head: str | None
    sum_hash: str
    list_digest: str
    catalog_digest: str
    server_version: int

    @property
    def equivalent(self) -> bool:
        """Whether no prefix differs."""
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """The public JSON keys."""
        return {
            "equivalent": self.equivalent,
            "prefixes": self.prefixes,
            "differences": [d.as_dict() for d in self.differences],
            "column_order": [d.as_dict() for d in self.order_only],
            "head": self.head,
            "sum": self.sum_hash,
            "list": self.list_digest,
            "catalog": self.catalog_digest,
            "server_version": self.server_version,
        }

    def certificate(self) -> str:
        """The verdict as a text that is the same for the same list, history and server."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, default=str) + "\n"


@dataclass(frozen=True, slots=True)
class _Point:
    """A revision, the list that it and those before it stand for, and the step to name.

    One that a squash took in is not loaded: the boots live through it, and are compared at the squash.
    """

    revision: str
    steps: tuple[Step, ...]
    label: str
    is_loaded: bool = True


def verify(
    registry: Registry,
    metadata: Any,
    scratch: Scratch,
    *,
    history: Path | None = None,
    advance: Callable[[int], Any] = lambda _n: None,
) -> Equivalence:
    """Compare at every prefix. ``history`` is an exported folder; without one the history is compiled for the occasion.

    Raises ``HistoryStale`` when the folder does not hold the list as it is now, and ``HistoryTampered``.
    """
    complete = _complete(registry, metadata)
    analysis = analyse(complete)
    with _folder(analysis, history) as folder:
        lines = sums.read_sum(folder)
        points = list(_points(folder, lines))
        with scratch_database(scratch, "boot") as left, scratch_database(scratch, "alembic") as right:
            return _compare(folder, lines, points, left, right, registry.digest(), advance)


def count(registry: Registry, metadata: Any) -> int:
    """How many prefixes a verification walks."""
    return len(_complete(registry, metadata))


def _complete(registry: Registry, metadata: Any) -> Registry:
    if metadata is None:
        return registry
    from omega_bridge.revisions.models import with_models

    return with_models(registry, metadata)


@contextmanager
def _folder(analysis: Analysis, history: Path | None) -> Iterator[Path]:
    """The exported history, checked; or one compiled into a temporary folder."""
    if history is not None and sums.read_sum(history):
        if files.export(analysis, history, write=False).revisions:
            raise errors.HistoryStale(f"{history} does not hold the list as it is now", hint="Run: omega-bridge export")
        yield history
        return
    with tempfile.TemporaryDirectory(prefix="omega-bridge-") as name:
        folder = Path(name)
        files.export(analysis, folder)
        yield folder


def _points(folder: Path, lines: tuple[sums.SumLine, ...]) -> Iterator[_Point]:
    """For each revision, the list as it was by then: an amended step in the words it had, a retired one while it was there."""
    texts = files.RecordedTexts(folder, lines)
    away = sums.squashed_away(lines)
    held: dict[str, Step] = {}
    unsettled: set[str] = set()
    history = list(sums.revisions(lines))
    for number, line in enumerate(history):
        if line.kind == "retire":
            held.pop(line.steps[0].label, None)
        else:
            for recorded, text in zip(line.steps, texts.all(line.revision), strict=True):
                held[recorded.label] = Step(text, id=recorded.label, destructive=True)
        for recorded in line.steps:
            unsettled.discard(recorded.label)
            if not recorded.settled and recorded.label in held:
                unsettled.add(recorded.label)
        early = _settled_by_now(held, unsettled) if unsettled else set()
        early |= _run_again_in(history[number + 1 :]) - {recorded.label for recorded in line.steps}
        steps = tuple(step for label, step in held.items() if label not in early)
        label = line.steps[0].label if len(line.steps) == 1 else "base"
        yield _Point(line.revision, steps, label, line.revision not in away)


def _settled_by_now(held: dict[str, Step], unsettled: set[str]) -> set[str]:
    """Steps that could not run when they were exported and now could: a later revision of the same export settles them."""
    settling = settle(analyse(Registry(tuple(held.values()))))
    impossible = {label for index, label in enumerate(held) if index in settling.unsettled}
    return unsettled - impossible


def _run_again_in(following: Sequence[sums.SumLine]) -> set[str]:
    """Steps that run once more further down: what they do by then is theirs to do there."""
    return {line.steps[0].label for line in following if line.kind == "settle"}


def _compare(
    folder: Path,
    lines: tuple[sums.SumLine, ...],
    points: list[_Point],
    left: ScratchDatabase,
    right: ScratchDatabase,
    list_digest: str,
    advance: Callable[[int], Any],
) -> Equivalence:
    config = alembic_border.alembic_config(folder, right.url)
    config.attributes["omega_bridge_mark"] = right.token
    config.attributes["omega_bridge_allow_destructive"] = True  # a scratch database holds what the list itself put there
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (None, None)
    differences: list[PrefixDifference] = []
    order_only: list[PrefixDifference] = []
    catalog = Catalog({})
    for point in points:
        left.boot(point.steps)
        if not point.is_loaded:
            advance(1)
            continue
        _upgrade(config, point)
        catalog, other = _read(left), _read(right)
        found = diff(catalog, other)
        differences.extend(PrefixDifference(point.revision, point.label, d) for d in found)
        if not found:
            moved = diff(catalog, other, ignore=frozenset())
            order_only.extend(PrefixDifference(point.revision, point.label, d) for d in moved)
        advance(1)
    return Equivalence(
        sum(p.is_loaded for p in points),
        tuple(differences),
        tuple(order_only),
        sums.head_of(lines),
        lines[-1].hash if lines else "",
        list_digest,
        catalog.digest(),
        catalog.server_version,
    )


def _upgrade(config: Any, point: _Point) -> None:
    try:
        environment.upgrade(config, point.revision)
    except Exception as exc:
        told = alembic_border.told_by_server(exc)
        if told is None:
            raise
        raise errors.StepFailed(
            f"revision {point.revision} ({point.label}) cannot be run: {told}",
            hint="Correct the step in the list and run: omega-bridge export (with a server, which tries each revision)",
        ) from exc


def _read(database: ScratchDatabase) -> Catalog:
    with database.session() as session:
        return read_catalog(session.connection)
