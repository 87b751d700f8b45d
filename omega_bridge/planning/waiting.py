"""A step that PostgreSQL rejected for what a later step makes waits for it, and holds back who would destroy what it reads. Pure.

What a step reads is taken widely, from the words of its text: a step held back in vain runs a pass later, rows that are
gone stay gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from omega_bridge.analysis import Analysis, Effect, StepAnalysis
from omega_bridge.analysis.program import RELATIONS, TYPES, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.outcomes import ServerError
from omega_bridge.planning.words import ANYWHERE, words_of
from omega_bridge.planning.world import World
from omega_bridge.sql.commands import keeps_rows_and_names, set_columns
from omega_bridge.tags import Tag
from omega_bridge.values import dataclass

if TYPE_CHECKING:
    from omega_bridge.planning.row_flow import RowFlow

_MISSING: dict[str, tuple[Kind, ...]] = {
    "42P01": RELATIONS,
    "42703": (Kind.COLUMN,),
    "42883": (Kind.FUNCTION,),
    "42704": (*TYPES, Kind.CONSTRAINT, Kind.INDEX, Kind.TRIGGER, Kind.POLICY, Kind.EXTENSION),
    "3F000": (Kind.SCHEMA,),
    "42830": (Kind.CONSTRAINT, Kind.INDEX),
}
"""What is missing, by SQLSTATE: undefined_table, undefined_column, undefined_function, undefined_object, invalid_schema_name,
invalid_foreign_key (no unique constraint matches). Source: PostgreSQL's manual, "PostgreSQL Error Codes"."""


@dataclass(slots=True)
class Waiting:
    """Who waits for what a later step makes, and who is held back for them: kept alike by a start and by who thinks one through."""

    analysis: Analysis
    needs: dict[str, Key] = field(default_factory=dict)
    """Steps that were rejected for what a later one makes, by id."""
    held: dict[str, str] = field(default_factory=dict)
    """Steps that are not sent yet, by the id of the one that waits."""
    first: dict[str, Key] = field(default_factory=dict)
    """What a step waited for when it began to, until it worked."""

    def __bool__(self) -> bool:
        return bool(self.needs)

    def holder(self, index: int, flow: RowFlow) -> StepAnalysis | None:
        """The waiting step for whose sake step ``index`` would be held back, were it to do anything."""
        step = self.analysis.steps[index]
        if not self.needs:
            return None
        waiting = (s for s in self.analysis.steps[:index] if s.id in self.needs)
        return holder(step, [s for s in waiting if not is_awaited(step, s.id, self.needs, self.held, self.analysis)], flow)

    def hold(self, step: StepAnalysis, reader: StepAnalysis) -> None:
        """``step`` is not sent in this pass, since ``reader`` waits."""
        self.held[step.id] = reader.id

    def release(self, step: StepAnalysis) -> None:
        """``step`` is sent."""
        self.held.pop(step.id, None)

    def later(self, index: int) -> Iterator[StepAnalysis]:
        """Who may still make what step ``index`` lacks: the steps behind it, and those that are late themselves."""
        steps = enumerate(self.analysis)
        return (s for n, s in steps if n > index or (n < index and (s.id in self.needs or s.id in self.held)))

    def note(self, step: StepAnalysis, need: Key | None) -> None:
        """What the rejected ``step`` waits for; ``None`` where it does not wait (any more)."""
        if need is None:
            self.needs.pop(step.id, None)
        else:
            self.needs[step.id] = need
            self.first.setdefault(step.id, need)


def waits_for(step: StepAnalysis, later: Iterable[StepAnalysis], error: ServerError | None, world: World) -> Key | None:
    """What a rejected step lacks and a later one makes; ``None`` where nothing later helps. ``world``: where it was rejected.

    What is missing is named in the server's message, in whatever language.
    """
    kinds = _MISSING.get((error and error.sqlstate) or "")
    if kinds is None or error is None:
        return None
    words, told = words_of(step.step.sql), error.message.lower()
    for other in later:
        for effect in _made(other):
            key = effect.key
            if key.kind in kinds and _is_spoken_of(key, words, told, error.sqlstate) and world.find(key) is None:
                return key
    return None


def _made(step: StepAnalysis) -> Iterator[Effect]:
    """What a step makes, and does not only change."""
    return (e for s in step.reading.statements for e in (*s.effects, *s.implied) if e.present and e.key not in s.needs)


def _is_spoken_of(key: Key, words: frozenset[str], told: str, sqlstate: str | None) -> bool:
    if sqlstate == "42830":  # the key that a reference points to is not named by it
        return _is_word(key.table, told)
    return _is_word(key.name.partition("(")[0], told) and (not key.table or key.table.lower() in words)


def _is_word(name: str, told: str) -> bool:
    """Whether a text in lower case speaks of a name, and not of a longer one."""
    return re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", told) is not None


def is_awaited(
    step: StepAnalysis, waiting: str, needs: Mapping[str, Key], held: Mapping[str, str], steps: Iterable[StepAnalysis]
) -> bool:
    """Whether the step with the id ``waiting`` could never work if ``step`` were held back for it: ``step`` makes what it waits
    for, or what one waits for that makes it. ``needs``: by waiting step, ``held``: for whom others are held back.
    """
    makers = list(steps)
    asked, to_ask = {waiting}, [waiting]
    while to_ask:
        one = to_ask.pop()
        need = needs.get(one)
        behind = [held[one]] if one in held else []
        if need is not None:
            behind += [s.id for s in makers if s.id != one and any(e.key == need for e in _made(s))]
        if step.id in behind:
            return True
        to_ask += [b for b in behind if b not in asked]
        asked.update(behind)
    return False


def holder(step: StepAnalysis, waiting: Iterable[StepAnalysis], flow: RowFlow) -> StepAnalysis | None:
    """The waiting step for whose sake ``step`` is not sent yet: it would drop, truncate, rename or change rows that that one reads.

    ``flow``: where rows come from and go to beside what the two name.
    """
    readers = [one for one in waiting if _reads_rows(one)]
    if not readers:
        return None
    spoilt = list(_spoilt_by(step, flow))
    for one in readers:
        named = words_of(one.step.sql)
        read = flow.read_with(named)
        for table, column in spoilt:
            if table == ANYWHERE or ANYWHERE in read or (table in read and (table not in named or _is_read(column, one, named))):
                return one
    return None


def _is_read(column: str | None, reader: StepAnalysis, named: frozenset[str]) -> bool:
    """Whether a step that names a table reads that column of it; ``None``: it reads the whole row."""
    return column is None or column in named or "*" in reader.step.sql


def _reads_rows(step: StepAnalysis) -> bool:
    """Whether rows may flow through a step: what it did not get from them before they went is lost."""
    return any(s.data or (s.opaque and s.tag not in _ROWLESS) or s.tag == Tag.CREATE_TABLE_AS for s in step.reading.statements)


def _spoilt_by(step: StepAnalysis, flow: RowFlow) -> Iterator[tuple[str, str | None]]:
    """The relations whose rows may not be the same behind a step, with the column where it is about one alone."""
    for s in step.reading.statements:
        words = words_of(s.text)
        if s.opaque:
            if not _keeps_what_is_there(s):
                yield from _whole(flow.written_with(words & (flow.relations | flow.routines)))
            continue
        if s.data or s.tag in _CALLS:
            yield from _written_by(s, words, flow)
        for key in _taken_away(s):
            if key.kind is Kind.COLUMN:
                yield key.table.lower(), key.name.lower()
            elif key.kind not in _WITHOUT_ROWS:
                yield from _whole(flow.written_with((key.name.lower(),)) | {key.name.lower()})


def _written_by(s: Sql, words: frozenset[str], flow: RowFlow) -> Iterator[tuple[str, str | None]]:
    """The relations whose rows a statement that was read may change: its target's, and those to which they lead."""
    called = words & flow.routines
    if s.tag in _WRITERS and not words & _WRITES <= _WRITERS[s.tag]:  # a WITH query of it writes, too
        yield from _whole(flow.written_with(words & flow.relations | called))
        return
    target = [k.name.lower() for k in s.needs[:1]] if s.tag in _HAS_TARGET else []
    columns = set_columns(s.text) if s.tag == Tag.UPDATE else ()
    if s.tag in _CHANGES_ROWS or (s.tag == Tag.INSERT and "update" in words):
        yield from ((name, column) for name in target for column in columns or (None,))
    yield from _whole(flow.written_with((*target, *called)) - set(target))


def _whole(names: Iterable[str]) -> Iterator[tuple[str, None]]:
    return ((name, None) for name in names)


_WITHOUT_ROWS = (Kind.CONSTRAINT, Kind.INDEX, Kind.TRIGGER, Kind.POLICY)
"""Who loses one of these on a table reads the same rows."""
_CHANGES_ROWS = {Tag.UPDATE, Tag.DELETE}
_HAS_TARGET = {*_CHANGES_ROWS, Tag.INSERT, Tag.COPY}
_CALLS = {Tag.CREATE_TABLE_AS, Tag.ALTER_TABLE, Tag.CREATE}
"""Statements that change no rows by themselves, and may call who does."""
_WRITES = frozenset({"insert", "update", "delete", "merge", "truncate"})
_WRITERS: dict[str, set[str]] = {
    Tag.INSERT: {"insert", "update"}, Tag.UPDATE: {"update"}, Tag.DELETE: {"delete"}, Tag.MERGE: set(), Tag.COPY: set(),
    Tag.SELECT: set(), Tag.CREATE_TABLE_AS: set(),
}  # fmt: skip
"""Statements of rows, with the words that only say what they do to their target."""
_ROWLESS = {
    Tag.ALTER_DEFAULT_PRIVILEGES, Tag.ALTER_EVENT_TRIG, Tag.ALTER_FOREIGN_SERVER, Tag.ALTER_POLICY, Tag.ALTER_PUBLICATION,
    Tag.ALTER_SEQ, Tag.ALTER_STATS, Tag.COMMENT, Tag.CREATE_CAST, Tag.CREATE_EVENT_TRIG, Tag.CREATE_FDW,
    Tag.CREATE_FOREIGN_SERVER, Tag.CREATE_PUBLICATION, Tag.CREATE_STATS, Tag.GRANT, Tag.RULE, Tag.VARIABLE_SET,
}  # fmt: skip
"""Statements that neither read nor change a row, though their effects are not all in their text."""


def _keeps_what_is_there(s: Sql) -> bool:
    """Whether a statement whose effects are not all known leaves rows and names as they are."""
    if s.tag != Tag.ALTER_TABLE:
        return s.tag in _ROWLESS
    return keeps_rows_and_names(s.text)


def _taken_away(s: Sql) -> Iterator[Key]:
    yield from s.destroys
    for effect in s.effects:
        if not effect.present or any(name in ("type", "labels", "no label") for name, _ in effect.attributes):
            yield effect.key
