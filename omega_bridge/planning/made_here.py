"""What a list does in a database and did not do where its expectation was made, or the other way round.

A guard asks for a role, an extension, a version or a table of another's; a block has another way behind an error; PostgreSQL rejects a
statement on one server alone. What such a statement says of an object is no difference by itself: it is named, and held against what the
last start saw.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omega_bridge.analysis.extensions import said_of_extensions
from omega_bridge.analysis.program import (
    Condition,
    Exists,
    Handled,
    If,
    Pattern,
    Program,
    Sql,
    Unknown,
    leaves,
    patterns,
    statements,
)
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.expectation import Compared, Departure, Expectation, What, whole_of
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.statements import ReadAs
from omega_bridge.planning.attributes import same
from omega_bridge.planning.words import words_of
from omega_bridge.planning.world import World, is_anything
from omega_bridge.tags import Tag

if TYPE_CHECKING:
    from omega_bridge.analysis import Analysis, StepAnalysis

_OF_SERVER = re.compile(
    r"\b(pg_roles|pg_authid|pg_user|pg_auth_members|to_regrole|regrole|has_\w+_privilege|pg_has_role|current_user|session_user|current_role"
    r"|pg_extension|pg_available_extensions?|pg_available_extension_versions|current_setting|pg_settings|version|server_version\w*"
    r"|current_database|current_catalog|pg_database|getdatabaseencoding|pg_encoding_to_char|pg_tablespace"
    r"|pg_is_in_recovery|inet_server_\w+)\b",
    re.IGNORECASE,
)
"""What a guard asks of the server, or of what others have installed on it."""


def _tags(*, is_common: bool) -> frozenset[Tag]:
    rooms = (room for room in ROOMS.values() if room.is_common is is_common and not room.is_of_server)
    return frozenset(tag for room in rooms for said in room.statements.all() if not isinstance(said, ReadAs) for tag in said.tags)


_UNRECORDED = _tags(is_common=False) - _tags(is_common=True)
"""Statements about objects that a start does not record: nothing is known of them but what the expectation says."""


@dataclass(frozen=True, slots=True)
class MadeHere:
    """``made``: what the list leads to by its text, and not where the expectation was made. ``taken``: what such a statement takes away at
    last. ``ways``: what statements say of an object
    that may run on one server alone, by step. ``alone``: what no other statement makes. ``naming``: the words of such statements that are
    not read; ``unrecorded``: those of them about objects that a start does not record. ``of_extensions``: what the list says of these.
    """

    expected: Catalog
    made: Mapping[Key, StepAnalysis]
    taken: Mapping[Key, StepAnalysis]
    ways: Mapping[Key, tuple[tuple[StepAnalysis, Mapping[str, object]], ...]]
    alone: frozenset[Key]
    naming: tuple[_Naming, ...]
    unrecorded: tuple[tuple[StepAnalysis, str], ...]
    of_extensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, expected: Expectation, found: Catalog, analysis: Analysis) -> MadeHere:
        """Of a list, of what it leads to elsewhere, and of what is here."""
        servers = _Servers.of(expected, found, analysis)
        last: dict[Key, StepAnalysis | None] = {}
        taken: dict[Key, StepAnalysis] = {}
        ways: dict[Key, list[tuple[StepAnalysis, Mapping[str, object]]]] = {}
        sure: set[Key] = set()
        naming: list[_Naming] = []
        unrecorded: list[tuple[StepAnalysis, str]] = []
        for step in analysis:
            is_rejected = step.id in expected.rejected
            apart = frozenset(map(id, step.reading.statements if is_rejected else servers.ways(step.program, step.step.sql)))
            sure |= frozenset() if is_rejected else servers.sure(step.program, step.step.sql)
            naming += [_Naming.of(step, s) for s in step.reading.statements if s.opaque and id(s) in apart]
            if not is_rejected:  # else the step is named as a whole
                apart_here = (s for s in step.reading.statements if id(s) in apart and s.tag in _UNRECORDED)
                unrecorded += [(step, s.text) for s in apart_here]
            for statement in step.reading.statements:
                for effect in (*statement.effects, *statement.implied):
                    key = servers.there.place(effect.key)
                    if not effect.present:
                        last = {k: s for k, s in last.items() if (k.schema, k.table) != (key.schema, key.name) or key.table}
                    last[key] = step if effect.present and id(statement) in apart else None
                    taken.pop(key, None)
                    if not effect.present and id(statement) in apart:
                        taken[key] = step
                    if effect.present and id(statement) in apart:
                        ways.setdefault(key, []).append((step, dict(effect.attributes)))
                for effect in () if id(statement) in apart else statement.effects:
                    key, said = servers.there.place(effect.key), dict(effect.attributes)
                    if effect.present and key in ways:  # the last word on these
                        ways[key] = [(s, {n: v for n, v in way.items() if n not in said}) for s, way in ways[key]]
        made = {key: step for key, step in last.items() if step is not None and key not in expected.catalog}
        alone = frozenset(ways) - sure
        return cls(
            expected.catalog,
            made,
            taken,
            {k: tuple(w) for k, w in ways.items()},
            alone,
            tuple(naming),
            tuple(unrecorded),
            said_of_extensions(analysis),
        )

    def maker(self, key: Key, attributes: Mapping[str, object]) -> StepAnalysis | None:
        """The step that an object comes from which the expectation has not; ``None`` where no step is known to make it."""
        if key in self.expected:
            return None
        return self.made.get(key) or next(
            (self.made[whole] for whole in (whole_of(key, attributes) or ()) if whole in self.made),
            next(self._named_after(key, attributes, self.made), None)
            or next((naming.step for naming in self.naming if naming.may_make(key)), None),
        )

    @staticmethod
    def _named_after(key: Key, attributes: Mapping[str, object], columns: Mapping[Key, StepAnalysis]) -> Iterator[StepAnalysis]:
        """By the column of which PostgreSQL makes the names of constraints, indexes and sequences."""
        if key.kind in (Kind.CONSTRAINT, Kind.INDEX, Kind.SEQUENCE):
            for whole in whole_of(key, attributes) or ():
                for column, step in columns.items():
                    is_of_it = column.kind is Kind.COLUMN and (column.schema, column.table) == (whole.schema, whole.name)
                    if is_of_it and key.name.startswith(f"{column.table}_{column.name}_"):
                        yield step

    def table_maker(self, key: Key, attributes: object) -> StepAnalysis | None:
        """The step that the table comes from of which something is a part that no step is known to make; ``None`` where it is another's."""
        if key in self.made or not isinstance(attributes, Mapping):
            return None
        return next((self.made[whole] for whole in whole_of(key, attributes) or () if whole in self.made), None)

    def way(self, key: Key, attribute: str, value: object) -> StepAnalysis | None:
        """The step of which one way makes the attribute so, or may, since it is not read; ``None`` where none does."""
        for step, said in self.ways.get(key, ()):
            told = said.get(attribute)
            if attribute in said and (is_anything(told) or same(key, attribute, {attribute: value}, told) is not False):
                return step
        return next((naming.step for naming in self.naming if naming.may_set(key, attribute)), None)

    def changed(self, key: Key, attribute: str, attributes: Mapping[str, object]) -> StepAnalysis | None:
        """The step to which a change since the last start is one of its own work, which the expectation says nothing of."""
        if key in self.taken and not attribute:
            return self.taken[key]
        if key not in self.expected:
            return self.maker(key, attributes)
        if not attribute:
            return self.ways[key][0][0] if key in self.alone else None
        return self.way(key, attribute, attributes.get(attribute))

    def set_apart(self, seen: Compared, found: Catalog, recorded: Catalog | None = None) -> Compared:
        """Without what is so by such a statement. It was not looked at, but for what a statement says in so many words and the last start has
        ``recorded``.
        """
        named: list[str] = []

        def is_apart(departure: Departure) -> bool:
            told = self._apart(departure, found)
            if told is not None and not (recorded is not None and departure.key in recorded and self._is_said(departure)):
                named.append(told)
            return told is not None

        departures = tuple(d for d in seen.departures if not is_apart(d))
        beyond = tuple(k for k in seen.beyond if not (k in self.made and is_apart(Departure(What.ADDED, k))))
        named += [f"what {step.id} makes where its guard holds: {_short(text)}" for step, text in self.unrecorded]
        extensions = ((d.key, d.attribute) for d in seen.departures if d.key.kind is Kind.EXTENSION and d.attribute == "schema")
        apart = seen.apart | (frozenset(extensions) - frozenset((d.key, d.attribute) for d in departures))
        return Compared(departures, beyond, (*seen.unseen, *named), apart)

    def _is_said(self, departure: Departure) -> bool:
        """Whether the text of a step makes it just as it is."""
        key, name, found = departure.key, departure.attribute, departure.found
        if departure.what is not What.DIFFERENT:
            return key in self.taken or key in self.made
        said = (said[name] for _, said in self.ways.get(key, ()) if name in said)
        return any(not is_anything(told) and same(key, name, {name: found}, told) is True for told in said)

    def _taker(self, departure: Departure) -> StepAnalysis | None:
        """The step that may take it away on one server alone, or the column of which PostgreSQL has made its name."""
        if departure.what is What.DIFFERENT:
            return None
        key = departure.key
        if key in self.taken or departure.what is not What.MISSING:
            return self.taken.get(key)
        return next(self._named_after(key, self.expected.get(key) or {}, self.taken), None)

    def _apart(self, departure: Departure, found: Catalog) -> str | None:
        """Why it is no difference; ``None`` where it is one."""
        key, name = departure.key, departure.attribute
        if (taker := self._taker(departure)) is not None:
            return f"{key}: {taker.id} may take it away on one of the two servers alone, here or where the expectation was made"
        if departure.what is What.ADDED:
            step = self.maker(key, found.objects[key])
            return f"{key}: where the expectation was made, {step.id} has not made it" if step is not None else None
        if departure.what is What.MISSING:
            step = self.ways[key][0][0] if key in self.alone else None
            return (
                f"{key}: {step.id} made it where the expectation was made, and may not do so here" if step is not None else None
            )
        if key.kind is Kind.EXTENSION and name in ("schema", "version"):
            return (
                None
                if (key.name, name) in self.of_extensions
                else f"{key}: its {name} is {departure.found}, and no step says which"
            )
        step = self.way(key, name, departure.found)
        told = "may make another here than where the expectation was made"
        return f"{key}: its {name}, which {step.id} {told}" if step is not None else None


@dataclass(frozen=True, slots=True)
class _Servers:
    """``there``: what the list leads to elsewhere; ``here``: what is in this database; ``names``: of what the list makes."""

    there: World
    here: World
    names: frozenset[str]

    @classmethod
    def of(cls, expected: Expectation, found: Catalog, analysis: Analysis) -> _Servers:
        names = (e.key.name for step in analysis for s in step.reading.statements for e in (*s.effects, *s.implied) if e.present)
        return cls(World(expected.catalog), World(found), frozenset(names))

    def ways(self, program: Program, text: str) -> Iterator[Sql]:
        """The statements that may run on one of the two servers alone."""
        for node in program:
            match node:
                case If(arms, otherwise):
                    every = (*(arm for _, arm in arms), otherwise)
                    if self._may_differ(node, text):
                        yield from (s for arm in every for s in statements(arm, handlers=True))
                    else:
                        yield from (s for arm in every for s in self.ways(arm, text))
                case Handled(body) if _does_work(node):
                    yield from statements((node,), handlers=True)
                case Handled(body):
                    yield from self.ways(body, text)

    def sure(self, program: Program, text: str) -> frozenset[Key]:
        """What is made whichever way the program goes."""
        found: frozenset[Key] = frozenset()
        for node in program:
            match node:
                case Sql():
                    found |= {self.there.place(e.key) for e in (*node.effects, *node.implied) if e.present}
                case If(arms, otherwise):
                    every = [self.sure(arm, text) for arm in (*(arm for _, arm in arms), otherwise)]
                    found |= frozenset.intersection(*every) if self._may_differ(node, text) else frozenset().union(*every)
                case Handled(body, handlers) if _does_work(node):
                    found |= self.sure(body, text).intersection(*(self.sure(arm, text) for _, arm in handlers))
                case Handled(body):
                    found |= self.sure(body, text)
        return found

    def _may_differ(self, node: If, text: str) -> bool:
        every = tuple(statements((node,), handlers=True))
        made = {e.key for s in every for e in s.effects}
        roles = frozenset().union(*(words_of(s.text) for s in every if _CREATES_ROLE.search(s.text)))
        return any(self._is_of_server(condition, made, roles, text) for condition, _ in node.arms)

    def _is_of_server(self, condition: Condition, made: set[Key], roles: frozenset[str], step: str) -> bool:
        """Whether a guard may be answered otherwise on the other server, by what the list does not make, or by rows."""
        asked = (leaf.text for leaf in leaves(condition) if isinstance(leaf, Unknown) and not _asks_for(leaf.text, roles))
        return any(_is_of_no_schema(text, step) for text in asked) or any(
            self._is_anothers(pattern, made) for pattern in patterns(condition)
        )

    def _is_anothers(self, pattern: Pattern, made: set[Key]) -> bool:
        if pattern.name is None:
            return False
        if Kind.EXTENSION in pattern.kinds:
            if Key(Kind.EXTENSION, "", "", pattern.name) in made:
                return False
        elif pattern.name in self.names:
            return False
        here, there = (world.answer(Exists(pattern)) for world in (self.here, self.there))
        return here is None or here is not there


def _short(text: str) -> str:
    told = " ".join(text.split())
    return told if len(told) <= 100 else f"{told[:97]}..."


_CREATES_ROLE = re.compile(r"\bcreate\s+(?:role|user|group)\b", re.IGNORECASE)
_LITERAL = re.compile(r"'([^']*)'")


def _asks_for(guard: str, names: frozenset[str]) -> bool:
    """Whether it asks for just what is made behind it: then that is there, whatever the answer is."""
    asked = {name.lower() for name in _LITERAL.findall(guard)}
    return bool(asked) and asked <= names


def _does_work(node: Handled) -> bool:
    return any(s.effects or s.opaque for _, arm in node.handlers for s in statements(arm, handlers=True))


def _is_of_no_schema(guard: str, step: str) -> bool:
    """Whether a guard that is not read asks for the server, or for rows: the scratch database has none. One that asks for the schema, as
    far as can be seen, is answered alike.
    """
    if _OF_SERVER.search(guard):
        return True
    asked = _FROM.findall(guard)
    return not all(map(_CATALOG.match, asked)) if asked else _CATALOG.search(step) is None


_FROM = re.compile(r'\b(?:from|join)\s+(?:only\s+)?([\w".]+)', re.IGNORECASE)
_CATALOG = re.compile(
    r"\b(?:pg_catalog\.)?pg_(?!sleep)\w+|\binformation_schema\b|\bto_reg\w+|\breg(?:class|type|proc|procedure|namespace)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Naming:
    """A statement that is not read, and the words in it."""

    step: StepAnalysis
    tag: Tag
    words: frozenset[str]
    is_of_owner: bool

    @classmethod
    def of(cls, step: StepAnalysis, statement: Sql) -> _Naming:
        words = words_of(statement.text)
        return cls(step, statement.tag, words, statement.tag is Tag.ALTER_OWNER or {"owner", "to"} <= words)

    def may_make(self, key: Key) -> bool:
        """Whether the object may be its work."""
        return (
            _words(key) <= self.words
            and not self.is_of_owner
            and (self.tag in _ANYTHING or self.tag in _room_tags(key.kind) - _NO_MAKERS)
        )

    def may_set(self, key: Key, attribute: str) -> bool:
        """Whether the attribute may be its work; grants have givers of their own."""
        if attribute == "grants" or not _words(key) <= self.words:
            return False
        if self.is_of_owner:
            return attribute == "owner"
        if attribute == "comment" and key.kind is not Kind.EXTENSION and self.words.isdisjoint(_COMMENTING):
            return False
        return self.tag is Tag.EXECUTE_COMPUTED or self.tag in _room_tags(key.kind) - _NO_MAKERS


_COMMENTING = frozenset({"comment", "comments", "all"})
"""A statement without any of these words makes something without a comment; but an extension brings its own."""
_ANYTHING = frozenset({Tag.EXECUTE_COMPUTED, Tag.SELECT, Tag.CALL, Tag.DO})
_NO_MAKERS = frozenset({Tag.GRANT, Tag.COMMENT, Tag.ALTER_OWNER})


def _room_tags(kind: Kind) -> frozenset[Tag]:
    return frozenset(tag for said in ROOMS[kind].statements.all() if not isinstance(said, ReadAs) for tag in said.tags)


def _words(key: Key) -> frozenset[str]:
    return words_of(f"{key.table} {key.name.partition('(')[0]}")
