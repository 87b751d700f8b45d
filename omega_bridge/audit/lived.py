"""A database that lives through the list's past: a start for each list that it had, on one connection as if it were a new one each time.

A list that has one step more is, for most of it, the list before, on the schema that it left. So a start is given what may have work:
the steps that are new, edited or gone, those that are no plain schema steps, and whatever hangs together with them, by the names of what
any step makes, changes or takes away. Every so often, and at the end, it is given the whole list.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from omega_bridge.analysis import StepAnalysis, StepKind, analyse, statements
from omega_bridge.audit.scratch import ScratchDatabase
from omega_bridge.ledger import Outcome
from omega_bridge.planning import Action
from omega_bridge.postgres.session import Session
from omega_bridge.startup.run import Run
from omega_bridge.steps import Registry, Step

OFTEN = 100
"""After so many starts one is given the whole list."""

_KEPT = re.compile(r"\b(ALTER\s+(DATABASE|ROLE|USER)|set_config|pg_db_role_setting)\b", re.IGNORECASE)
"""What may be otherwise on the next connection, though nothing is set on this one."""


def begins_anew(texts: Collection[str]) -> bool:
    """Whether what these leave for a new connection can only be had on one."""
    return any(_KEPT.search(text) for text in texts)


class Lived:
    """``session``: the connection of all starts; without one each has its own."""

    def __init__(self, database: ScratchDatabase, session: Session | None = None) -> None:
        self._database, self._session = database, session
        self._held: dict[str, StepAnalysis] = {}
        self._amiss: set[str] = set()
        """Steps that did not settle in their last start: only another one says what becomes of them."""
        self._is_whole = False
        """Whether steps undo one another: none of them stands for itself."""
        self._starts = 0

    def start(self, steps: Sequence[Step], *, whole: bool = False) -> None:
        """Bring the database to this list; ``whole``: look at all of it."""
        now = {str(step.id): self._read(step) for step in steps}
        chosen = now.keys() if whole or self._is_whole or self._starts % OFTEN == 0 else self._due(now)
        self._starts += 1
        self._held = now
        self._amiss &= now.keys()
        if not chosen:
            return
        run = self._database.boot([now[label].step for label in now if label in chosen], session=self._session)
        self._is_whole = self._is_whole or bool(run.unsettled)
        self._amiss = self._amiss.difference(chosen) | set(_amiss(run))

    def _read(self, step: Step) -> StepAnalysis:
        held = self._held.get(str(step.id))
        return held if held is not None and held.step == step else analyse(Registry((step,))).steps[0]

    def _due(self, now: Mapping[str, StepAnalysis]) -> Collection[str]:
        """The labels of the steps that may have work, and of those that a start has to know for it."""
        edited = {label for label, step in now.items() if step is not self._held.get(label)}
        gone = [step for label, step in self._held.items() if step is not now.get(label)]
        due = edited | {label for label, step in now.items() if label in self._amiss or not _is_plain(step)}
        if any(_is_far_reaching(step) for step in (*gone, *(now[label] for label in due))):
            return now.keys()
        return _together(now, due, {name for step in gone for name in step.names})


@contextmanager
def lived(database: ScratchDatabase, texts: Collection[str]) -> Iterator[Lived]:
    """A database for lists with these texts. Raises ``NotScratch``."""
    if begins_anew(texts):
        yield Lived(database)
        return
    with database.session() as session:
        yield Lived(database, session)


def _amiss(run: Run) -> Iterator[str]:
    for step in run.steps:
        is_done = step.outcome is Outcome.APPLIED or (step.action is Action.SKIP and step.outcome is Outcome.ALREADY_THERE)
        if not is_done:
            yield step.id


def _is_plain(step: StepAnalysis) -> bool:
    """Whether a start has nothing to do about it once it has worked, while nobody changes what it names."""
    return step.kind is StepKind.SCHEMA and step.reading.is_certain and not step.reading.only_sets


def _is_far_reaching(step: StepAnalysis) -> bool:
    """Whether it may change what it does not name."""
    found = tuple(statements(step.program, handlers=True))
    return not step.reading.is_certain or any(s.opaque or s.cascade for s in found) or step.reading.only_sets


def _together(steps: Mapping[str, StepAnalysis], due: Collection[str], names: Collection[str]) -> set[str]:
    """The steps that hang together with those that are ``due``, or with ``names``."""
    changed = frozenset().union(*(step.reading.changes for step in steps.values()))
    by_name: dict[str, list[str]] = {}
    for label, step in steps.items():
        for name in step.names & changed:
            by_name.setdefault(name, []).append(label)
    found, looked = set(due), set[str]()
    ahead = [*names, *(name for label in due for name in steps[label].names)]
    while ahead:
        if (name := ahead.pop()) in looked:
            continue
        looked.add(name)
        new = [label for label in by_name.get(name, ()) if label not in found]
        found.update(new)
        ahead += [other for label in new for other in steps[label].names]
    return found
