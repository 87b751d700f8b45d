"""What bears a column's name in its own, and is to bear the new one: indexes, constraints, sequences, as a new database has them. Pure.

``ALTER TABLE ... RENAME COLUMN`` leaves these names, also that of a ``NOT NULL`` constraint, which has one from PostgreSQL 18 on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from omega_bridge.analysis.effects.naming import generated
from omega_bridge.catalog import Attributes, Catalog, Key, Kind
from omega_bridge.planning.gaps import MODELS, Unkept, What
from omega_bridge.planning.renames import NOT_NULL, Along, Rename
from omega_bridge.sql import identifier
from omega_bridge.sql.printed import same_printed
from omega_bridge.steps import Place


def with_names(moved: Sequence[Rename], stood: Catalog, wanted: Catalog) -> tuple[Rename, ...]:
    """The renames with the names that change along: each with the last rename of a column that the object is about.

    ``stood``: the databases that stand; ``wanted``: one that was made of the models alone.
    """
    found: dict[int, list[Along]] = {}
    for number, one in enumerate(moved):
        if not (stood.objects[one.old].get("nullable", True) or (wanted.get(one.new) or {}).get("nullable", True)):
            called = (generated(k.table, [k.name], "not_null") for k in (one.old, one.new))
            found.setdefault(number, []).append(Along(NOT_NULL, *called))
    for schema, table in dict.fromkeys((one.new.schema, one.new.table) for one in moved):
        names = {one.old.name: one.new.name for one in moved if (one.new.schema, one.new.table) == (schema, table)}
        for old, new, said in _alike(schema, table, names, stood, wanted):
            last = max(n for n, one in enumerate(moved) if one.new.name in said and one.new.table == table)
            found.setdefault(last, []).append(Along(str(new.kind), old.name, new.name))
    return tuple(replace(one, along=tuple(found.get(number, ()))) for number, one in enumerate(moved))


def called_otherwise(tables: Iterable[tuple[str, str]], stood: Catalog, fresh: Catalog, wanted: Catalog) -> Iterator[Unkept]:
    """What does the same on both, and has another name: ``found`` on the databases that stand, ``expected`` by the models.

    ``fresh``: an empty database on which the list ran. What it has by the old name, too, the list makes, and would make again.
    """
    for schema, table in sorted(tables):
        for old, new, _ in _alike(schema, table, {}, stood, wanted):
            if old in fresh or new not in fresh:
                continue
            yield Unkept(What.DIFFERENT, new, MODELS, Place(), "name", new.name, old.name)


def after(moved: Sequence[Rename], stood: Catalog) -> Catalog:
    """The databases that stand, once these columns and what goes along have their new names."""
    objects = dict(stood.objects)
    for one in moved:
        if one.old in objects:
            objects[one.new] = objects.pop(one.old)
        names = {a.old: a.new for a in one.along if a.kind != NOT_NULL}
        for key in [k for k in objects if k.name in names and k.kind in _NAMED and k.schema == one.new.schema]:
            if key.kind is not Kind.CONSTRAINT or key.table == one.new.table:
                objects[key._replace(name=names[key.name])] = objects.pop(key)
    return replace(stood, objects=objects)


_NAMED = (Kind.CONSTRAINT, Kind.INDEX, Kind.SEQUENCE)


def _alike(
    schema: str, table: str, names: Mapping[str, str], stood: Catalog, wanted: Catalog
) -> Iterator[tuple[Key, Key, frozenset[str]]]:
    """What has another name today, and the words of its definition: one that only the columns' new names keep from being the same."""
    before, now = (dict(_of(schema, table, c)) for c in (stood, wanted))
    for new in (k for k in now if k not in before):
        words = frozenset(_WORD.findall(_said(new, now[new])))
        if names and not words & {*names.values()}:
            continue
        alike = [old for old in before if old not in now and _is_same(old, before[old], new, now[new], names)]
        if len(alike) == 1:
            yield alike[0], new, words


def _of(schema: str, table: str, catalog: Catalog) -> Iterator[tuple[Key, Attributes]]:
    """A table's constraints, indexes that are none of a constraint's, and sequences."""
    for key, attributes in sorted(catalog.objects.items()):
        owner = {
            Kind.CONSTRAINT: key.table,
            Kind.INDEX: "" if attributes.get("constraint") else str(attributes.get("table") or ""),
            Kind.SEQUENCE: str(attributes.get("owned_by") or "").rpartition(".")[0].replace('"', ""),
        }.get(key.kind)
        if owner == table and key.schema == schema:
            yield key, attributes


def _said(key: Key, attributes: Attributes) -> str:
    """What it is, without its name."""
    if key.kind is Kind.SEQUENCE:
        return str(attributes.get("owned_by"))
    told = str(attributes.get("definition"))
    return told.replace(f" {identifier(key.name)} ON ", " i ON ", 1) if key.kind is Kind.INDEX else told


def _is_same(old: Key, before: Attributes, new: Key, now: Attributes, names: Mapping[str, str]) -> bool:
    if old.kind is not new.kind or before.get("type") != now.get("type"):
        return False
    said, wanted = _said(old, before), _said(new, now)
    head, references, tail = said.partition(" REFERENCES ")
    forms = {_renamed(said, names), _renamed(head, names) + references + tail}  # a column of another table may be called the same
    return any(same_printed(form, wanted) is True or form == wanted for form in forms)


_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\W\d]\w*""")
"""A constant, a quoted name, a word."""


def _renamed(text: str, names: Mapping[str, str]) -> str:
    quoted = {identifier(old): identifier(new) for old, new in names.items()}
    return _TOKEN.sub(lambda token: quoted.get(token[0], token[0]), text)
