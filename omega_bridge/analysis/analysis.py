"""Registry to analysis: for each step its program, kind, label and checksum. Pure; nothing is asked of a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from omega_bridge import sql
from omega_bridge.analysis.program import Effect, Program, statements
from omega_bridge.analysis.reading import Reading, StepKind, reading_of, unclaimed
from omega_bridge.catalog import Kind
from omega_bridge.errors import StepSyntaxError
from omega_bridge.steps import Registry, Step
from omega_bridge.values import dataclass


@dataclass(frozen=True, slots=True)
class StepAnalysis:
    """What is known of one step before any database is asked.

    ``id`` is the explicit one or a label from what the step does, unique within the registry.
    """

    step: Step
    id: str
    reading: Reading

    @property
    def kind(self) -> StepKind:
        """How it is judged."""
        return self.reading.kind

    @property
    def program(self) -> Program:
        """What it does."""
        return self.reading.program

    @property
    def names(self) -> frozenset[str]:
        """The identifiers that the step, or a guard of it, names."""
        return self.reading.names

    @property
    def problem(self) -> StepSyntaxError | None:
        """Why the text does not parse: such a step is carried as it is, and the server has the last word."""
        return self.reading.problem

    @property
    def is_empty(self) -> bool:
        """Whether there is no statement in it: blanks and comments."""
        return not self.program and self.problem is None and not self.texts()

    @property
    def checksum(self) -> str:
        """Of the step's canonical text: deaf to white space, comments and keyword case. Found when it is asked for."""
        return self.reading.checksum

    @property
    def transactional(self) -> bool:
        """Whether the whole step may run inside a transaction."""
        return self.reading.transactional

    @property
    def may_destroy(self) -> bool:
        """Whether a statement of the step drops or truncates, or may do so without our seeing it."""
        return self.reading.may_destroy

    @property
    def is_additive(self) -> bool:
        """Whether the step only adds what an older program can ignore: a release before it may go on running."""
        return self.reading.is_additive

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Every effect of every statement, in order, whatever its guard."""
        return tuple(e for s in statements(self.program) for e in s.effects)

    def texts(self) -> tuple[str, ...]:
        """The step's statements one by one, as written: for those that refuse a transaction."""
        if self.problem:
            return (self.step.sql,)
        return tuple(statement.text for statement in sql.parse(self.step.sql))


@dataclass(frozen=True)
class Analysis:
    """The registry's steps with all that is known of them, in order."""

    registry: Registry
    steps: tuple[StepAnalysis, ...]

    def __iter__(self) -> Iterator[StepAnalysis]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def names(self) -> frozenset[str]:
        """Every identifier that a step or a guard names: what a catalog reader has to look at."""
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset().union(*(step.names for step in self.steps))

    def provided(self) -> frozenset[tuple[Kind, str]]:
        """Kind and name of everything that some step makes."""
        return frozenset().union(*(step.reading.provides for step in self.steps))


def analyse(registry: Registry) -> Analysis:
    """Read every step of the registry."""
    read = [reading_of(step.sql) for step in registry.steps]
    labels = _labels(registry.steps, [r.label for r in read])
    return Analysis(registry, tuple(map(StepAnalysis, registry.steps, labels, read)))


def with_escapes(analysis: Analysis) -> Analysis:
    """For a server on which a backslash in an ordinary literal is an escape: what holds one means something else there.

    The parser reads literals by the standard, so nothing is claimed of such a step: it runs as it is written.
    """
    return Analysis(
        analysis.registry,
        tuple(replace(s, reading=unclaimed(s.reading)) if "\\" in s.step.sql else s for s in analysis),
    )


# --- labels ----------------------------------------------------------------------------------------------------


def _labels(steps: Iterable[Step], own: Iterable[str | None]) -> list[str]:
    wanted = [s.id or o or f"step-{sql.checksum(s.sql).partition(':')[2][:8]}" for s, o in zip(steps, own, strict=True)]
    explicit = {s.id for s in steps if s.id}
    seen: Counter[str] = Counter()
    taken: set[str] = set()
    labels: list[str] = []
    for step, label in zip(steps, wanted, strict=True):
        unique = label
        while step.id is None and (unique in explicit or unique in taken):
            seen[label] += 1
            unique = f"{label}-{seen[label] + 1}"
        taken.add(unique)
        labels.append(unique)
    return labels
