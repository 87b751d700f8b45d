"""Who may do what with an object: as PostgreSQL keeps it (its manual, "Privileges"), in a form of its own, and the SQL that makes it so.

The form names what each role may do, and not who granted it; the owner is ``owner``. ``MAINTAIN``, which PostgreSQL has from 17 on, is
left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import identifier

RUNNER = "CURRENT_USER"
"""The owner of what a step gives to who runs the list."""
ALL = "owner=all"
"""Nothing but what the owner has; told where nobody else has anything."""

_NAMES = {
    "a": "INSERT", "r": "SELECT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE", "x": "REFERENCES", "t": "TRIGGER", "U": "USAGE",
    "C": "CREATE", "X": "EXECUTE",
}  # fmt: skip
_OWNERS: Mapping[Kind, str] = {
    Kind.TABLE: "arwdDxt", Kind.VIEW: "arwdDxt", Kind.MATERIALIZED_VIEW: "arwdDxt", Kind.SEQUENCE: "rwU", Kind.FUNCTION: "X",
    Kind.SCHEMA: "UC", Kind.COLUMN: "", Kind.DEFAULT_PRIVILEGES: "", Kind.DATABASE: "CTc",
}  # fmt: skip
"""What the owner of a new object has; where nothing is said, it is its use. Those of columns and default privileges have nothing."""
_EVERYBODYS: Mapping[Kind, tuple[str, ...]] = {
    Kind.FUNCTION: ("public=X",), Kind.ENUM: ("public=U",), Kind.DOMAIN: ("public=U",), Kind.COMPOSITE: ("public=U",),
    Kind.RANGE: ("public=U",), Kind.BASE_TYPE: ("public=U",), Kind.LANGUAGE: ("public=U",), Kind.DATABASE: ("public=Tc",),
}  # fmt: skip
_ON: Mapping[Kind, str] = {
    Kind.TABLE: "TABLE", Kind.VIEW: "TABLE", Kind.MATERIALIZED_VIEW: "TABLE", Kind.COLUMN: "TABLE", Kind.SEQUENCE: "SEQUENCE",
    Kind.FUNCTION: "ROUTINE", Kind.SCHEMA: "SCHEMA", Kind.ENUM: "TYPE", Kind.DOMAIN: "TYPE", Kind.COMPOSITE: "TYPE", Kind.RANGE: "TYPE",
    Kind.BASE_TYPE: "TYPE", Kind.LANGUAGE: "LANGUAGE", Kind.FOREIGN_SERVER: "FOREIGN SERVER",
    Kind.FOREIGN_DATA_WRAPPER: "FOREIGN DATA WRAPPER",
}  # fmt: skip
"""How ``GRANT`` names them."""

_HAVE_MAINTAIN = frozenset({Kind.TABLE, Kind.VIEW, Kind.MATERIALIZED_VIEW, Kind.DEFAULT_PRIVILEGES})
_OF_ANY_DATABASE = (Kind.SCHEMA, "pg_database_owner=UC")
"""What the owner of the schema ``public`` has, from 15 on."""
_ITEM = re.compile(r'(?:"((?:[^"]|"")*)"|([^=]*))=([^/]*)/')


def privileges(kind: Kind, items: Sequence[str] | None, owner: str | None) -> tuple[str, ...] | None:
    """Who may do what; ``None`` where nobody has said anything. ``items``: as ``pg_class.relacl`` has them, or as this told them before.

    The owner is told where he has not all that an owner has, and where nobody else has anything; that of a schema that every database
    has is not known.
    """
    if items is None:
        return None
    if items and not any("/" in item for item in items):
        return tuple(item for item in items if (kind, item) != _OF_ANY_DATABASE) or (ALL,)
    owners = _OWNERS.get(kind, "U") if owner is not None else ""
    found: dict[str, str] = {"owner": ""} if owners else {}
    for item in items:
        match = _ITEM.match(item)
        if match is None:
            found[item] = ""
            continue
        who = (match[1] or "").replace('""', '"') or match[2] or "public"
        rights = re.sub(r"m\*?", "", match[3]) if kind in _HAVE_MAINTAIN else match[3]
        if rights:
            found["owner" if who == owner else who] = rights
    if owners and set(found["owner"]) == set(owners):
        del found["owner"]
    told = sorted(f"{who}={rights}" for who, rights in found.items())
    return tuple(item for item in told if (kind, item) != _OF_ANY_DATABASE) or (ALL,)


def of_new(kind: Kind) -> tuple[str, ...]:
    """Who may do what with a new object, where the database has no defaults of its own."""
    return _EVERYBODYS.get(kind, (ALL,))


_OF_DEFAULTS: Mapping[Kind, str] = {
    Kind.TABLE: "tables", Kind.VIEW: "tables", Kind.MATERIALIZED_VIEW: "tables", Kind.SEQUENCE: "sequences", Kind.FUNCTION: "functions",
    Kind.ENUM: "types", Kind.DOMAIN: "types", Kind.COMPOSITE: "types", Kind.RANGE: "types", Kind.BASE_TYPE: "types",
    Kind.SCHEMA: "schemas",
}  # fmt: skip
"""How default privileges call them."""


def defaults_of(key: Key, owner: str) -> tuple[Key, Key] | None:
    """The default privileges that a new object of ``owner`` gets: those that stand for PostgreSQL's own, and those of its schema,
    which are added; ``None`` where there are none for its kind.
    """
    if key.kind not in _OF_DEFAULTS:
        return None
    name = f"{_OF_DEFAULTS[key.kind]} of {owner}"
    return Key(Kind.DEFAULT_PRIVILEGES, "", "", name), Key(Kind.DEFAULT_PRIVILEGES, key.schema, "", name)


def by_default(kind: Kind, everywhere: Sequence[str] | None, here: Sequence[str] | None, owner: str) -> dict[str, frozenset[str]]:
    """By role the letters of what it may do with a new object, with such default privileges."""
    found = rights_of(privileges(kind, everywhere, owner) or of_new(kind))
    for role, letters in rights_of(privileges(kind, here, owner) or ()).items():
        if role != "owner":
            found[role] = found.get(role, frozenset()) | letters
    return found


def rights_of(items: Iterable[str]) -> dict[str, frozenset[str]]:
    """By role the letters of what it may do, each with its star."""
    return {
        who: frozenset(re.findall(r"[A-Za-z]\*?", rights))
        for who, _, rights in (item.rpartition("=") for item in items if item != ALL)
    }


def owners_loss(kind: Kind, there: Sequence[str] | None) -> bool:
    """Whether the owner lacks something that an owner has."""
    return bool(_OWNERS.get(kind, "U")) and any(item.startswith("owner=") and item != ALL for item in there or ())


def granted(key: Key, expected: Iterable[str], found: Iterable[str], owner: str | None) -> str:
    """SQL after which they have what is ``expected``; empty where none is known. ``owner``: a role, or ``None`` for who runs the list."""
    on = _ON.get(key.kind)
    if on is None:
        return ""
    one, other = (_rights(key.kind, items) for items in (expected, found))
    return "; ".join(_statements(key, on, one, other, owner))


def _rights(kind: Kind, items: Iterable[str]) -> dict[str, dict[str, bool]]:
    """By role the letters of what it may do, and whether it may hand that on."""
    told = dict(item.rpartition("=")[::2] for item in items)
    owners = _OWNERS.get(kind, "U")
    if told.get("owner", "all") == "all":
        told["owner"] = owners
    return {who: {letter: f"{letter}*" in rights for letter in rights if letter != "*"} for who, rights in told.items()}


def _statements(
    key: Key, on: str, expected: Mapping[str, Mapping[str, bool]], found: Mapping[str, Mapping[str, bool]], owner: str | None
) -> Iterator[str]:
    for who in sorted({*expected, *found}):
        one, other = expected.get(who, {}), found.get(who, {})
        role = (
            "PUBLIC" if who == "public" else identifier(who) if who != "owner" else identifier(owner) if owner else "CURRENT_USER"
        )
        for begin, rights, end in (
            ("REVOKE", [r for r in other if r not in one], f" FROM {role}"),
            ("REVOKE GRANT OPTION FOR", [r for r in other if other[r] and one.get(r) is False], f" FROM {role}"),
            ("GRANT", [r for r in one if r not in other and not one[r]], f" TO {role}"),
            ("GRANT", [r for r in one if one[r] and not other.get(r)], f" TO {role} WITH GRANT OPTION"),
        ):
            if any(right not in _NAMES for right in rights):
                return
            if rights:
                yield f"{begin} {', '.join(_named(key, right) for right in rights)} ON {on} {_object(key)}{end}"


def _named(key: Key, right: str) -> str:
    return f"{_NAMES[right]} ({identifier(key.name)})" if key.kind is Kind.COLUMN else _NAMES[right]


def _object(key: Key) -> str:
    if key.kind is Kind.COLUMN:
        return identifier(key.schema, key.table)
    name, paren, arguments = key.name.partition("(")
    return f"{identifier(key.schema, name) if key.schema else identifier(name)}{paren}{arguments}"
