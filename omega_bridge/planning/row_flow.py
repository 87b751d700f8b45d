"""Where rows come from and go to beside what a statement names: through views, functions, triggers, rules, keys, children. Pure.

Names stand without their schema and in lower case: two objects of one name count as one, so that what may flow is never missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import NamedTuple, Self

from omega_bridge.analysis import StepAnalysis, statements
from omega_bridge.analysis.program import RELATIONS
from omega_bridge.catalog import Kind
from omega_bridge.planning.words import ANYWHERE, words_of
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

_BOTH = frozenset({"view", "function", "child"})
_READ_BY_WORDS = frozenset({"sql", "plpgsql"})
_TOUCHES_NO_TABLE = frozenset({"c", "internal"})
"""Functions in C are taken for ones that read and write no table by its name."""


class Link(NamedTuple):
    """Who reads or writes ``origin`` reaches ``target``, too. ``kind``: ``view``, ``function`` and ``child`` for both, ``trigger``,
    ``rule``, ``default`` and ``cascade`` for who writes.
    """

    kind: str
    origin: str
    target: str


class Routine(NamedTuple):
    """A function of users, with its source text."""

    name: str
    language: str
    source: str


@dataclass(frozen=True, slots=True)
class RowFlow:
    """``relations``: the names of all tables and views; the others: by name, the names that it leads to."""

    relations: frozenset[str] = frozenset()
    routines: frozenset[str] = frozenset()
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    writes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, relations: Iterable[str], links: Iterable[Link], routines: Iterable[Routine]) -> Self:
        """The flow that a database's objects make."""
        reads: dict[str, set[str]] = {}
        writes: dict[str, set[str]] = {}
        names = set()
        for routine in routines:
            names.add(routine.name.lower())
            for told in (reads, writes):
                told.setdefault(routine.name.lower(), set()).update(_reached_by(routine))
        for kind, origin, target in links:
            if kind in _BOTH:
                reads.setdefault(origin.lower(), set()).add(target.lower())
            writes.setdefault(origin.lower(), set()).add(target.lower())
        return cls(frozenset(r.lower() for r in relations), frozenset(names), _frozen(reads), _frozen(writes))

    def read_with(self, names: Iterable[str]) -> frozenset[str]:
        """What who reads any of the names reads; with ``ANYWHERE`` where that is not known."""
        return _reached(names, self.reads)

    def written_with(self, names: Iterable[str]) -> frozenset[str]:
        """The relations that who writes to, or calls, any of the names writes to; with ``ANYWHERE`` where that is not known."""
        return _reached(names, self.writes) & (self.relations | {ANYWHERE})


def _reached(names: Iterable[str], leads: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = set(names)
    ahead = list(found)
    while ahead:
        more = leads.get(ahead.pop(), frozenset()) - found
        found |= more
        ahead += more
    return frozenset(found)


def _reached_by(routine: Routine) -> frozenset[str]:
    words = words_of(routine.source)
    if routine.language in _TOUCHES_NO_TABLE:
        return frozenset()
    return words if routine.language in _READ_BY_WORDS and "execute" not in words else words | {ANYWHERE}


def _frozen(names: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(reached) for name, reached in names.items()}


def flow_of_steps(relations: Iterable[str], steps: Iterable[StepAnalysis]) -> RowFlow:
    """The flow that a list makes of its own, as far as its text tells: who has no server to ask."""
    links: list[Link] = []
    routines: list[Routine] = []
    tables = {name.lower() for name in relations}
    for step in steps:
        for s in statements(step.program):
            words = words_of(s.text)
            for effect in s.effects:
                key = effect.key
                if not effect.present:
                    continue
                if key.kind is Kind.FUNCTION:
                    language = "plpgsql" if words & _READ_BY_WORDS else "unknown"
                    routines.append(Routine(key.name.partition("(")[0], language, s.text))
                elif key.kind in (Kind.VIEW, Kind.MATERIALIZED_VIEW):
                    links += [Link("view", key.name, word) for word in words]
                elif key.kind is Kind.TRIGGER:
                    links += [Link("trigger", key.table, word) for word in words]
                elif key.kind in RELATIONS and words & {"inherits", "partition"}:
                    links += [Link("child", word, key.name) for word in words & tables]
            if s.tag == Tag.RULE:
                links += [Link("rule", one, other) for one in words & tables for other in words & tables]
            if "references" in words and words & {"cascade", "set"}:
                links += [Link("cascade", one, other) for one in words & tables for other in words & tables]
    return RowFlow.of(tables, links, routines)
