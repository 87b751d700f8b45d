"""A catalog with changes laid over it: what a step would find after the statements before it.

Answers have three values: yes, no, and ``None`` where only the server can tell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from omega_bridge.analysis.program import (
    ANYTHING,
    DOUBT,
    RELATIONS,
    TYPES,
    VISIBLE,
    All,
    AnyOf,
    Compared,
    Condition,
    Constant,
    Effect,
    Exists,
    Filter,
    Not,
    Pattern,
    Unknown,
    patterns,
)
from omega_bridge.catalog import Key, Kind, texts
from omega_bridge.planning import scopes
from omega_bridge.planning.attributes import Null, compared, same
from omega_bridge.planning.overlay import Overlay
from omega_bridge.planning.three_valued import Answer, all_of, conjunction, of_null, opposite
from omega_bridge.sql import identifier

_TABLE_LIKE = (Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW)
_PARTS = frozenset({Kind.COLUMN, Kind.CONSTRAINT, Kind.INDEX, Kind.SEQUENCE, Kind.TRIGGER})
"""What comes with a table of which not everything is known."""
_SAID_OF_COLUMNS = frozenset({"comment", "grants"})
_PASSED_DOWN = frozenset({"default", "nullable"})
"""What ``ALTER COLUMN`` changes in the tables that inherit the column, too, whatever the parent has."""
_OF_ONE_KIND = frozenset({Kind.COLUMN, Kind.CONSTRAINT, Kind.TRIGGER, Kind.POLICY, Kind.INDEX, Kind.SEQUENCE})
"""A name of these means nothing else. Most look-ups are for them, so they are done without going round."""


class World(Overlay):
    """The catalog as it would be. The catalog below is never changed; every change can be taken back to a mark."""

    # --- looking -----------------------------------------------------------------------------------------------

    def comment(self, key: Key) -> str | None:
        """What is said about an object, where it is there."""
        found = self.find(key)
        said = (self.get(found) or {}).get("comment") if found is not None else None
        return str(said) if said is not None else None

    def count(self, kind: Kind, name: str) -> int:
        """How many objects of that kind bear the name, in any schema."""
        return sum(self.get(key) is not None for key in dict.fromkeys(self._named(kind, name)))

    def columns(self, table: Key) -> list[Key]:
        """The columns of a table, as far as they are known."""
        mine = (k for k in self._members.get((table.schema, table.name), ()) if k.kind is Kind.COLUMN)
        found = dict.fromkeys((*self.catalog.columns(table.schema, table.name), *mine))
        return [key for key in found if self.get(key) is not None]

    def find(self, key: Key) -> Key | None:
        """The object that a name in a statement means: the kind taken loosely, the schema along the search_path."""
        kind, schema, table, name = key
        if kind in _OF_ONE_KIND:
            return self._find_one(key)
        if kind is Kind.SCHEMA or kind is Kind.EXTENSION:
            return key if self.get(key) is not None else None
        if kind is Kind.FUNCTION:
            return next((k for k in self._functions(key) if self.get(k) is not None), None)
        kinds = _TABLE_LIKE if kind is Kind.TABLE else TYPES if kind in TYPES else (kind,)
        for place in self.catalog.search_path if schema == VISIBLE else (schema,):
            for one in kinds:
                candidate = Key(one, place, table, name)
                if self.get(candidate) is not None:
                    return candidate
        return None

    def _find_one(self, key: Key) -> Key | None:
        if key.schema != VISIBLE:
            return key if self.get(key) is not None else None
        found = self._first(key)
        return found if found is not None and self.get(found) is not None else None

    def _first(self, key: Key) -> Key | None:
        """Along the search_path: where it is, or else where its table is."""
        kind, _, table, name = key
        for schema in self.catalog.search_path:
            candidate = Key(kind, schema, table, name)
            if self.get(candidate) is not None:
                return candidate
            if table and self._is_relation(schema, table):
                return candidate
        return None

    def _is_relation(self, schema: str, name: str) -> bool:
        return self.get(Key(Kind.TABLE, schema, "", name)) is not None or any(
            self.get(Key(kind, schema, "", name)) is not None for kind in _TABLE_LIKE[1:]
        )

    def place(self, key: Key) -> Key:
        """Where an object of that name is, or would be created."""
        kind, schema, table, name = key
        if table and schema == VISIBLE and kind in _OF_ONE_KIND and (found := self._first(key)) is not None:
            return found
        found = self.find(key)
        if found is not None:
            return found
        if schema == VISIBLE and kind is not Kind.SCHEMA and kind is not Kind.EXTENSION:
            owner = self.find(Key(Kind.TABLE, VISIBLE, "", table)) if table else None
            schema = owner.schema if owner else (self.catalog.search_path or ("public",))[0]
        return Key(kind, schema, table, name)

    def _meant(self, effect: Effect) -> Key:
        """Where a statement looks: an unqualified ``CREATE`` in the first schema of the search_path, an index beside its table."""
        key, path = effect.key, self.catalog.search_path
        if key.schema != VISIBLE or not path:
            return key
        if effect.made:
            return Key(key.kind, path[0], key.table, key.name)
        table = dict(effect.attributes).get("table") if key.kind is Kind.INDEX and effect.present else None
        owner = self.find(Key(Kind.TABLE, VISIBLE, "", table)) if isinstance(table, str) else None
        return Key(key.kind, owner.schema, "", key.name) if owner is not None else key

    def has(self, key: Key) -> bool | None:
        """Whether what a statement needs is there; ``None`` for a column of a table whose columns are not known."""
        found = self.find(key)
        if found is not None:
            return None if self._is_in_doubt(found) else True
        if key.kind is Kind.COLUMN:
            owner = self.find(Key(Kind.TABLE, key.schema, "", key.table))
            attributes = self.get(owner) if owner else None
            if owner and (owner.kind is not Kind.TABLE or (attributes or {}).get("columns known") is False):
                return None
            if owner and self._is_in_doubt(owner):
                return None
        if scopes.may_mean_another(self.catalog, key) or (key.kind is Kind.TABLE and self._is_of_another_kind(key)):
            return None
        return None if self._composite_of(key) is not None else False

    def _composite_of(self, key: Key) -> Mapping[str, Any] | None:
        """The composite type with an attribute that statements name as a column."""
        places = self.catalog.search_path if key.schema == VISIBLE else (key.schema,)
        found = (self.get(Key(Kind.COMPOSITE, place, "", key.table)) for place in places if key.kind is Kind.COLUMN)
        return next((attributes for attributes in found if attributes is not None), None)

    def _is_of_another_kind(self, key: Key) -> bool:
        """Whether there is a relation of that name, and no table or view."""
        kinds = (Kind.SEQUENCE, Kind.INDEX, Kind.COMPOSITE, *_TABLE_LIKE)
        places = self.catalog.search_path if key.schema == VISIBLE else (key.schema,)
        return any(self.get(Key(kind, place, "", key.name)) is not None for place in places for kind in kinds)

    def _is_in_doubt(self, key: Key) -> bool:
        return bool((self.changes.get(key) or {}).get(DOUBT))

    def holds(self, effect: Effect) -> bool | None:
        """Whether an effect is already true."""
        found = self.find(self._meant(effect))
        if found is not None and self._is_in_doubt(found):
            return None
        if not effect.present:
            if found is not None and found.kind is Kind.FUNCTION and (self.get(found) or {}).get("kind", "f") != "f":
                return None  # a procedure is not dropped as a function
            if found is None and scopes.may_mean_another(self.catalog, effect.key):
                return None
            if found is None and effect.key.kind in RELATIONS and self._is_of_another_kind(effect.key):
                return None  # PostgreSQL rejects it
            return found is None
        if found is None:
            composite = self._composite_of(effect.key)
            if composite is not None:
                told = (composite.get("attribute_comments") or {}).get(effect.key.name)
                return effect.attributes == (("comment", told),) or None
            return None if not effect.made and scopes.may_mean_another(self.catalog, effect.key) else False
        attributes = self.get(found) or {}
        answers = [same(found, name, attributes, value) for name, value in effect.attributes]
        if found.kind is Kind.TRIGGER and (enabled := dict(effect.attributes).get("enabled")):
            answers += [same(part, "enabled", self.get(part) or {}, enabled) for part in self._of_partitions(found)]
        return all_of([*answers, None]) if self.is_passed_down(effect) else all_of(answers)

    def is_passed_down(self, effect: Effect) -> bool:
        """Whether tables inherit the column that is changed: what is so of it need not be so of theirs."""
        if not any(name in _PASSED_DOWN for name, _ in effect.attributes):
            return False
        key = self.place(effect.key)
        table = self.get(Key(Kind.TABLE, key.schema, "", key.table)) or {}
        return bool(table.get("partition_key")) or ("pg_inherits", key.table) in self.catalog.hidden

    def demanded(self, condition: Condition) -> Key | None:
        """What a guard has to find to be asked at all, and does not: PostgreSQL rejects it."""
        for pattern in patterns(condition):
            for key in pattern.demands:
                if self._is_nowhere(key):
                    return key
        return None

    def _is_nowhere(self, key: Key) -> bool:
        kinds = (
            (*RELATIONS, Kind.COMPOSITE)
            if key.kind is Kind.TABLE
            else (*TYPES, *_TABLE_LIKE)
            if key.kind in TYPES
            else (key.kind,)
        )
        if any(self.find(Key(kind, key.schema, "", key.name)) is not None for kind in kinds):
            return False
        return not scopes.may_be_hidden(self.catalog, "pg_type" if key.kind in TYPES else "pg_class", key.name)

    def answer(self, condition: Condition) -> bool | None:
        """What a guard evaluates to. NULL does not hold."""
        found = self._value(condition)
        return False if isinstance(found, Null) else found

    def _value(self, condition: Condition) -> Answer:
        match condition:
            case Constant(value):
                return value
            case Unknown():
                return None
            case Not(other):
                return opposite(self._value(other))
            case All(several):
                return conjunction([self._value(c) for c in several])
            case AnyOf(several):
                return opposite(conjunction([opposite(self._value(c)) for c in several]))
            case Exists(pattern):
                return self._exists(pattern)
            case Compared(pattern, test):
                return self._compared(pattern, test)

    def _exists(self, pattern: Pattern) -> bool | None:
        if scopes.is_shadowed(self.catalog, pattern):
            return None
        answers = [passed for _, _, passed in self._rows(pattern)]
        if True in answers:
            return True
        return None if None in answers or not self._is_all(pattern) else False

    def _compared(self, pattern: Pattern, test: Filter) -> Answer:
        """The test on the one object that the pattern finds; of several, PostgreSQL takes any, or none."""
        rows = [row for row in self._rows(pattern) if row[2] is not False]
        if (
            scopes.is_shadowed(self.catalog, pattern)
            or len(rows) > 1
            or any(passed is None for _, _, passed in rows)
            or not self._is_all(pattern)
        ):
            return None
        if not rows:
            return of_null(test)
        ((key, attributes, _),) = rows
        found = compared(key, attributes, test)
        return found

    def _rows(self, pattern: Pattern) -> Iterator[tuple[Key, Mapping[str, Any], bool | None]]:
        """The objects that a pattern may find, and whether it does."""
        for key in self._matching(pattern):
            attributes = self.get(key)
            if attributes is None:
                continue
            answers = [scopes.is_row(self, pattern.scope, key, attributes)]
            answers += [scopes.passed(self, key, attributes, f) for f in pattern.filters]
            passed = all_of(answers)
            yield key, attributes, None if passed and self._is_in_doubt(key) else passed

    def _is_all(self, pattern: Pattern) -> bool:
        """Whether nothing that this world does not hold could be found as well."""
        if not scopes.is_complete(self.catalog, pattern):
            return False
        if pattern.kinds[0] not in _PARTS:
            return True
        if pattern.table is None:
            return not self._partly
        for kind in (*_TABLE_LIKE, Kind.COMPOSITE, Kind.INDEX, Kind.SEQUENCE):
            for owner in self._named(kind, pattern.table):
                attributes = self.get(owner)
                if attributes is None:
                    continue
                if kind not in _TABLE_LIKE:
                    if pattern.kinds[0] is Kind.COLUMN:
                        return False
                elif attributes.get("columns known") is False or self._is_in_doubt(owner):
                    return False
        return True

    def _matching(self, pattern: Pattern) -> Iterable[Key]:
        kinds = scopes.kinds_of(pattern)
        places = self._places(pattern, kinds)
        for kind in kinds:
            keys = (
                self._named(kind, pattern.name, pattern.table)
                if pattern.name is not None
                else [k for k in dict.fromkeys((*self.catalog.objects, *self.changes)) if k.kind is kind]
            )
            for key in dict.fromkeys(keys):
                if (places is None or key.schema in places) and pattern.table in (None, key.table):
                    yield key

    def _places(self, pattern: Pattern, kinds: tuple[Kind, ...]) -> Collection[str] | None:
        """The schemas that a pattern looks in; ``None`` for all."""
        path = self.catalog.search_path
        match pattern.schema:
            case "*":
                return None
            case ".":
                return path[:1]
            case "...":
                return path
            case "":
                if kinds[0] is Kind.SCHEMA:
                    return ("",)
                among = (*RELATIONS, Kind.COMPOSITE) if pattern.table or kinds[0] in RELATIONS else kinds
                name = pattern.table or pattern.name or ""
                return next(([p] for p in path if any(self.get(Key(kind, p, "", name)) is not None for kind in among)), ())
        return (pattern.schema,)

    def _functions(self, key: Key) -> Iterable[Key]:
        """Functions of that name, some of which may be gone, along the search_path."""
        for schema in self.catalog.search_path if key.schema == VISIBLE else (key.schema,):
            for k in self._named(key.kind, key.name.partition("(")[0]):
                if k.schema == schema and _same_function(k, key):
                    yield k

    # --- changing ----------------------------------------------------------------------------------------------

    def apply(self, effect: Effect) -> None:
        """Make an effect true."""
        key = self.place(self._meant(effect))
        if not effect.present:
            if key.kind is Kind.TRIGGER:
                for part in self._of_partitions(key):
                    self._set(part, None)
            self._set(key, None)
            if key.kind is Kind.CONSTRAINT:
                self._drop_index_of(key)
            if key.kind is Kind.COLUMN:
                self._doubt_what_names(key)
            if key.kind is Kind.TABLE:
                for changed in list(self._members.get((key.schema, key.name), ())):
                    self._set(changed, None)
            if key.kind in (Kind.VIEW, Kind.MATERIALIZED_VIEW):
                self._bare_columns_of(key)
            return
        attributes = dict(self.get(key) or {})
        if key.kind is Kind.TABLE and self.changes.get(key, attributes) is None:
            attributes["made anew"] = True
        for name, value in effect.attributes:
            if name == "label":
                attributes["labels"] = [*texts(attributes.get("labels")), value]
            elif name == "no label":
                attributes["labels"] = [label for label in texts(attributes.get("labels")) if label != value]
            else:
                attributes[name] = value
                if name == "nullable":
                    attributes.pop("not_null", None)
        self._set(key, attributes)
        if key.kind is Kind.TRIGGER:
            self._make_of_partitions(key, attributes)

    def _of_partitions(self, trigger: Key) -> list[Key]:
        """The triggers that partitions have of it: they are made and go with it. Those that are gone in this world are among them."""
        if not (self.get(Key(Kind.TABLE, trigger.schema, "", trigger.table)) or {}).get("partition_key"):
            return []
        found: dict[Key, None] = {}
        parents = {identifier(trigger.table), identifier(trigger.schema, trigger.table)}
        others = {k: self.get(Key(Kind.TABLE, k.schema, "", k.table)) or {} for k in self._named(Kind.TRIGGER, trigger.name)}
        while further := [k for k, table in others.items() if k not in found and _is_partition_of(table, parents)]:
            found.update(dict.fromkeys(further))
            parents |= {identifier(*name) for k in further for name in ((k.table,), (k.schema, k.table))}
        return list(found)

    def _make_of_partitions(self, trigger: Key, attributes: Mapping[str, Any]) -> None:
        for part in self._of_partitions(trigger):
            there, before = self.get(part), self.catalog.get(part)
            if there is None and before is not None:
                is_as_before = same(trigger, "definition", self.catalog.get(trigger) or {}, attributes.get("definition")) is True
                there = {"definition": before.get("definition") if is_as_before else ANYTHING}
            if there is not None:
                self._set(part, {**there, "enabled": attributes.get("enabled", "O")})

    def _bare_columns_of(self, view: Key) -> None:
        """A view's columns come and go with it, and what was said of them alone goes."""
        columns = dict.fromkeys((*self.catalog.columns(view.schema, view.name), *self._members.get((view.schema, view.name), ())))
        for column in columns:
            if column.kind is not Kind.COLUMN:
                continue
            attributes = self.get(column) or {}
            bare = {
                name: None if name == "default" else value for name, value in attributes.items() if name not in _SAID_OF_COLUMNS
            }
            if bare != attributes:
                self._set(column, bare)

    def _doubt_what_names(self, column: Key) -> None:
        """A column takes the constraints and indexes along that speak of it."""
        names = re.compile(rf"(?<!\w){re.escape(column.name)}(?!\w)")
        for key in dict.fromkeys((*self.catalog.objects, *self.changes)):
            attributes = self.get(key) if key.kind in (Kind.CONSTRAINT, Kind.INDEX) and key.schema == column.schema else None
            if attributes is None or (key.table or attributes.get("table")) != column.table:
                continue
            if names.search(str(attributes.get("definition", ""))):
                self._set(key, {**attributes, DOUBT: True})

    def _drop_index_of(self, constraint: Key) -> None:
        index = Key(Kind.INDEX, constraint.schema, "", constraint.name)
        attributes = self.get(index) or {}
        if attributes.get("constraint") and attributes.get("table") == constraint.table:
            self._set(index, None)

    def doubt(self, effect: Effect) -> None:
        """An effect may be made true, or not."""
        key = self.place(self._meant(effect))
        told = dict(effect.attributes) if self.get(key) is None else {}
        self._set(key, {**told, **(self.get(key) or {}), DOUBT: True})

    def differs_since(self, mark: int) -> bool:
        """Whether anything is other than at the mark, as far as we can compare."""
        return any(not _is_as_before(key, then, self.changes.get(key)) for key, then in self.touched(mark).items())

    def surely_differs_since(self, mark: int) -> bool:
        """Whether something is other than at the mark beyond doubt."""
        return any(_is_other(key, then, self.changes.get(key)) for key, then in self.touched(mark).items())


def _is_as_before(key: Key, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    if then is None or now is None:
        return then is None and now is None
    if any(value for name, value in then.items() if name not in now and name not in _TOLD_ELSEWHERE):
        return False  # a comment, a grant: what is made anew has none
    if now.get("columns known") is False or any(is_anything(then.get(name)) and is_anything(now[name]) for name in now):
        return False  # both are as the server made them: nobody knows whether they are alike
    return all(same(key, name, then, value) is True for name, value in now.items() if then.get(name) != value)


_TOLD_ELSEWHERE = frozenset({"deferrable", "deferred", "kind", "position"})
"""Attributes that the definition tells, too, or that say nothing."""


def _is_other(key: Key, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    if then is None or now is None:
        return (then is None) != (now is None)
    return any(same(key, name, then, value) is False for name, value in now.items() if then.get(name) != value)


def _is_partition_of(table: Mapping[str, object], parents: set[str]) -> bool:
    return bool(table.get("partition_bound")) and not parents.isdisjoint(texts(table.get("inherits")))


def relation_kinds() -> tuple[Kind, ...]:
    """The kinds that share one name space in a schema."""
    return RELATIONS


def _same_function(one: Key, other: Key) -> bool:
    """A bare name means any; with argument types, spellings of one type are one (``int``, ``integer``)."""
    if "(" not in other.name or one.name == other.name:
        return True
    return same(one, "arguments", {"arguments": one.name.partition("(")[2]}, other.name.partition("(")[2]) is True


def is_anything(value: object) -> bool:
    """Whether an attribute's value is one that only the server knows."""
    return value is ANYTHING
