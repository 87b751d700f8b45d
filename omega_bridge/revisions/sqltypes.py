"""PostgreSQL's type names as SQLAlchemy types; what SQLAlchemy has no word for stays the name it is (``Type``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine, UserDefinedType

from omega_bridge.sql import ParseNode, deparse_type, inner, name_of, same_type, strings


class Type(UserDefinedType[object]):
    """A type by its name in PostgreSQL: an enum, a domain, an extension's type."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        """The name, as DDL has it."""
        return self.name

    def __repr__(self) -> str:
        return f"Type({self.name!r})"


_Maker = Callable[[list[Any]], TypeEngine[Any]]
_dialect: Any = pg.dialect

_TYPES: dict[str, _Maker] = {
    "int2": lambda m: sa.SmallInteger(),
    "int4": lambda m: sa.Integer(),
    "int8": lambda m: sa.BigInteger(),
    "bool": lambda m: sa.Boolean(),
    "text": lambda m: sa.Text(),
    "varchar": lambda m: sa.String(*m),
    "bpchar": lambda m: sa.CHAR(*m),
    "numeric": lambda m: sa.Numeric(*m),
    "float4": lambda m: sa.REAL(),
    "float8": lambda m: sa.Double(),
    "date": lambda m: sa.Date(),
    "timestamptz": lambda m: pg.TIMESTAMP(timezone=True, precision=m[0]) if m else sa.DateTime(timezone=True),
    "timestamp": lambda m: pg.TIMESTAMP(precision=m[0]) if m else sa.DateTime(),
    "timetz": lambda m: pg.TIME(timezone=True, precision=m[0]) if m else sa.Time(timezone=True),
    "time": lambda m: pg.TIME(precision=m[0]) if m else sa.Time(),
    "uuid": lambda m: sa.UUID(),
    "json": lambda m: sa.JSON(),
    "jsonb": lambda m: pg.JSONB(),
    "bytea": lambda m: sa.LargeBinary(),
    "inet": lambda m: pg.INET(),
    "cidr": lambda m: pg.CIDR(),
    "macaddr": lambda m: pg.MACADDR(),
    "tsvector": lambda m: pg.TSVECTOR(),
    "citext": lambda m: Type("citext", *m),  # SQLAlchemy has CITEXT from 2.0.7 on
}


def sqlalchemy_type(node: ParseNode) -> TypeEngine[object]:
    """The SQLAlchemy type of a ``TypeName`` node. What it compiles to is the same type, or it is a ``Type``."""
    text = deparse_type(node)
    found = _known(node)
    if found is not None and same_type(found.compile(dialect=_dialect()), text):
        return found
    return Type(text)


def _known(node: ParseNode) -> TypeEngine[object] | None:
    names = strings(node.names)
    if len(names) > 1 and names[0] != "pg_catalog":
        return None
    make = _TYPES.get(names[-1])
    modifiers = [inner(m) for m in node.typmods]
    if make is None or not all(name_of(m) == "A_Const" and m.WhichOneof("val") == "ival" for m in modifiers):
        return None
    try:
        found = make([m.ival.ival for m in modifiers])
    except TypeError:
        return None
    bounds = len(node.array_bounds)
    if bounds:
        found = pg.ARRAY(found, dimensions=bounds if bounds > 1 else None)
    return found
