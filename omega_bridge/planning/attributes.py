"""Comparing one attribute of the catalog with what a statement or a guard says of it."""

from __future__ import annotations

from functools import lru_cache
from operator import ge, gt, le, lt

from omega_bridge import sql
from omega_bridge.analysis.program import ANYTHING, Filter
from omega_bridge.catalog import Attributes, Key, Kind, texts
from omega_bridge.kinds import ROOMS
from omega_bridge.kinds.room import Compared
from omega_bridge.sql import MODIFIER, as_printed, printed_type


def same(key: Key, name: str, attributes: Attributes, wanted: object) -> bool | None:
    """Whether an object's attribute is what a statement would make it; ``None`` where only the server can tell."""
    if wanted is ANYTHING:
        return None
    if name == "label":
        return wanted in texts(attributes.get("labels"))
    if name == "no label":
        return wanted not in texts(attributes.get("labels"))
    found = attributes.get(name)
    if found is ANYTHING:
        return None
    if name == "nullable" and not wanted and "NOT VALID" in str(attributes.get("not_null") or "").partition("COMMENT ")[0]:
        return False  # SET NOT NULL validates it
    if found == wanted:
        return True
    match ROOMS[key.kind].compared.get(name):
        case Compared.TYPE:
            return sql.same_type(str(found), str(wanted))
        case Compared.CONSTRAINT:
            return _same_constraint(str(found), str(wanted)) or None
        case Compared.INDEX:
            return sql.same_index(str(found), str(wanted)) or None
        case Compared.ROUTINE:
            return sql.same_routine(str(found), str(wanted), key.schema) or None
    match name:
        case "arguments":
            return sql.same_statement(f"DROP FUNCTION f({found}", f"DROP FUNCTION f({wanted}")
        case "default":
            if found is None or wanted is None:
                return False
            answer = sql.same_expression(str(found), str(wanted))
            is_cast_so = not answer or sql.is_of_its_column(str(found), str(wanted), str(attributes.get("type", "")))
            return answer if is_cast_so else None
        case "valid" if " ON ONLY " in str(attributes.get("definition", "")):
            return True  # of a partitioned table: it is valid once every partition has its own
        case "collation":
            return _same_collation(found, wanted)
        case "enabled":
            return None if found is None else False
        case "table" | "constraint" | "nullable" | "validated" | "valid" | "unique" | "comment" | "labels" | "identity":
            return False
        case "row_security" | "force_row_security":
            return False
    return None


def _same_collation(found: object, wanted: object) -> bool | None:
    """A collation as the catalog prints it (``None``: the type's own) and as it was written."""
    if wanted is None:
        return False
    return True if found is not None and str(found).replace('"', "") in (f"pg_catalog.{wanted}", wanted) else None


@lru_cache(maxsize=4096)
def _same_constraint(found: str, wanted: str) -> bool:
    """A constraint's text as printed and as written. ``NOT VALID`` is told by ``validated``, not here."""
    plain = found.removesuffix(" NOT VALID")
    return sql.same_statement(f"ALTER TABLE t ADD {plain}", f"ALTER TABLE t ADD {wanted}")


_CONSTRAINT_TYPES = {"PRIMARY KEY": "p", "UNIQUE": "u", "FOREIGN KEY": "f", "CHECK": "c"}
_UDT = {
    "integer": "int4", "bigint": "int8", "smallint": "int2", "boolean": "bool", "character varying": "varchar",
    "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp", "double precision": "float8",
    "real": "float4", "character": "bpchar", "time without time zone": "time", "time with time zone": "timetz",
}  # fmt: skip
_BUILT_IN = {
    *_UDT, "text", "uuid", "json", "jsonb", "numeric", "date", "bytea", "interval", "inet", "cidr", "macaddr", "xml", "money",
    "name", "oid", "tsvector", "tsquery", "point", "bit", "bit varying",
}  # fmt: skip


class Null:
    """SQL's NULL: the outcome of a comparison with one."""


NULL = Null()


def passes(key: Key, attributes: Attributes, test: Filter) -> bool | None:
    """Whether an object passes one filter of a guard; ``None`` where only the server can tell."""
    found = compared(key, attributes, test)
    return False if isinstance(found, Null) else found


def compared(key: Key, attributes: Attributes, test: Filter) -> bool | Null | None:
    """One filter of a guard on an object, in SQL's logic; ``None`` where only the server can tell."""
    found = _value(key, attributes, test.attribute)
    if found is ANYTHING:
        return None
    match test.operator:
        case "null":
            return found is None
        case "not null":
            return found is not None
        case "distinct" | "not distinct":
            if found is None or test.value is None:
                return (found is None and test.value is None) == (test.operator == "not distinct")
        case "=" | "!=" | "in" | "not in":
            if found is None:
                return NULL
        case "<" | "<=" | ">" | ">=":
            return NULL if found is None else _ordered(found, test)
        case _:
            return None
    if test.attribute == "label":
        hit: bool | None = any(w in texts(found) for w in test.values)
    elif test.attribute == "default":
        hit = True if found in test.values else None
    else:
        hit = found in test.values
    return None if hit is None else hit == (test.operator in ("=", "in", "not distinct"))


_ORDERS = {"<": lt, "<=": le, ">": gt, ">=": ge}


def _ordered(found: object, test: Filter) -> bool | None:
    if not isinstance(found, int) or not isinstance(test.value, int):
        return None
    return bool(_ORDERS[test.operator](found, test.value))


def _value(key: Key, attributes: Attributes, name: str) -> object:
    """An attribute in ``information_schema``'s words."""
    if name in ("data_type", "udt_name", "length"):
        return _type_word(attributes.get("type", ANYTHING), name)
    match name:
        case "is_nullable":
            return "YES" if attributes.get("nullable", True) else "NO"
        case "not null":
            return not attributes.get("nullable", True)
        case "is_identity":
            return "YES" if attributes.get("identity") else "NO"
        case "constraint_type":
            return {v: k for k, v in _CONSTRAINT_TYPES.items()}.get(str(attributes.get("type", "")), ANYTHING)
        case "table_type":
            return "VIEW" if key.kind is Kind.VIEW else "FOREIGN" if attributes.get("kind") == "f" else "BASE TABLE"
        case "on table":
            return attributes.get("table", ANYTHING)
        case "label":
            return attributes.get("labels", ())
        case "printed type":
            return as_printed(str(attributes.get("type"))) or ANYTHING
        case "type" | "validated":
            return attributes.get(name, ANYTHING)
        case "default":
            return attributes.get(name)
        case "name":
            return key.name
        case "row":
            return True
    return ANYTHING


def _type_word(written: object, word: str) -> object:
    if written is ANYTHING:
        return ANYTHING
    printed = printed_type(str(written))
    if word == "length":
        modifier = MODIFIER.search(printed)
        return int(modifier[1]) if modifier and modifier[1].isdigit() and printed.startswith(("character", "bit")) else None
    plain = MODIFIER.sub("", printed)
    if plain.endswith("[]"):
        return "ARRAY" if word == "data_type" else "_" + _UDT.get(plain.rstrip("[]"), plain.rstrip("[]"))
    if word == "udt_name":
        return _UDT.get(plain, plain.rpartition(".")[2].strip('"'))
    return plain if plain in _BUILT_IN else "USER-DEFINED"
