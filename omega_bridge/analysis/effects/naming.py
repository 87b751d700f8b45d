"""Names: of relations in parse nodes, and those that PostgreSQL makes up for unnamed objects.

Source: PostgreSQL, ``makeObjectName`` and ``ChooseRelationName`` in ``src/backend/commands/indexcmds.c``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omega_bridge.analysis.program import VISIBLE, Effect
from omega_bridge.catalog import Key, Kind
from omega_bridge.sql import ParseNode, Statement, deparse_type, fields, inner, known, printed_argument, strings

NAME_BYTES = 63
OWN_SCHEMA = "pg_temp"
"""Where a session has what is its own."""

RELATION = fields(RangeVar=known("", "schemaname relname inh", relpersistence=("p", "u")))
"""A relation by its name; neither that of a database nor one that is temporary."""
NAME = fields(List=known("items"), String=known("", "sval"))
TYPE = fields(TypeName=known("", "names typmods typemod array_bounds"))


class NotRead(Exception):
    """What a statement is about is not said in a way that is read here."""


def is_temporary(range_var: ParseNode) -> bool:
    """Whether a relation is one of the session's own: no catalog of ours shows it."""
    return bool(range_var.relpersistence == "t" or range_var.schemaname == OWN_SCHEMA)


def made(range_var: ParseNode, kind: Kind) -> Key:
    """The key of a relation that a ``CREATE`` makes. Raises ``NotRead`` for a temporary one."""
    if is_temporary(range_var):
        raise NotRead
    return relation(range_var, kind)


def relation(range_var: ParseNode, kind: Kind = Kind.TABLE) -> Key:
    """The key of a ``RangeVar``."""
    return Key(kind, range_var.schemaname or VISIBLE, "", range_var.relname)


def qualified(nodes: Iterable[ParseNode], kind: Kind) -> Key:
    """The key of a name given as a list of ``String`` nodes. Raises ``NotRead`` where it names a database, too."""
    schema, name = split(strings(nodes))
    return Key(kind, schema, "", name)


def split(parts: tuple[str, ...]) -> tuple[str, str]:
    """Schema and name. Raises ``NotRead`` where there is more."""
    if not 1 <= len(parts) <= 2:
        raise NotRead
    return (parts[0] if len(parts) > 1 else VISIBLE), parts[-1]


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


def index_columns(node: ParseNode) -> Iterator[str]:
    """What the columns of an index are called, those that it only includes, too."""
    return apart(inner(p).name or "expr" for p in (*node.index_params, *node.index_including_params))


def apart(names: Iterable[str]) -> Iterator[str]:
    """The names of an index's columns, no two the same."""
    taken: set[str] = set()
    for wanted in names:
        name, number = wanted, 0
        while name in taken:
            number += 1
            tail = str(number)
            name = wanted.encode()[: NAME_BYTES - len(tail)].decode(errors="ignore") + tail
        taken.add(name)
        yield name


def routine(name: Key, types: Iterable[ParseNode]) -> Key:
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
