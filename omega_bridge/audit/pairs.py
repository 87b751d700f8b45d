"""Two scratch databases that began alike, one brought on by boots, the other by Alembic: how it is done, and what they do not share.

Upgrades run in the bridge's own environment: the project's ``env.py`` may connect wherever it likes, and is not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from omega_bridge import environment, errors
from omega_bridge.audit import witness as witnessing
from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.audit.verdict import NO_PREDICTIONS, Predictions, Rejected, Start, Unlike
from omega_bridge.audit.witness import Witness
from omega_bridge.catalog import Catalog, Difference, diff
from omega_bridge.config import Config
from omega_bridge.postgres.catalog_reader import read_catalog
from omega_bridge.revisions import alembic_border

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig


WITNESSED = "pg_dump"
"""The attribute of a difference that our own reader does not see."""

Told = Callable[[Difference], tuple[str, str]]
"""Of a difference: the step that it comes from, and what to append."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What was found from one start."""

    start: Start
    differences: tuple[Unlike, ...] = ()
    order_only: tuple[Unlike, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    predictions: Predictions = NO_PREDICTIONS


def alembic(folder: Path, database: ScratchDatabase) -> AlembicConfig:
    """Alembic's configuration for a scratch database, which holds what the list itself put there: rows may go."""
    config = alembic_border.alembic_config(folder, database.url)
    config.attributes["omega_bridge_mark"] = database.token
    config.attributes["omega_bridge_allow_destructive"] = True
    config.attributes["omega_bridge_config"] = Config(root=folder)
    config.attributes["omega_bridge_registry"] = (None, None)
    return config


def upgrade(config: AlembicConfig, revision: str, told: str) -> None:
    """Up to a revision. Raises ``StepFailed`` with the server's words where one cannot be run; ``told`` says which or where."""
    try:
        environment.upgrade(config, revision)
    except Exception as exc:
        if (failed := _failed(exc, revision, told)) is None:
            raise
        raise failed from exc


def upgrade_along(config: AlembicConfig, points: Sequence[tuple[str, str]], after: Callable[[str], object]) -> None:
    """Up to the last of these revisions, each with a word for it, in one go; ``after`` is called at each, while it is the last that stands.

    What is left on the connection is gone by the next one, as if each were an upgrade of its own. Raises as ``upgrade`` does.
    """
    ahead = list(reversed(points))

    def reached(revision: str) -> None:
        if ahead and ahead[-1][0] == revision:
            after(ahead.pop()[0])

    config.attributes["omega_bridge_after"] = reached
    try:
        environment.upgrade(config, points[-1][0])
    except Exception as exc:
        if (failed := _failed(exc, *(ahead or points)[-1])) is None:
            raise
        raise failed from exc


def _failed(exc: Exception, revision: str, told: str) -> errors.StepFailed | None:
    """What the server said of a revision; ``None`` for any other error."""
    said = alembic_border.told_by_server(exc)
    if said is None:
        return None
    return errors.StepFailed(
        f"revision {revision} ({told}) cannot be run: {said}",
        hint="Correct the step in the list and run: omega-bridge export (with a server, which tries each revision)",
    )


class Pair:
    """Both as they are now: read once, by our own reader, and by the witness where it is asked for."""

    def __init__(self, start: str, left: ScratchDatabase, right: ScratchDatabase) -> None:
        self._start = start
        self._left = left
        self._right = right

    @cached_property
    def boot(self) -> Catalog:
        """What the boots led to."""
        return _read(self._left)

    @cached_property
    def alembic(self) -> Catalog:
        """What Alembic led to."""
        return _read(self._right)

    @cached_property
    def _seen(self) -> tuple[Difference, ...]:
        return diff(self.boot, self.alembic)

    def unlike(self, revision: str, told: Told) -> Iterator[Unlike]:
        """What our reader sees."""
        for d in self._seen:
            step, append = told(d)
            yield Unlike(self._start, revision, step, str(d.key), d.attribute, d.left, d.right, append)

    def moved(self, revision: str, told: Told) -> Iterator[Unlike]:
        """Columns in another order, where nothing else differs."""
        for d in () if self._seen else diff(self.boot, self.alembic, ignore=frozenset()):
            yield Unlike(self._start, revision, told(d)[0], str(d.key), d.attribute, d.left, d.right)

    def only_seen_by(self, witness: Witness | None, revision: str, step: str) -> Iterator[Unlike]:
        """What the witness sees, and our reader does not."""
        if witness is None:
            return
        dumps = []
        for database in (self._left, self._right):
            with database.session():
                dumps.append(witness.schema(database.url))
        known = {(d.key.schema, n) for d in self._seen for n in (d.key.table or d.key.name.partition("(")[0],)}
        for seen in witnessing.compare(*dumps):
            if not any(seen.entry.is_of(schema, name) for schema, name in known):
                yield Unlike(self._start, revision, step, str(seen.entry), WITNESSED, _text(seen.left), _text(seen.right))


def _text(lines: tuple[str, ...] | None) -> str | None:
    return None if lines is None else "\n".join(lines)


def _read(database: ScratchDatabase) -> Catalog:
    with database.session() as session:
        return read_catalog(session.connection)
