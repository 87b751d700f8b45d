"""What a text's promises and guards lean on: catalogs, and the names in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from omega_bridge.analysis.program import ANY_SCHEMA, Pattern, Sql
from omega_bridge.catalog import Key, Kind
from omega_bridge.errors import StepSyntaxError
from omega_bridge.kinds import IN_CATALOG, LEAVES, MEMBERS, stored_in
from omega_bridge.regexes import regex
from omega_bridge.sql import ParseNode, inner, name_of, parse, strings, walk
from omega_bridge.sql.grammar import GrantTargetType
from omega_bridge.tags import Tag

_RELATIONS = stored_in("pg_class")
_TYPES = stored_in("pg_type")
_FUNCTIONS = stored_in("pg_proc")
_ALWAYS = ("pg_class", "pg_attribute")


class Dependencies(NamedTuple):
    """``catalogs`` beside ``pg_class`` and ``pg_attribute``; ``relations``, ``types`` and ``functions`` by bare name."""

    catalogs: frozenset[str]
    relations: frozenset[str]
    types: frozenset[str]
    functions: frozenset[str]
    loose: frozenset[tuple[str, str]]
    """The names that a guard looks for without saying on which table, each with its catalog."""
    schemas: frozenset[str]
    """Those that the text itself names."""
    others: frozenset[str]
    """Catalogs of what no name is known of."""
    is_whole: bool
    """Whether it has a statement whose effect may lie anywhere."""
    shared: frozenset[str] | None
    """Words of the statements about roles, settings and the database, in the catalogs of the whole cluster, for which no event trigger
    fires; ``None``: their names are put together at run time."""
    said: frozenset[tuple[str, str]]
    """Schema and name of what its unread statements are about, and its comments on what is PostgreSQL's own; no schema where none is
    written."""


def dependencies(found: Collection[Sql], asked: Collection[Pattern]) -> Dependencies:
    """All of it. ``found``: the statements, those in handlers included; ``asked``: what the guards look for."""
    made = [e.key for statement in found for e in (*statement.effects, *statement.implied)]
    keys = [*made, *(key for s in found for key in (*s.needs, *s.destroys))]
    loose = ((IN_CATALOG[k], p.name) for p in asked if p.table is None and p.name is not None for k in p.kinds if k in MEMBERS)
    return Dependencies(
        frozenset(_catalogs(found, asked)),
        frozenset((*_relations(keys, asked), *_altered(found))),
        frozenset(_named(_TYPES, made, asked)),
        frozenset(_named(_FUNCTIONS, made, asked)),
        frozenset(loose),
        frozenset((*_schemas(keys, asked), *_granted_whole(found))),
        frozenset((*(c for s in found if s.opaque for c in LEAVES.get(s.tag, ())), *_commented(found))),
        any(map(_may_do_anything, found)),
        _shared(found),
        frozenset(_said(found)),
    )


def _may_do_anything(statement: Sql) -> bool:
    """Whether a statement's effect may lie anywhere."""
    return statement.opaque and statement.tag not in LEAVES and not _GRANTED.search(statement.text)


def _commented(found: Iterable[Sql]) -> Iterator[str]:
    """Comments on what is not looked for by its name."""
    for key in (e.key for s in found for e in s.effects if "comment" in dict(e.attributes)):
        if key.kind not in (*_RELATIONS, *_TYPES, *_FUNCTIONS, Kind.COLUMN):
            yield "pg_description"


_SHARED = regex(r"\b(create|alter|drop|on)\s+(role|user|group|database|parameter)\b", re.IGNORECASE)
_GRANTED = regex(r"^\s*(grant|revoke)\b.*\bon\s+database\b", re.IGNORECASE | re.DOTALL)
_ALL_IN = regex(r"\ball\b.*\bin\s+schema\b", re.IGNORECASE | re.DOTALL)
_WORD = regex(r'"((?:[^"]|"")+)"|([\w$]+)')


def _shared(found: Iterable[Sql]) -> frozenset[str] | None:
    """Roles are told by their names, so that those of other databases make no start look again."""
    texts = [s.text for s in found if s.opaque and (s.tag == Tag.GRANT_ROLE or _SHARED.search(s.text))]
    if any("%" in text or "||" in text for text in texts):
        return None
    return frozenset(_words(map(_shown, texts)))


def _shown(text: str) -> str:
    """Without a password: the words are recorded."""
    if "password" not in text.lower():
        return text
    from omega_bridge.analysis.secrets import masked

    return masked(text)


def _words(texts: Iterable[str]) -> Iterator[str]:
    for word in (w for text in texts for w in _WORD.finditer(text)):
        yield word[1].replace('""', '"') if word[1] is not None else word[2].lower()


def _altered(found: Iterable[Sql]) -> Iterator[str]:
    """What a form of ``ALTER TABLE`` names that is not read, and that the list itself need not make: a view, an index, a type."""
    return _words(s.text for s in found if s.opaque and s.tag == Tag.ALTER_TABLE and not s.needs)


_NOTHING_NAMED = frozenset({
    Tag.DO, Tag.SCRIPT, Tag.SELECT, Tag.CALL, Tag.INSERT, Tag.UPDATE, Tag.DELETE, Tag.MERGE, Tag.COPY, Tag.TRUNCATE, Tag.EXPLAIN,
    Tag.UNREADABLE, Tag.UNREAD,
})  # fmt: skip
"""What is about rows, or does what its text does not say."""
_OF_POSTGRES = ("pg_catalog", "information_schema")


def _said(found: Iterable[Sql]) -> Iterator[tuple[str, str]]:
    """What is about objects by their names, whether the list makes them or not: an index in another schema, a function of PostgreSQL's."""
    for s in found:
        if s.opaque and s.tag not in _NOTHING_NAMED and LEAVES.get(s.tag) != ():
            with suppress(StepSyntaxError):
                yield from (about for statement in parse(s.text) for about in _about(statement.node))
        elif s.tag == Tag.COMMENT:
            for key in (e.key for e in s.effects):
                name = key.table or key.name.partition("(")[0]
                if key.schema in _OF_POSTGRES or (not key.schema and name.startswith("pg_")):
                    yield key.schema, name


def _about(statement: ParseNode) -> Iterator[tuple[str, str]]:
    """The names in a statement that are those of objects: types of arguments are none."""
    for node in walk(statement):
        match name_of(node):
            case "RangeVar":
                yield node.schemaname, node.relname
            case "ObjectWithArgs":
                yield _split(strings(node.objname))
            case "AlterDomainStmt" | "AlterTypeStmt" | "AlterEnumStmt":
                yield _split(strings(node.type_name))
            case "GrantStmt":
                yield from _objects(node.objects)
            case "CommentStmt" | "AlterOwnerStmt" | "RenameStmt" | "AlterObjectSchemaStmt" if node.HasField("object"):
                yield from _objects([node.object])


def _objects(nodes: Iterable[ParseNode]) -> Iterator[tuple[str, str]]:
    for node in map(inner, nodes):
        match name_of(node):
            case "String":
                yield "", node.sval
            case "Integer":  # a large object, by its oid
                yield "", str(node.ival)
            case "Float":
                yield "", node.fval
            case "List" if node.items and all(name_of(inner(part)) == "String" for part in node.items):
                yield _split(strings(node.items))
            case "TypeName":
                yield _split(strings(node.names))


def _split(parts: tuple[str, ...]) -> tuple[str, str]:
    return parts[-2] if len(parts) > 1 else "", parts[-1]


def _catalogs(found: Iterable[Sql], asked: Iterable[Pattern]) -> Iterator[str]:
    said: set[tuple[Kind, Any, bool]] = set()
    for s in found:
        for effect in (*s.effects, *s.implied):
            kind, given = effect.key.kind, dict(effect.attributes)
            said.add((kind, given.get("type") if kind is Kind.CONSTRAINT else None, "comment" in given))
    for kind, constraint, is_commented in said:
        yield from _catalog(kind, constraint)
        if is_commented:
            yield "pg_description"
    for pattern in asked:
        for kind in pattern.kinds:
            yield from _catalog(kind, None)


def _catalog(kind: Kind, constraint: Any) -> Iterator[str]:
    """A primary key or unique constraint shows in ``pg_class``, as its index."""
    catalog = IN_CATALOG.get(kind, _ALWAYS[0])
    if catalog not in _ALWAYS and not (kind is Kind.CONSTRAINT and constraint in ("p", "u")):
        yield catalog


def _relations(keys: Collection[Key], asked: Iterable[Pattern]) -> Iterator[str]:
    """Tables, their indexes and keys, sequences, views, composite types: the names in ``pg_class``."""
    named = {*_RELATIONS, Kind.CONSTRAINT}
    yield from ({key.table for key in keys} | {key.name for key in keys if key.kind in {*named, Kind.COMPOSITE}}) - {""}
    for pattern in asked:
        yield from (n for n in (pattern.table, pattern.name if not named.isdisjoint(pattern.kinds) else None) if n)


def _schemas(keys: Collection[Key], asked: Iterable[Pattern]) -> Iterator[str]:
    yield from ({key.schema for key in keys} | {key.name for key in keys if key.kind is Kind.SCHEMA}) - {""}
    for pattern in asked:
        if pattern.schema and pattern.schema != ANY_SCHEMA:
            yield pattern.schema
        if pattern.name is not None and Kind.SCHEMA in pattern.kinds:
            yield pattern.name


def _granted_whole(found: Iterable[Sql]) -> Iterator[str]:
    """The schemas of ``GRANT ... ON ALL TABLES IN SCHEMA``: what comes there later is meant, too."""
    for s in found:
        if s.opaque and s.tag == Tag.GRANT and _ALL_IN.search(s.text):
            with suppress(StepSyntaxError):
                for node in (node for statement in parse(s.text) for node in walk(statement.node)):
                    if name_of(node) == "GrantStmt" and node.targtype == GrantTargetType.ALL_IN_SCHEMA:
                        yield from strings(node.objects)


def _named(kinds: tuple[Kind, ...], keys: Iterable[Key], asked: Iterable[Pattern]) -> Iterator[str]:
    """What the list itself makes or asks for. A type or function that it only uses cannot go without a trace in the others."""
    for key in keys:
        if key.kind in kinds:
            yield key.name.partition("(")[0]
    for pattern in asked:
        if pattern.name is not None and {*pattern.kinds} & {*kinds}:
            yield pattern.name
