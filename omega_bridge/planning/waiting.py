"""A step that PostgreSQL rejected for what a later step makes waits for it, and holds back who would destroy what it reads. Pure.

What a step reads is taken widely, from the words of its text: a step held back in vain runs a pass later, rows that are
gone stay gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from omega_bridge.analysis import Effect, StepAnalysis, StepKind
from omega_bridge.analysis.program import RELATIONS, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.outcomes import ServerError
from omega_bridge.planning.world import World

_TYPES = (Kind.ENUM, Kind.DOMAIN, Kind.COMPOSITE)
_MISSING: dict[str, tuple[Kind, ...]] = {
    "42P01": RELATIONS,
    "42703": (Kind.COLUMN,),
    "42883": (Kind.FUNCTION,),
    "42704": (*_TYPES, Kind.CONSTRAINT, Kind.INDEX, Kind.TRIGGER, Kind.POLICY, Kind.EXTENSION),
    "3F000": (Kind.SCHEMA,),
    "42830": (Kind.CONSTRAINT, Kind.INDEX),
}
"""What is missing, by SQLSTATE: undefined_table, undefined_column, undefined_function, undefined_object, invalid_schema_name,
invalid_foreign_key (no unique constraint matches). Source: PostgreSQL's manual, "PostgreSQL Error Codes"."""


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
    return (e for s in step.reading.statements for e in (*s.effects, *s.implied) if e.present)


def _is_spoken_of(key: Key, words: frozenset[str], told: str, sqlstate: str | None) -> bool:
    if sqlstate == "42830":  # the key that a reference points to is not named by it
        return key.table.lower() in told
    return key.name.partition("(")[0].lower() in told and (not key.table or key.table.lower() in words)


def holder(step: StepAnalysis, waiting: Iterable[StepAnalysis], relations: Iterable[str]) -> StepAnalysis | None:
    """The waiting step for whose sake ``step`` is not sent yet: it would drop, truncate, rename or change rows that that one reads.

    ``relations``: the names of all tables and views that there are.
    """
    readers = [one for one in waiting if _reads_rows(one)]
    if not readers:
        return None
    names = {name.lower() for name in relations}
    spoilt = list(_spoilt_by(step, names))
    for one in readers:
        words = words_of(one.step.sql)
        for table, column in spoilt:
            if table in words and (column is None or column in words or "*" in one.step.sql):
                return one
    return None


def _reads_rows(step: StepAnalysis) -> bool:
    """Whether rows may flow through a step: what it did not get from them before they went is lost."""
    return step.kind is not StepKind.SCHEMA or any(
        s.data or s.opaque or s.tag == "create_table_as_stmt" for s in step.reading.statements
    )


def _spoilt_by(step: StepAnalysis, names: set[str]) -> Iterator[tuple[str, str | None]]:
    """The relations whose rows may not be the same behind a step, with the column where it is about one alone."""
    for s in step.reading.statements:
        if s.opaque:
            yield from ((word, None) for word in words_of(s.text) & names)
            continue
        if s.tag in _CHANGES_ROWS:
            yield from ((k.name.lower(), None) for k in s.needs[:1])
        for key in _taken_away(s):
            if key.kind is Kind.COLUMN:
                yield key.table.lower(), key.name.lower()
            elif key.kind not in _WITHOUT_ROWS:
                yield key.name.lower(), None


_WITHOUT_ROWS = (Kind.CONSTRAINT, Kind.INDEX, Kind.TRIGGER, Kind.POLICY)
"""Who loses one of these on a table reads the same rows."""
_CHANGES_ROWS = {"update_stmt", "delete_stmt", "merge_stmt"}


def _taken_away(s: Sql) -> Iterator[Key]:
    yield from s.destroys
    for effect in s.effects:
        if not effect.present or any(name in ("type", "labels", "no label") for name, _ in effect.attributes):
            yield effect.key


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """Everything in a text that may be a name, in lower case; names in quotes as a whole, too."""
    return frozenset(w.lower() for w in (*re.findall(r"\w+", text), *re.findall(r'"((?:[^"]|"")+)"', text)))
