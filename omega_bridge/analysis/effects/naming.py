"""Names: of relations in parse nodes, and those that PostgreSQL makes up for unnamed objects.

Source: PostgreSQL, ``makeObjectName`` and ``ChooseRelationName`` in ``src/backend/commands/indexcmds.c``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omega_bridge.analysis.program import VISIBLE, Effect
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import Statement, deparse_type, printed_argument, strings

NAME_BYTES = 63


def relation(range_var: Any, kind: Kind = Kind.TABLE) -> Key:
    """The key of a ``RangeVar``."""
    return Key(kind, range_var.schemaname or VISIBLE, "", range_var.relname)


def qualified(nodes: Iterable[Any], kind: Kind) -> Key:
    """The key of a name given as a list of ``String`` nodes."""
    parts = strings(nodes)
    return Key(kind, parts[-2] if len(parts) > 1 else VISIBLE, "", parts[-1])


def member(owner: Key, kind: Kind, name: str) -> Key:
    """The key of a column, constraint, trigger or policy of a table."""
    return Key(kind, owner.schema, owner.name, name)


def generated(table: str, columns: Iterable[str], label: str) -> str:
    """The name that PostgreSQL gives an unnamed constraint, index or sequence, where nothing else has it already."""
    second = "_".join(columns)
    overhead = len(label) + 1 + (1 if second else 0)
    first_bytes, second_bytes = len(table.encode()), len(second.encode())
    room = NAME_BYTES - overhead
    while first_bytes + second_bytes > room:
        if first_bytes > second_bytes:
            first_bytes -= 1
        else:
            second_bytes -= 1
    head = table.encode()[:first_bytes].decode(errors="ignore")
    tail = second.encode()[:second_bytes].decode(errors="ignore")
    return "_".join(part for part in (head, tail, label) if part)


def routine(name: Key, types: Iterable[Any]) -> Key:
    """The key of a function by its name and the ``TypeName`` nodes of its input arguments."""
    return name._replace(name=f"{name.name}({', '.join(printed_argument(deparse_type(t)) for t in types)})")


_EXTENSION_OBJECTS = {
    "citext": "citext",
    "hstore": "hstore",
    "ltree": "ltree",
    "vector": "vector",
    "cube": "cube",
    "uuid_generate_v1": "uuid-ossp",
    "uuid_generate_v4": "uuid-ossp",
    "gen_salt": "pgcrypto",
    "crypt": "pgcrypto",
    "digest": "pgcrypto",
    "hmac": "pgcrypto",
    "gin_trgm_ops": "pg_trgm",
    "gist_trgm_ops": "pg_trgm",
    "similarity": "pg_trgm",
    "unaccent": "unaccent",
    "geometry": "postgis",
    "geography": "postgis",
}


def needed_extension(name: str) -> Key | None:
    """The extension that a type, function or operator class comes from, where it is a well-known one."""
    extension = _EXTENSION_OBJECTS.get(name.lower())
    return Key(Kind.EXTENSION, "", "", extension) if extension else None


def defined(key: Key, statement: Statement) -> Effect:
    """What a plain ``CREATE`` leaves. Whether that is what was there before a ``DROP``, only the server can say of another text."""
    return Effect(key, attributes=(("definition", statement.text),), made=True)
