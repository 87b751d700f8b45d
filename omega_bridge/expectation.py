"""The schema that a list leads to, as a database had it after the list ran there; and what a database has otherwise.

Nothing is guessed from the text of steps: what is expected was read by the reader that reads what is found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from omega_bridge.catalog import Attributes, Catalog, Key, Kind
from omega_bridge.expected_grants import Grants
from omega_bridge.kinds.privileges import RUNNER
from omega_bridge.sql import identifier
from omega_bridge.sql.moments import is_moment_in_another_zone
from omega_bridge.sql.printed import same_printed

FILE = "omega.catalog.json"
"""Where an export keeps it, beside the history (``expectation_file.py``)."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """``catalog``: what is there after the list ran on an empty database; ``role``: who ran it there.

    ``listed``: the digest of the list and the models. ``by``: the step that each object comes from, as far as it is known.
    ``rejected``: steps that did not work out there, with the reason: what they promise is not in the catalog.
    """

    catalog: Catalog
    role: str
    listed: str
    by: Mapping[Key, str] = field(default_factory=dict)
    rejected: Mapping[str, str] = field(default_factory=dict)
    promised: frozenset[Key] = frozenset()
    """What the rejected steps make where they work, as far as that was read."""
    owned: Mapping[Key, str] = field(default_factory=dict)
    """The owner of what a step gives to somebody: a role, or ``RUNNER`` for who runs the list; the file has it as the attribute."""

    def maker(self, key: Key) -> str:
        """The step that an object comes from, or that the table comes from which it is a part of; empty where it is not known."""
        table = Key(Kind.TABLE, key.schema, "", key.table)
        return self.by.get(key) or (self.by.get(table, "") if key.table else "")

    @property
    def major(self) -> int:
        """The major version of the server that it was read from."""
        return self.catalog.server_version // 10000


class What(StrEnum):
    """``ADDED``: only the database has it, on something that the list makes. ``UNWANTED``: a step takes it away."""

    MISSING = "missing"
    DIFFERENT = "different"
    UNWANTED = "unwanted"
    ADDED = "only-in-database"


@dataclass(frozen=True, slots=True)
class Departure:
    """One thing that a database has otherwise than expected. ``attribute`` is set where an object differs."""

    what: What
    key: Key
    attribute: str = ""
    expected: object = None
    found: object = None

    def __str__(self) -> str:
        if self.what is What.DIFFERENT:
            return f"{self.key}: {self.attribute} is {_shown(self.found)}, not {_shown(self.expected)}"
        return str(self.key)


@dataclass(frozen=True, slots=True)
class Compared:
    """``beyond``: what only the database has, outside of what the list makes. ``unseen``: what was not compared, and why; ``apart``: of which
    attributes that is so although the list says how they are to be.
    """

    departures: tuple[Departure, ...]
    beyond: tuple[Key, ...] = ()
    unseen: tuple[str, ...] = ()
    apart: frozenset[tuple[Key, str]] = frozenset()


def compare(expected: Expectation, found: Catalog, role: str) -> Compared:
    """Hold a database against what is expected. ``role``: who runs the list there.

    Owners and privileges are compared where a step gives them; columns may stand in another order. Where the two servers are
    of different releases, what they print is compared by its parse tree.
    """
    there_expected = moved(expected, found, role)
    wanted = there_expected.catalog
    departures: list[Departure] = []
    unseen: list[str] = []
    apart: set[tuple[Key, str]] = set()
    grants = Grants.of(wanted, there_expected.role, found, role)
    for key, attributes in wanted.objects.items():
        there = found.get(key)
        if there is None:
            departures.append(Departure(What.MISSING, key))
            continue
        if told := grants.differ(key, attributes, there):
            departures.append(Departure(What.DIFFERENT, key, "grants", *told))
        elif grants.are_by_hand(key, attributes, there):
            what = "are not those of a new object, and no step gave any where the expectation was made"
            unseen.append(
                f"{key}: its grants {what if attributes.get('grants') is None else 'follow from default privileges of this database'}"
            )
        for name, one, other in _differing(key, attributes, there, there_expected, role):
            if (key.kind, name) == (Kind.EXTENSION, "version") and (
                one is None or expected.major != found.server_version // 10000
            ):
                known = f"PostgreSQL {expected.major} brings {one}" if one else f"the one expected is not in {FILE}"
                unseen.append(f"{key}: its version is {other}, and {known}")
                continue
            if (
                name == "type"
                and key.kind is Kind.COLUMN
                and expected.major != found.server_version // 10000
                and _is_of_query(key, wanted)
            ):
                unseen.append(
                    f"{key}: its type is {other}, and {one} on PostgreSQL {expected.major}: that follows from the query"
                )
                continue
            is_same = _means_same(one, other) if name in _PRINTED else False
            if is_same is None and expected.major != found.server_version // 10000:
                unseen.append(
                    f"{key}: {name}, which PostgreSQL {expected.major} and {found.server_version // 10000} print in words of their own"
                )
            elif not is_same and name in _PRINTED and is_moment_in_another_zone(one, other):
                apart.add((key, name))
                unseen.append(
                    f"{key}: {name}, in which a moment without a zone is one of the zone that its session had (TimeZone)"
                )
            elif not is_same:
                departures.append(Departure(What.DIFFERENT, key, name, one, other))
    added, beyond = _only_there(wanted, found, there_expected.promised)
    departures += (Departure(What.ADDED, key) for key in added)
    return Compared(tuple(_without_what_goes_along(departures, wanted, found)), tuple(beyond), tuple(unseen), frozenset(apart))


def _is_of_query(column: Key, catalog: Catalog) -> bool:
    """Whether a view has it, and its type is that of an expression: ``EXTRACT`` gives another from 14 on."""
    return any(Key(kind, column.schema, "", column.table) in catalog for kind in (Kind.VIEW, Kind.MATERIALIZED_VIEW))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(str(text).split())
    return text if len(text) <= 200 else text[:197] + "..."


# --- what is the same -------------------------------------------------------------------------------------------

_OUT_OF_COUNT = frozenset({"position", "grants"})
"""Columns may stand in another order; grants are compared by who may do what."""
_PRINTED = frozenset({"definition", "default", "expression", "using", "check", "constraints", "partition_bound", "partition_key"})
"""Attributes that PostgreSQL prints as SQL; any other is the same letter by letter, or is not the same."""


def _differing(key: Key, one: Attributes, other: Attributes, expected: Expectation, role: str) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted(
        {*one, *other} - _OUT_OF_COUNT, key=lambda n: (n != "identity", n)
    ):  # an identity goes before what it implies
        left, right = one.get(name), other.get(name)
        if name == "owner":
            left = _owner_of(key, one, expected, role)
            if left is None or left == right:
                continue
        elif left == right:
            continue
        yield name, left, right


def _owner_of(key: Key, attributes: Attributes, expected: Expectation, role: str) -> str | None:
    """Whose it should be; ``None`` where no step says so."""
    told = expected.owned.get(key) or attributes.get("owner")
    if told == RUNNER:
        return role
    return None if told is None or (key not in expected.owned and told == expected.role) else str(told)


def owned_by_others(expected: Expectation, found: Catalog, role: str) -> dict[str, list[Key]]:
    """By owner what is expected and is another's than of who runs the list, where no step says whose it is."""
    others: dict[str, list[Key]] = {}
    for key, attributes in expected.catalog.objects.items():
        owner = (found.get(key) or {}).get("owner")
        is_told = owner is None or owner == role or _owner_of(key, attributes, expected, role) is not None
        if not is_told and key.kind is not Kind.DEFAULT_PRIVILEGES and not str(owner).startswith("pg_"):
            others.setdefault(str(owner), []).append(key)
    return others


def _means_same(one: Any, other: Any) -> bool | None:
    """Whether two values as two releases print them are the same; ``None`` where they may be."""
    if isinstance(one, str) and isinstance(other, str):
        return same_printed(one, other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        found = [_means_same(one.get(k), other.get(k)) for k in {*one, *other}]
        return False if False in found else None if None in found else True
    return bool(one == other)


# --- what belongs to the list -----------------------------------------------------------------------------------


def _only_there(wanted: Catalog, found: Catalog, promised: frozenset[Key]) -> tuple[list[Key], list[Key]]:
    """What hangs on something that the list makes, and what does not; without what is ``promised`` and could not be made elsewhere."""
    added: list[Key] = []
    beyond: list[Key] = []
    ground = {Key(Kind.SCHEMA, "", "", name) for name in ("public", *found.search_path[:1])}  # on which every list may work
    lone = [key for key in sorted(found.objects) if key not in wanted and key not in ground and key not in promised]
    routines = {_base_name(key) for key in wanted if key.kind is Kind.FUNCTION}
    for key in lone:
        owner = whole_of(key, found.objects[key])
        if (owner is not None and any(k in wanted for k in owner)) or (key.kind is Kind.FUNCTION and _base_name(key) in routines):
            added.append(key)
        elif owner is None or not any(k in found for k in owner):
            beyond.append(key)
    return [k for k in added if not _comes_with(k, added)], beyond


def _base_name(routine: Key) -> tuple[str, str]:
    """Its schema and its name, which overloads have in common: with one more, a call may be another's, or nobody's."""
    return routine.schema, routine.name.partition("(")[0]


def whole_of(key: Key, attributes: Attributes) -> tuple[Key, ...] | None:
    """The relation that an object is a part of, in each kind that it may be; a user mapping's server; ``None`` for one that stands by
    itself.
    """
    if key.kind is Kind.USER_MAPPING:
        return (Key(Kind.FOREIGN_SERVER, "", "", key.name.partition(" at ")[2]),)
    schema, table = key.schema, key.table or (str(attributes.get("table") or "") if key.kind is Kind.INDEX else "")
    if key.kind is Kind.STATISTICS and (last := _LAST_NAMES.search(str(attributes.get("definition") or ""))):
        schema, table = _bare(last[1]) or key.schema, _bare(last[2])
    if key.kind is Kind.SEQUENCE and attributes.get("owned_by"):
        table = str(attributes["owned_by"]).rpartition(".")[0].replace('"', "")
    if not table:
        return None
    return tuple(Key(kind, schema, "", table) for kind in (Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW))


_NAME = r'"(?:[^"]|"")+"|[\w$]+'
_LAST_NAMES = re.compile(rf"(?s:.*) FROM (?:({_NAME})\.)?({_NAME})$")
"""The table at the end of what PostgreSQL prints of extended statistics, and its schema where that is not on the search path."""


def _bare(name: str | None) -> str:
    return (name or "").removeprefix('"').removesuffix('"').replace('""', '"')


def _comes_with(key: Key, others: list[Key]) -> bool:
    """Whether it is the index of a constraint that is told, too."""
    return key.kind is Kind.INDEX and any(
        k.kind is Kind.CONSTRAINT and (k.schema, k.name) == (key.schema, key.name) for k in others
    )


def _without_what_goes_along(departures: list[Departure], wanted: Catalog, found: Catalog) -> Iterator[Departure]:
    """What is missing is missing with all that is a part of it; a key and its index are one, and so are a column and its sequence."""
    gone = {d.key for d in departures if d.what is What.MISSING}
    told = {d.key for d in departures}
    keys = {(d.key.schema, d.key.name) for d in departures if d.key.kind is Kind.CONSTRAINT}
    for departure in departures:
        owner = whole_of(departure.key, wanted.get(departure.key) or {})
        if departure.what is What.MISSING and owner is not None and any(k in gone for k in owner):
            continue
        if departure.key.kind is Kind.INDEX and (departure.key.schema, departure.key.name) in keys:
            continue
        if departure.key.kind is Kind.SEQUENCE and _column_of(departure, wanted, found) in told:
            continue
        yield departure


def _column_of(departure: Departure, wanted: Catalog, found: Catalog) -> Key | None:
    """The column that owns a sequence."""
    owner = (wanted.get(departure.key) or found.get(departure.key) or {}).get("owned_by")
    if not owner:
        return None
    table, _, column = str(owner).rpartition(".")
    return Key(Kind.COLUMN, departure.key.schema, table.replace('"', ""), column.replace('"', ""))


def moved(expected: Expectation, found: Catalog, role: str) -> Expectation:
    """What is expected where the list works in the schema of that database, and ``role`` runs it."""
    here, there = (c.search_path[0] if c.search_path else "" for c in (expected.catalog, found))
    objects, by = expected.catalog.objects, expected.by
    if role != expected.role:
        objects = {of_role(key, expected.role, role): attributes for key, attributes in objects.items()}
        by = {of_role(key, expected.role, role): step for key, step in by.items()}
    if here == there or not here or not there:
        return replace(expected, catalog=replace(expected.catalog, objects=objects), by=by)
    qualified = re.compile(rf"(?<![\w.\"])(?:{re.escape(here)}|\"{re.escape(here)}\")\.")

    def placed(key: Key) -> Key:
        return key._replace(schema=there) if key.schema == here else key

    catalog = replace(
        expected.catalog,
        objects={
            placed(key): {name: _requalified(value, qualified, f"{identifier(there)}.") for name, value in attributes.items()}
            for key, attributes in objects.items()
            if key != Key(Kind.SCHEMA, "", "", here)
        },
        search_path=(there, *expected.catalog.search_path[1:]),
    )
    return replace(
        expected,
        catalog=catalog,
        by={placed(key): step for key, step in by.items()},
        promised=frozenset(map(placed, expected.promised)),
        owned={placed(key): owner for key, owner in expected.owned.items()},
    )


def of_role(key: Key, role: str, other: str) -> Key:
    """Default privileges are those of a role."""
    ending = f" of {role}"
    return (
        key._replace(name=key.name.removesuffix(ending) + f" of {other}")
        if key.kind is Kind.DEFAULT_PRIVILEGES and key.name.endswith(ending)
        else key
    )


def _requalified(value: Any, qualified: re.Pattern[str], schema: str) -> Any:
    return qualified.sub(lambda _: schema, value) if isinstance(value, str) else value
