"""Whether a step keeps to the schemas in which its start holds the lock, or may reach beyond them. Pure.

A whitelist: what is not read for certain may reach anywhere. Triggers of the tables that a step writes are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from omega_bridge.analysis import StepAnalysis
from omega_bridge.analysis.program import CURRENT, PATH, RELATIONS, VISIBLE, All, AnyOf, Condition, Not, Sql, Unknown, conditions
from omega_bridge.catalog import Catalog, Key, Kind
from omega_bridge.regexes import regex
from omega_bridge.tags import Tag

_WRITING = {Tag.INSERT, Tag.UPDATE, Tag.DELETE, Tag.MERGE}
_CALLING = {*_WRITING, Tag.SELECT, Tag.CALL, Tag.ALTER_TABLE, Tag.CREATE_TABLE_AS}
"""What runs the functions that it names."""
_MAKING = {
    Tag.CREATE, Tag.INDEX, Tag.CREATE_SEQ, Tag.RENAME, Tag.DROP, Tag.CREATE_ENUM, Tag.ALTER_ENUM,
    Tag.COMPOSITE_TYPE, Tag.CREATE_DOMAIN, Tag.CREATE_FUNCTION, Tag.CREATE_TRIG, Tag.CREATE_POLICY, Tag.VIEW,
    Tag.COMMENT, Tag.TRUNCATE, Tag.VARIABLE_SHOW,
}  # fmt: skip
_MAINTAINING = {Tag.REFRESH_MAT_VIEW, Tag.VACUUM, Tag.REINDEX, Tag.CLUSTER, Tag.ALTER_TABLE}
"""Of one relation, where it is named: their effect is not in their text, and yet is on that relation."""

_SENDING = regex(r"^(query|table|schema|database|cursor)_to_xml|^set_config$|^lo_|^pg_(advisory|try_advisory|terminate|reload)")
"""PostgreSQL's own functions that run a text, or do something to the whole database or server."""

_KNOWN = frozenset({*_CALLING, *_MAKING, *_MAINTAINING})
_TABLES = frozenset({*RELATIONS, Kind.COLUMN})
_CALL = regex(r'"?(\w+)"?\s*\(')
_QUALIFIED = regex(r'(?:"((?:[^"]|"")+)"|(\w+))\s*\.\s*["\w]')


def calls(step: StepAnalysis, catalog: Catalog, home: Collection[str]) -> frozenset[str] | None:
    """The functions that a step calls, which may do more than is seen here; ``None`` for one that may reach beyond ``home``.

    ``home``: the schemas in which nobody else is at work.
    """
    if step.problem or not catalog.search_path or catalog.search_path[0] not in home:
        return None
    found = [(s, list(_touched(s))) for s in step.reading.statements]
    if not all(_keeps_in(s, keys, home) for s, keys in found):
        return None
    called = {k.name for s, _ in found if s.tag in _CALLING for k in s.needs if k.kind is Kind.FUNCTION}
    called |= {name for c in conditions(step.program) for name in _asked(c)}
    if any(_SENDING.search(name) for name in called):
        return None
    is_alone = {*home}.issuperset(catalog.search_path)  # then no name means another schema's
    if not is_alone and any(_is_elsewhere(key, catalog, home) for _, keys in found for key in keys):
        return None
    return frozenset(called)


def _asked(condition: Condition) -> Iterator[str]:
    """What may be a function in a condition that only the server can answer."""
    match condition:
        case Unknown(text):
            yield from (name.lower() for name in _CALL.findall(text))
        case Not(other):
            yield from _asked(other)
        case All(several) | AnyOf(several):
            for other in several:
                yield from _asked(other)


def _keeps_in(s: Sql, touched: Iterable[Key], home: Collection[str]) -> bool:
    """Whether a statement is one whose reach is in its text, and names no other schema there."""
    if s.cascade or s.tag not in _KNOWN:
        return False
    if s.opaque and s.tag not in (Tag.SELECT, Tag.CALL):
        is_named = any(k.kind in RELATIONS for k in s.needs)
        others = {(m[1] or m[2]).replace('""', '"') for m in _QUALIFIED.finditer(s.text)} - {*home}
        return s.tag in _MAINTAINING and is_named and not others
    here = {VISIBLE, CURRENT, PATH, *home}
    return all(key.schema in here and key.kind is not Kind.SCHEMA and key.kind is not Kind.EXTENSION for key in touched)


def _touched(s: Sql) -> Iterator[Key]:
    """What a statement makes, changes, or locks; what a query beside it reads may be anywhere, since reading changes nothing."""
    yield from (e.key for e in (*s.effects, *s.implied))
    yield from s.destroys
    if s.tag == Tag.SELECT:
        return
    is_first = s.tag in _WRITING and re.search(r"\bwith\b", s.text, re.IGNORECASE) is None
    tables = [k for k in s.needs if k.kind in _TABLES]
    yield from tables[:1] if is_first else tables


def _is_elsewhere(key: Key, catalog: Catalog, home: Collection[str]) -> bool:
    """Whether a name without a schema may be found in another schema of the ``search_path``."""
    if key.schema not in (VISIBLE, PATH):
        return False
    name = key.table or key.name.partition("(")[0]
    known = {k.schema for k in catalog.concerned([name])} & {*catalog.search_path}
    return bool(known) and known.isdisjoint(home)
