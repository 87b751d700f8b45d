"""Names of types as PostgreSQL prints them (``format_type``): ``int`` is ``integer``, ``varchar(5)`` is ``character varying(5)``."""

from __future__ import annotations

from omega_bridge.regexes import regex

MODIFIER = regex(r"\s*\(([^)]*)\)")

_ALIASES = {
    "int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint", "bool": "boolean", "varchar": "character varying",
    "timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone", "float8": "double precision",
    "float": "double precision", "float4": "real", "decimal": "numeric", "char": "character", "bpchar": "character",
    "varbit": "bit varying", "dec": "numeric", "nchar": "character",
    "time": "time without time zone", "timetz": "time with time zone",
}  # fmt: skip


def printed_type(written: str) -> str:
    """A type as ``format_type`` prints it."""
    modifier = MODIFIER.search(written)
    plain = MODIFIER.sub("", written).strip().lower()
    array = "[]" if plain.endswith("[]") else ""
    plain = _ALIASES.get(plain.removesuffix("[]"), plain.removesuffix("[]"))
    return f"{plain}{modifier[0].strip() if modifier else ''}{array}"


_CANONICAL = regex(
    r"(?:integer|bigint|smallint|boolean|text|uuid|jsonb?|date|bytea|real|double precision|inet|cidr|xml|money|oid|tsvector|interval"
    r"|time(?:stamp)?(?:\([0-6]\))? with(?:out)? time zone|numeric(?:\(\d+,\d+\))?|(?:character|bit)\(\d+\)"
    r"|character varying(?:\(\d+\))?|bit varying(?:\(\d+\))?)(?:\[\])?"
)


def as_printed(written: str) -> str | None:
    """The words of ``format_type`` for one of PostgreSQL's own types; ``None`` where they are not certain."""
    found = printed_type(written).replace(", ", ",")
    return found if _CANONICAL.fullmatch(found) else None


def printed_argument(written: str) -> str:
    """A function's argument type as it identifies the function: no modifier, and a name of one's own as it is written."""
    plain = MODIFIER.sub("", written).strip().removeprefix("pg_catalog.")
    bare = plain.removesuffix("[]")
    return _ALIASES.get(bare.lower(), bare) + plain[len(bare) :]
