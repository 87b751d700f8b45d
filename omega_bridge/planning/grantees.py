"""Grants of which an expectation says nothing: to roles that steps name, and that had nothing where it was made.

A role is the server's, and a scratch server need not have it: a ``GRANT`` to it is rejected there, a guard on ``pg_roles`` leaves it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from omega_bridge.catalog import Key, Kind, texts
from omega_bridge.expectation import Compared, Departure, Expectation
from omega_bridge.expected_grants import grants_of
from omega_bridge.kinds.privileges import ALL
from omega_bridge.planning.words import words_of

if TYPE_CHECKING:
    from omega_bridge.analysis import Analysis, StepAnalysis


@dataclass(frozen=True, slots=True)
class Grantees:
    """``known``: roles that have or own something there. ``naming``: the steps that were not wholly read, each with its words.

    ``rejected``: the ids of those that PostgreSQL rejected there.
    """

    known: frozenset[str]
    naming: tuple[tuple[StepAnalysis, frozenset[str]], ...]
    rejected: frozenset[str]

    @classmethod
    def of(cls, expected: Expectation, analysis: Analysis) -> Grantees:
        """Of a list, and of what it leads to elsewhere."""
        objects = expected.catalog.objects
        owners = {str(attributes["owner"]) for attributes in objects.values() if attributes.get("owner")}
        given = {role for key, attributes in objects.items() for role in _rights(grants_of(key, attributes, expected.role))}
        made = {key.name for key in objects if key.kind is Kind.ROLE}
        naming = tuple((step, words_of(step.step.sql)) for step in analysis if any(s.opaque for s in step.reading.statements))
        return cls(frozenset({"public", "owner", expected.role, *owners, *given, *made}), naming, frozenset(expected.rejected))

    def giver(self, key: Key, role: str) -> StepAnalysis | None:
        """The step that may have given ``role`` something on ``key`` here and not there; ``None`` where there is none."""
        naming = [(step, words) for step, words in self.naming if _names_role(step.step.sql, words, role)]
        on = [step for step, words in naming if _is_named(key, step.step.sql, words)]
        if role in self.known:
            return next((step for step in on if step.id in self.rejected), None)
        return next(iter(on), naming[0][0] if naming else None)

    def givers(self, key: Key, roles: Iterable[str]) -> dict[str, StepAnalysis]:
        """The same of several, by role."""
        return {role: step for role in roles if (step := self.giver(key, role)) is not None}

    def sayer(self, key: Key, roles: Iterable[str]) -> StepAnalysis | None:
        """The last step that says what one of them may do with ``key``, if only by taking what nobody has; ``None`` where none does."""
        said = [
            (step, words) for step, words in self.naming if _SAYS.search(step.step.sql) and _is_named(key, step.step.sql, words)
        ]
        named = (step for step, words in reversed(said) if any(_names_role(step.step.sql, words, role) for role in roles))
        return next(named, None)

    def set_apart(self, seen: Compared) -> Compared:
        """Without the differences that are theirs, which were not looked at."""
        unseen: list[str] = []
        departures = tuple(kept for d in seen.departures for kept in self._kept(d, unseen))
        return replace(seen, departures=departures, unseen=(*seen.unseen, *unseen)) if unseen else seen

    def _kept(self, departure: Departure, unseen: list[str]) -> Iterator[Departure]:
        if departure.attribute != "grants":
            yield departure
            return
        one, other = _rights(texts(departure.expected)), _rights(texts(departure.found))
        givers = self.givers(departure.key, _differing(one, other))
        if givers:
            steps = ", ".join(dict.fromkeys(step.id for step in givers.values()))
            unseen.append(
                f"{departure.key}: grants to {', '.join(givers)}, which {steps} did not give where the expectation was made"
            )
        expected, found = ([f"{r}={may}" for r, may in rights.items() if r not in givers] or [ALL] for rights in (one, other))
        if not givers or expected != found:
            yield replace(departure, expected=tuple(expected), found=tuple(found)) if givers else departure


def changed_roles(before: Iterable[str] | None, after: Iterable[str] | None) -> list[str]:
    """Who may do something else than before, by two answers of ``grants_of``."""
    return _differing(_rights(before), _rights(after))


def _rights(items: Iterable[str] | None) -> dict[str, str]:
    """By role what it may do, in letters; the word for "nobody else" left out."""
    return dict(item.rpartition("=")[::2] for item in items or () if item != ALL)


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [role for role in sorted({*one, *other}) if one.get(role) != other.get(role)]


_SAYS = re.compile(r"\b(?:grant|revoke)\b", re.IGNORECASE)
_PUBLIC = re.compile(r'\b(?:to|from)\s+(?:group\s+)?(?:[\w"$]+\s*,\s*)*public\b', re.IGNORECASE)
"""Everybody; by itself the word is most often the schema."""


def _names_role(sql: str, words: frozenset[str], role: str) -> bool:
    return role.lower() in words and (role != "public" or _PUBLIC.search(sql) is not None)


_ALL_IN = re.compile(r"\ball\s+\w+\s+in\s+schema\b", re.IGNORECASE)


def _is_named(key: Key, sql: str, words: frozenset[str]) -> bool:
    if key.schema in words and _ALL_IN.search(sql) is not None:
        return True
    return words_of(f"{key.table} {key.name.partition('(')[0]}") <= words
