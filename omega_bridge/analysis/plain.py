"""A reading as plain data, of JSON's types alone, and back: what is taken from a file is data, and never code.

A list's first item says what it stands for; what is not written for certain, or not as it was written, raises ``ValueError``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any, TypeAlias

from omega_bridge.analysis.dependencies import Dependencies
from omega_bridge.analysis.program import (
    ANYTHING,
    All,
    AnyOf,
    Compared,
    Constant,
    Effect,
    Exists,
    Filter,
    Handled,
    If,
    Not,
    Pattern,
    Raise,
    Sql,
    Unknown,
)
from omega_bridge.analysis.reading import Reading, StepKind, kept
from omega_bridge.catalog import Key, Kind
from omega_bridge.tags import Tag

Plain: TypeAlias = "bool | int | float | str | list[Plain] | None"

_TUPLE, _LIST, _ANYTHING, _KIND, _KEY = range(5)
_CLASSES = (All, AnyOf, Compared, Constant, Effect, Exists, Filter, Handled, If, Not, Pattern, Raise, Sql, Unknown)
_VALUES: dict[int, type[Any]] = dict(enumerate(_CLASSES, start=5))
_NUMBERS = {value: number for number, value in _VALUES.items()}
_DEFAULTS: dict[type[Any], list[tuple[str, Any]]] = {v: [(f.name, f.default) for f in fields(v) if f.init] for v in _CLASSES}
_AS_THEY_ARE = frozenset({type(None), bool, int, float, str})
_KINDS: dict[object, Kind] = {str(kind): kind for kind in Kind}
_STATEMENTS: dict[object, Tag] = {str(tag): tag for tag in Tag}
_STEP_KINDS = {str(kind): kind for kind in StepKind}
_DERIVED = (
    "checksum", "label", "size", "is_certain", "hangs_on_the_rest", "only_sets", "leaves_settings", "transactional",
    "may_destroy", "is_additive",
)  # fmt: skip


def as_plain(reading: Reading) -> tuple[list[Plain], Plain]:
    """The reading without its text: what follows from its program, and that. Raises ``ValueError`` for one that is not written: of a text
    that does not parse.
    """
    if reading.problem is not None or reading.named or any(s.tag is Tag.UNREADABLE for s in reading.statements):
        raise ValueError("only what was read of a text alone, to its end, is written")
    derived: list[Plain] = [getattr(reading, name) for name in _DERIVED]
    provides: list[Plain] = [[str(kind), name] for kind, name in sorted(reading.provides)]
    names: list[Plain] = [*sorted(reading.names)]
    taken_away: list[Plain] = [*sorted(reading.taken_away)]
    leans = reading.dependencies
    words: list[Plain] = [[*sorted(part)] for part in (*leans[:4], *leans[5:7])]
    loose: list[Plain] = [[*pair] for pair in sorted(leans.loose)]
    shared: Plain = None if leans.shared is None else [*sorted(leans.shared)]
    about: list[Plain] = [[*pair] for pair in sorted(leans.said)]
    return [str(reading.kind), derived, names, taken_away, provides, [words, loose, leans.is_whole, shared, about]], _encoded(
        reading.program
    )


def as_reading(text: str, plain: object, program: bytes) -> Reading:
    """The reading of ``text`` that was written. ``program`` is JSON, and is looked at when it is asked for: what none was written as is
    read anew then. Raises ``ValueError`` for what no reading was written as.
    """
    try:
        kind, values, names, taken_away, provides, leans = _list(plain)
        words, loose, is_whole, shared, about = _list(leans)
        _lists(values, names, taken_away, provides, words, loose, about)
        derived = dict(zip(_DERIVED, values, strict=True))
        derived["names"] = frozenset(names)
        derived["taken_away"] = frozenset(taken_away)
        derived["provides"] = frozenset([(_KINDS[of], name) for of, name in provides]) if provides else _NONE
        derived["dependencies"] = _dependencies(words, loose, is_whole, shared, about)
        return kept(text, _STEP_KINDS[kind], partial(_program_in, program), derived)
    except (TypeError, KeyError, IndexError) as exc:
        raise ValueError(f"no reading is written like this: {exc}") from exc


def _dependencies(words: list[Any], loose: list[Any], is_whole: object, shared: object, about: list[Any]) -> Dependencies:
    _lists(*words)
    catalogs, relations, types, functions, schemas, others = map(frozenset, words)
    pairs = frozenset([(catalog, name) for catalog, name in loose]) if loose else _NONE
    of_server = None if shared is None else frozenset(_list(shared))
    said = frozenset([(schema, name) for schema, name in about]) if about else _NONE
    return Dependencies(catalogs, relations, types, functions, pairs, schemas, others, is_whole is not False, of_server, said)


def _program_in(text: bytes) -> tuple[Any, ...]:
    """Raises ``ValueError``."""
    try:
        return _program(json.loads(text))
    except (TypeError, KeyError, IndexError, RecursionError) as exc:
        raise ValueError(f"no program is written like this: {exc}") from exc


def names_in(plain: object) -> list[str]:
    """The identifiers that a reading names, as it is written. Raises ``ValueError``."""
    try:
        names = _list(_list(plain)[2])
    except (TypeError, IndexError) as exc:
        raise ValueError(f"no reading is written like this: {exc}") from exc
    return names


def _encoded(value: object) -> Plain:
    kind = type(value)
    if kind in _AS_THEY_ARE:
        plain: Plain = value  # type: ignore[assignment]
        return plain
    if isinstance(value, tuple | list) and kind in (tuple, list):
        return [_TUPLE if kind is tuple else _LIST, *map(_encoded, value)]
    if isinstance(value, Key):
        return [_KEY, str(value.kind), value.schema, value.table, value.name]
    if kind in _NUMBERS:
        named = _DEFAULTS[kind]
        held = [getattr(value, name) for name, _ in named]
        while held and _is_default(held[-1], named[len(held) - 1][1]):
            held.pop()
        return [_NUMBERS[kind], *map(_encoded, held)]
    if value is ANYTHING:
        return [_ANYTHING]
    if isinstance(value, Tag):
        return str(value)
    if isinstance(value, Kind):
        return [_KIND, str(value)]
    raise ValueError(f"a value of type {kind.__name__} is not written")


def _is_default(value: object, default: object) -> bool:
    return type(value) is type(default) and value == default


def _decoded(plain: list[Any]) -> Any:
    if not plain:
        raise IndexError("an empty list stands for nothing")
    number, *items = plain
    for place, item in enumerate(items):
        if type(item) is list:
            items[place] = _NOTHING if item == _EMPTY else _decoded(item)
    made = _MADE.get(number)
    return made(*items) if made is not None else _OTHERS[number](items)


_NOTHING: tuple[()] = ()
_EMPTY = [_TUPLE]
"""Most of what is in a reading: a part that has nothing to say."""


def _sql(text: str, tag: str, *others: Any) -> Sql:
    return Sql(text, _STATEMENTS[tag], *others)


_MADE: dict[int, Callable[..., object]] = {**_VALUES, _NUMBERS[Sql]: _sql}


def _key(items: list[Any]) -> Key:
    kind, schema, table, name = items
    return Key(_KINDS[kind], schema, table, name)


_OTHERS: dict[int, Callable[[list[Any]], Any]] = {
    _TUPLE: tuple, _LIST: list, _ANYTHING: lambda _: ANYTHING, _KIND: lambda items: _KINDS[items[0]], _KEY: _key,
}  # fmt: skip


def _program(plain: Plain) -> tuple[Any, ...]:
    found = _decoded(_list(plain))
    if type(found) is not tuple:
        raise TypeError("it holds no program")
    return found


_NONE = frozenset[Any]()


def _lists(*parts: object) -> None:
    if {*map(type, parts)} != _LIST_ALONE:
        raise TypeError("a part of it is no list")


_LIST_ALONE = {list}


def _list(plain: object) -> list[Any]:
    if type(plain) is not list:
        raise TypeError("it is no list")
    return plain
