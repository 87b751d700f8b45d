"""Which changes of a table write all its rows anew. Source: PostgreSQL's manual, ALTER TABLE, "Notes", and what a server did
(``tests/integration/test_rules_facts.py``)."""

from __future__ import annotations

from omega_bridge import sql

_STRINGS = ("text", "character varying")
_TIMES = (
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
    "interval",
)
_VOLATILE = frozenset(
    {
        "gen_random_uuid",
        "uuidv7",
        "uuidv4",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
        "random",
        "clock_timestamp",
        "timeofday",
        "nextval",
        "gen_random_bytes",
        "gen_salt",
    }
)


def type_change_rewrites(before: str, after: str) -> bool | None:
    """Whether a column's change from one type to another writes the table anew; ``None`` where that is not known."""
    if sql.same_type(before, after) is True:
        return False
    (old, old_length), (new, new_length) = _parts(before), _parts(after)
    if old == new or (old in _STRINGS and new in _STRINGS):
        if old in _STRINGS or old == "bit varying":
            return new_length is not None and (old_length is None or new_length < old_length)
        if old == "numeric":
            if new_length is None:
                return False
            return (
                old_length is None
                or len(old_length) != len(new_length)
                or old_length[1:] != new_length[1:]
                or new_length < old_length
            )
        if old in _TIMES:
            return None if old == "interval" else new_length is not None and (old_length is None or new_length < old_length)
        return True if old in ("character", "bit") else None
    if {old, new} == set(_TIMES[:2]):
        return None  # not where TimeZone is UTC
    if (old, new) == ("cidr", "inet"):
        return False
    known = {*_STRINGS, *_TIMES, *_OTHERS}
    return True if old in known and new in known else None


_OTHERS = (
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "real",
    "double precision",
    "boolean",
    "uuid",
    "date",
    "json",
    "jsonb",
    "bytea",
)


def _parts(written: str) -> tuple[str, tuple[int, ...] | None]:
    printed = sql.printed_type(written)
    found = sql.MODIFIER.search(printed)
    numbers = tuple(int(n) for n in found[1].split(",") if n.strip().lstrip("-").isdigit()) if found else None
    plain = sql.MODIFIER.sub("", printed).strip()
    if plain == "numeric" and numbers is not None and len(numbers) == 1:
        numbers = (*numbers, 0)
    return plain, numbers


def volatile_in(default: sql.ParseNode) -> str | None:
    """The function in a default's parse node whose value is another one for each row; ``None`` where none is known to be."""
    for node in sql.walk(default):
        if sql.name_of(node) == "FuncCall" and (name := sql.strings(node.funcname)[-1]) in _VOLATILE:
            return name
    return None
