"""A database that lives through the list's past: a start for each list that it had, on one connection as if it were a new one each time.

A list that has one step more is, for most of it, the list before, on the schema that it left. So a start is given what may have work:
the steps that are new, edited or gone, those that are no plain schema steps, and whatever hangs together with them, by the names of what
any step makes, changes or takes away. Every so often, and at the end, it is given the whole list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from omega_bridge.analysis import StepAnalysis, StepKind, analyse, statements
from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.ledger import Outcome
from omega_bridge.planning import Action
from omega_bridge.postgres.catalog_reader import CatalogReader
from omega_bridge.postgres.session import Session
from omega_bridge.startup.run import Run
from omega_bridge.steps import Registry, Step

OFTEN = 100
"""After so many starts one is given the whole list."""

_KEPT = re.compile(r"\b(ALTER\s+(DATABASE|ROLE|USER)|set_config|pg_db_role_setting)\b", re.IGNORECASE)
"""What may be otherwise on the next connection, though nothing is set on this one."""
_PREPARED = re.compile(r"\b(PREPARE|DEALLOCATE|DISCARD)\b", re.IGNORECASE)
"""What has to do with the statements that are prepared on a connection: these do not outlast it."""


def begins_anew(texts: Collection[str]) -> bool:
    """Whether what these leave for a new connection can only be had on one."""
    return any(_KEPT.search(text) for text in texts)


class Lived:
    """``session``: the connection of all starts; without one each has its own. ``reader``: who reads the catalog for all of them."""

    def __init__(self, database: ScratchDatabase, session: Session | None = None, reader: CatalogReader | None = None) -> None:
        self._database, self._session, self._reader = database, session, reader
        self._held: dict[str, StepAnalysis] = {}
        self._named = _Named()
        self._rough: set[str] = set()
        """Steps about which a start may have something to do each time."""
        self._amiss: set[str] = set()
        """Steps that did not settle in their last start: only another one says what becomes of them."""
        self._is_whole = False
        """Whether steps undo one another: none of them stands for itself."""
        self._starts = 0

    def start(self, steps: Sequence[Step], *, whole: bool = False) -> None:
        """Bring the database to this list; ``whole``: look at all of it."""
        now = {str(step.id): step for step in steps}
        edited, gone = self._take(now)
        is_due = not (whole or self._is_whole or self._starts % OFTEN == 0)
        chosen = self._due(edited, gone) if is_due else now.keys()
        self._starts += 1
        if not chosen:
            return
        run = self._database.boot([now[label] for label in now if label in chosen], session=self._session, reader=self._reader)
        self._is_whole = self._is_whole or bool(run.unsettled)
        self._amiss = self._amiss.difference(chosen) | set(_amiss(run))

    def _take(self, now: Mapping[str, Step]) -> tuple[Collection[str], Sequence[StepAnalysis]]:
        """Hold this list from now on; the labels of what is new or edited, and what is there no more."""
        held = self._held
        edited = [label for label, step in now.items() if (old := held.get(label)) is None or not _is_same(old.step, step)]
        gone = {label: step for label, step in held.items() if label not in now} | {
            label: held[label] for label in edited if label in held
        }
        for label, step in gone.items():
            del held[label]
            self._named.leave(label, step)
            self._rough.discard(label)
        for label in edited:
            held[label] = step = analyse(Registry((now[label],))).steps[0]
            self._named.come(label, step)
            if not _is_plain(step):
                self._rough.add(label)
        self._amiss &= now.keys()
        return edited, tuple(gone.values())

    def _due(self, edited: Collection[str], gone: Sequence[StepAnalysis]) -> Collection[str]:
        """The labels of the steps that may have work, and of those that a start has to know for it."""
        due = self._rough | self._amiss | set(edited)
        if any(_is_far_reaching(step) for step in (*gone, *(self._held[label] for label in due))):
            return self._held.keys()
        return self._named.together(self._held, due, {name for step in gone for name in step.names})


class _Named:
    """Which steps name what, and how many change what bears a name."""

    def __init__(self) -> None:
        self._by: dict[str, set[str]] = {}
        self._changing: Counter[str] = Counter()

    def come(self, label: str, step: StepAnalysis) -> None:
        """A step more."""
        for name in step.names:
            self._by.setdefault(name, set()).add(label)
        self._changing.update(step.reading.changes)

    def leave(self, label: str, step: StepAnalysis) -> None:
        """One fewer."""
        for name in step.names:
            self._by[name].discard(label)
        self._changing.subtract(step.reading.changes)

    def together(self, steps: Mapping[str, StepAnalysis], due: Collection[str], names: Collection[str]) -> set[str]:
        """The steps that hang together with those that are ``due``, or with ``names``, by what any step changes."""
        found, looked = set(due), set[str]()
        ahead = [*names, *(name for label in due for name in steps[label].names)]
        while ahead:
            if (name := ahead.pop()) in looked:
                continue
            looked.add(name)
            new = self._by.get(name, set()) - found if self._changing[name] > 0 else ()
            found.update(new)
            ahead += [other for label in new for other in steps[label].names]
        return found


def _is_same(held: Step, step: Step) -> bool:
    return held is step or held == step


@contextmanager
def lived(database: ScratchDatabase, texts: Collection[str]) -> Iterator[Lived]:
    """A database for lists with these texts. Raises ``NotScratch``."""
    if begins_anew(texts):
        yield Lived(database)
        return
    with database.session() as session:
        if any(map(_PREPARED.search, texts)):
            yield Lived(database, session)
            return
        session.connection.prepare_threshold = None  # psycopg deallocates all it finds where one of its own may be stale
        yield Lived(database, session, CatalogReader(session))


def _amiss(run: Run) -> Iterator[str]:
    for step in run.steps:
        is_done = step.outcome is Outcome.APPLIED or (step.action is Action.SKIP and step.outcome is Outcome.ALREADY_THERE)
        if not is_done:
            yield step.id


def _is_plain(step: StepAnalysis) -> bool:
    """Whether a start has nothing to do about it once it has worked, while nobody changes what it names."""
    return step.kind is StepKind.SCHEMA and step.reading.is_certain and not step.reading.only_sets


def is_plain(step: Step) -> bool:
    """Whether the schema shows all that a step leaves, and a start has nothing to do about it once it has worked."""
    found = analyse(Registry((step,))).steps[0]
    return _is_plain(found) and not _is_far_reaching(found)


def _is_far_reaching(step: StepAnalysis) -> bool:
    """Whether it may change what it does not name."""
    found = tuple(statements(step.program, handlers=True))
    return not step.reading.is_certain or any(s.opaque or s.cascade for s in found) or step.reading.only_sets
