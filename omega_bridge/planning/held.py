"""What models promise, held against a database, attribute by attribute; both as PostgreSQL prints them. Pure.

A promise is what a model says: a column without a default of the server's promises none, and is not held against one that is there.
Names of constraints and indexes are no promise: one that does the same is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from omega_bridge.catalog import Attributes, Catalog, Key, Kind, texts
from omega_bridge.planning.gaps import MODELS, Unkept, What
from omega_bridge.sql import identifier, same_expression
from omega_bridge.sql.printed import same_printed
from omega_bridge.steps import Place

_ALWAYS = ("type", "nullable")
_WHERE_SAID = ("default", "identity", "generated", "expression", "collation", "comment")
_RELATIONS = (Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW)
PRINTED = frozenset({"default", "expression", "definition"})
"""Attributes that PostgreSQL may print in other words once it has read them again."""


@dataclass(frozen=True)
class Promised:
    """``catalog``: a database that was made of the models alone. ``tables``: the models', by schema and name; ``enums``: theirs, by name."""

    catalog: Catalog
    tables: frozenset[tuple[str, str]]
    enums: frozenset[str] = frozenset()

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """What is promised."""
        return tuple(sorted(key for key, attributes in self.catalog.objects.items() if self._is_of(key, attributes)))

    def _is_of(self, key: Key, attributes: Attributes) -> bool:
        if key.kind is Kind.ENUM:
            return key.name in self.enums
        table = key if key.kind is Kind.TABLE else _table(key, attributes)
        return table is not None and (table.schema, table.name) in self.tables

    def against(self, there: Catalog, unseen: Collection[Key] = ()) -> tuple[Unkept, ...]:
        """What of it is not ``there``, or is there otherwise. ``unseen``: what nothing is known of.

        A key of a column that is missing is missing with it.
        """
        found = [one for key in self.keys for one in self._held(key, there, unseen) if one.key not in unseen]
        gone = {(u.key.schema, u.key.table, u.key.name) for u in found if u.what is What.MISSING and u.key.kind is Kind.COLUMN}
        return tuple(one for one in found if not _comes_with(one, gone))

    def _held(self, key: Key, there: Catalog, unseen: Collection[Key]) -> Iterator[Unkept]:
        wanted = self.catalog.objects[key]
        table = key if key.kind is Kind.TABLE else _table(key, wanted)
        if table is not None and (table in unseen or not _is_relation(there, table)):
            if key.kind is Kind.TABLE:
                yield Unkept(What.MISSING, key, MODELS)
            return
        found = there.get(key)
        match key.kind:
            case Kind.TABLE:
                yield from _differing(key, wanted, found or {}, ("partition_key", "comment"))
            case Kind.COLUMN if found is None:
                yield Unkept(What.MISSING, key, MODELS)
            case Kind.COLUMN:
                yield from _column(key, wanted, found or {})
            case Kind.CONSTRAINT:
                yield from _constraint(key, wanted, there)
            case Kind.INDEX if not wanted.get("constraint"):
                yield from _index(key, wanted, there)
            case Kind.ENUM:
                labels = [*(texts((found or {}).get("labels")) or texts(wanted["labels"]))]
                if lacking := [label for label in texts(wanted["labels"]) if label not in labels]:
                    yield Unkept(What.DIFFERENT, key, MODELS, Place(), "labels", [*labels, *lacking], labels)


def _comes_with(one: Unkept, gone: Collection[tuple[str, str, str]]) -> bool:
    """Whether it is a unique or foreign key of one column alone, which is among those that are ``gone``."""
    if one.key.kind is not Kind.CONSTRAINT or one.what is not What.MISSING:
        return False
    return any(
        (schema, table) == one.key[1:3]
        and str(one.expected).startswith((f"UNIQUE ({identifier(name)})", f"FOREIGN KEY ({identifier(name)}) "))
        for schema, table, name in gone
    )


def otherwise(one: Catalog, other: Catalog, tables: Collection[tuple[str, str]]) -> tuple[Unkept, ...]:
    """Columns of ``tables`` that both have, and not alike: ``expected`` is what ``one`` has, ``found`` what ``other`` has."""
    found: list[Unkept] = []
    for key in sorted(k for k in one if k.kind is Kind.COLUMN and (k.schema, k.table) in tables and k in other):
        left, right = one.objects[key], other.objects[key]
        for name in (*_ALWAYS, "default", "identity", "expression"):
            if not _is_same(name, left.get(name), right.get(name)):
                found.append(Unkept(What.DIFFERENT, key, MODELS, Place(), name, left.get(name), right.get(name)))
    return tuple(found)


def _column(key: Key, wanted: Attributes, found: Attributes) -> Iterator[Unkept]:
    names = [name for name in _WHERE_SAID if wanted.get(name)]
    if _counts(wanted) and _counts(found) and not wanted.get("identity"):
        names = [name for name in names if name != "default"]
    yield from _differing(key, wanted, found, (*_ALWAYS, *names), is_said=True)


def _counts(attributes: Attributes) -> bool:
    """Whether a sequence gives the values, as a column's default or as an identity's."""
    return bool(attributes.get("identity")) or str(attributes.get("default") or "").startswith("nextval(")


def _differing(
    key: Key, wanted: Attributes, found: Attributes, names: Collection[str], *, is_said: bool = False
) -> Iterator[Unkept]:
    for name in names:
        if (is_said or wanted.get(name)) and not _is_same(name, wanted.get(name), found.get(name)):
            yield Unkept(What.DIFFERENT, key, MODELS, Place(), name, wanted.get(name), found.get(name))


def _constraint(key: Key, wanted: Attributes, there: Catalog) -> Iterator[Unkept]:
    others = {
        k: a for k, a in there.objects.items() if k.kind is Kind.CONSTRAINT and (k.schema, k.table) == (key.schema, key.table)
    }
    alike = [a for a in others.values() if _is_alike(wanted, a)]
    if alike:
        if wanted.get("validated", True) and not any(a.get("validated", True) for a in alike):
            yield Unkept(What.DIFFERENT, key, MODELS, Place(), "validated", True, False)
        return
    if wanted.get("type") == "u" and any(_covers(k, a, key, wanted) for k, a in there.objects.items() if k.kind is Kind.INDEX):
        return
    if key in others:
        yield Unkept(What.DIFFERENT, key, MODELS, Place(), "definition", wanted["definition"], others[key].get("definition"))
        return
    same_columns = next(
        (k for k, a in sorted(others.items()) if a.get("type") == "f" == wanted.get("type") and _of(a) == _of(wanted)), None
    )
    if same_columns is not None:
        found = others[same_columns].get("definition")
        yield Unkept(What.DIFFERENT, same_columns, MODELS, Place(), "definition", wanted["definition"], found)
        return
    yield Unkept(What.MISSING, key, MODELS, expected=wanted["definition"])


def _is_alike(one: Attributes, other: Attributes) -> bool:
    if one.get("type") != other.get("type"):
        return False
    return _is_same("definition", _valid(one), _valid(other))


def _valid(attributes: Attributes) -> str:
    return str(attributes.get("definition")).removesuffix(" NOT VALID")


def _of(attributes: Attributes) -> str:
    """The columns of a foreign key, and what they point to: its definition without what happens then."""
    head, _, tail = str(attributes.get("definition")).partition(" REFERENCES ")
    return f"{head} {tail.partition(')')[0]}"


def _covers(index: Key, attributes: Attributes, key: Key, wanted: Attributes) -> bool:
    """Whether a unique index does what the constraint would."""
    columns = str(wanted["definition"]).removeprefix("UNIQUE ")
    made = _beyond_name(index, attributes)
    return (
        bool(attributes.get("unique"))
        and (index.schema, attributes.get("table")) == (key.schema, key.table)
        and made.endswith(f" USING btree {columns}")
    )


def _index(key: Key, wanted: Attributes, there: Catalog) -> Iterator[Unkept]:
    others = {
        k: a
        for k, a in there.objects.items()
        if k.kind is Kind.INDEX and (k.schema, a.get("table")) == (key.schema, wanted.get("table"))
    }
    made = _beyond_name(key, wanted)
    if any(
        a.get("unique") == wanted.get("unique") and _is_same("definition", made, _beyond_name(k, a)) for k, a in others.items()
    ):
        return
    if key in others:
        yield Unkept(What.DIFFERENT, key, MODELS, Place(), "definition", wanted["definition"], others[key].get("definition"))
        return
    yield Unkept(What.MISSING, key, MODELS, expected=wanted["definition"])


def _beyond_name(key: Key, attributes: Attributes) -> str:
    """An index's definition from its table on."""
    rest = str(attributes.get("definition")).partition(f" {identifier(key.name)} ON ")[2].removeprefix("ONLY ")
    return f"CREATE INDEX i ON {rest}"


def _is_same(name: str, one: object, other: object) -> bool:
    if (one or None) == (other or None):
        return True
    if name not in PRINTED or not isinstance(one, str) or not isinstance(other, str):
        return False
    return bool(same_expression(one, other) if name in ("default", "expression") else same_printed(one, other))


def _table(key: Key, attributes: Attributes) -> Key | None:
    """The table that an object is a part of."""
    name = key.table or (str(attributes.get("table") or "") if key.kind is Kind.INDEX else "")
    return Key(Kind.TABLE, key.schema, "", name) if name else None


def _is_relation(there: Catalog, table: Key) -> bool:
    return any(table._replace(kind=kind) in there for kind in _RELATIONS)
